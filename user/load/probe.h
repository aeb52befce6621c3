/* SPDX-License-Identifier: BSD-2-Clause */
/* What the running kernel can do, found by loading small programs. */
#ifndef KRAIT_PROBE_H
#define KRAIT_PROBE_H

#include <stdbool.h>

#include "base/err.h"

struct features {
	bool modern;    /* the sampler with bpf_loop and BTF pointers loads */
	bool visit_one; /* another task's memory can be read, and the task found by its id */
	bool visit_all; /* only in a pass over all tasks */
	bool faulting;  /* and a task can be asked to read what is not resident */
};

/*
 * 0, or -errno with the reason: no privilege (-EPERM), no BTF or too old (-EOPNOTSUPP).
 * Needs CAP_BPF and CAP_PERFMON, as everything in load/.
 */
int features_probe(struct features *ret, struct err *err);

#endif
