/* SPDX-License-Identifier: BSD-2-Clause */
/* Detects features of the running kernel: by the names that its BTF has, or by loading small BPF programs. */
#ifndef KRAIT_PROBE_H
#define KRAIT_PROBE_H

#include <stdbool.h>

#include "base/err.h"
#include "load/faulting.h"

struct features {
	bool modern;    /* the sampler with bpf_loop and BTF pointers loads */
	bool visit_one; /* can find a task by its id and read its memory */
	bool visit_all; /* can read other tasks' memory in an iteration over all tasks */
	enum faulting_kind
		faulting; /* modern, and a task can be made to read its own memory that is not resident */
	bool grow;        /* hash tables of programs that interrupt can take memory as they fill */
	bool guessed; /* nothing was loaded to find this out */
};

/*
 * By names: a kernel that has a function usually accepts programs that call it. No program is loaded.
 * Returns what features_probe() does. If programs that need these features do not load, probe.
 */
int features_guess(struct features *ret, struct err *err);

/*
 * 0, or -errno with the reason in @err: no privilege (-EPERM), no BTF or too old (-EOPNOTSUPP).
 * Needs CAP_BPF and CAP_PERFMON, like everything in load/.
 */
int features_probe(struct features *ret, struct err *err);

#endif
