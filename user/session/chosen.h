/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which cgroups a user means by the names of containers, pods and units: those that are there, and those
 * that are made later, go into the filter in the kernel.
 */
#ifndef KRAIT_CHOSEN_H
#define KRAIT_CHOSEN_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/wire.h"
#include "base/err.h"
#include "load/kern.h"
#include "session/containers.h"

/* A container, pod, unit or cgroup has all that is below it. Lists may be empty. */
struct chosen_opts {
	char *const *containers; /* names, or what ids begin with */
	char *const *pods;       /* NAMESPACE/NAME */
	char *const *units;      /* nginx.service */
	char *const *cgroups;    /* paths */
	size_t ncontainers, npods, nunits, ncgroups;
};

struct chosen;

/* All three must outlive it. NULL: out of memory. */
struct chosen *chosen_new(const struct chosen_opts *opts, struct containers *containers,
			  struct kern *k);
void chosen_free(struct chosen *c);

/* Fills the filter. 0 or -errno with @err: what was asked for is not there, or there is more than one. */
int chosen_open(struct chosen *c, struct err *err);
/* A cgroup was made, and @c's containers know it. 0 or -errno. */
int chosen_made(struct chosen *c, const struct wire_cgroup *made);
/* About once a second: what had no name before. @lost: so were events. 0 or -errno. */
int chosen_second(struct chosen *c, bool lost);

#endif
