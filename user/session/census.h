/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps track of all processes: lists them once at the start, then follows the kernel's fork, exec and exit
 * events.
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

/*
 * The arguments must outlive it. Processes that @filters (enum filter) exclude are not reported. NULL: out of
 * memory.
 */
struct census *census_new(struct kern *k, struct reader *r, struct procs *p, struct inspector *i,
			  uint32_t filters);
void census_free(struct census *c);

/* Examines every process that runs. 0 or -errno. */
int census_fill(struct census *c);
/* Adds the present descendants of @pids to the pid filter; the kernel adds later ones on fork. 0 or -errno. */
int census_follow(struct census *c, const uint32_t *pids, size_t n);
/* Handles an event from the kernel. 0 or -errno. */
int census_event(struct census *c, const struct wire_event *e);
/* After lost events: finds new processes and those that have ended. 0 or -errno. */
int census_resync(struct census *c);

#endif
