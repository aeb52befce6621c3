/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that run in chosen containers, pods, units and cgroups now, by /proc. */
#ifndef KRAIT_PLACES_H
#define KRAIT_PLACES_H

#include <stdbool.h>
#include <sys/types.h>

#include "session/chosen.h"

struct places;

/* The lists of @opts and @containers must outlive it. NULL: @err says why, as when a name matches nothing. */
struct places *places_new(const struct chosen_opts *opts, struct containers *containers,
			  struct err *err);
void places_free(struct places *p);
/* Does the process run in one of them? True for every process if none is chosen. */
bool places_have(const struct places *p, pid_t pid);

#endif
