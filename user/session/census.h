/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes there are: all that run at the start, and from then on what the kernel tells of those that
 * begin, execute something else and end.
 */
#ifndef KRAIT_CENSUS_H
#define KRAIT_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "load/kern.h"
#include "session/inspector.h"
#include "session/procs.h"

struct census;

/* All four must outlive it. @filters (enum filter): what they leave out is not spoken of. NULL: out of memory. */
struct census *census_new(struct kern *k, struct reader *r, struct procs *p, struct inspector *i,
			  uint32_t filters);
void census_free(struct census *c);

/* Looks at everything that runs. 0 or -errno. */
int census_fill(struct census *c);
/* Adds to the pid filter what descends from @pids now; fork adds what comes later. 0 or -errno. */
int census_follow(struct census *c, const uint32_t *pids, size_t n);
/* A record from the kernel. 0 or -errno. */
int census_event(struct census *c, const struct wire_event *e);
/* After events were lost: finds what is new and what is gone. 0 or -errno. */
int census_resync(struct census *c);

#endif
