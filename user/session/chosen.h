/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resolves names of containers, pods, units and cgroups to cgroup ids, and keeps a filter up to date with matching
 * cgroups, present and later ones.
 */
#ifndef KRAIT_CHOSEN_H
#define KRAIT_CHOSEN_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/wire.h"
#include "base/err.h"
#include "session/containers.h"

/* A chosen cgroup includes all cgroups below it. Lists may be empty. */
struct chosen_opts {
	char *const *containers; /* names, or prefixes of ids */
	char *const *pods;       /* NAMESPACE/NAME */
	char *const *units;      /* nginx.service */
	char *const *cgroups;    /* paths */
	size_t ncontainers, npods, nunits, ncgroups;
};

struct chosen;

/* Adds a cgroup to the filter. 0 or -errno. */
typedef int chosen_add(void *ctx, const struct cgroup_key *key);

/* The lists, @containers and @ctx must outlive it. NULL: out of memory. */
struct chosen *chosen_new(const struct chosen_opts *opts, struct containers *containers,
			  chosen_add *add, void *ctx);
void chosen_free(struct chosen *c);

/* Fills the filter. 0 or -errno with @err, as when a name matches nothing, or more than one container. */
int chosen_open(struct chosen *c, struct err *err);
/* To be called for a new cgroup, after containers_made(). 0 or -errno. */
int chosen_made(struct chosen *c, const struct wire_cgroup *made);
/* About once a second: retries cgroups whose container had no name. @lost: events were lost. 0 or -errno. */
int chosen_second(struct chosen *c, bool lost);

#endif
