/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock of wall-clock mode: a thread of krait's own that lets the kernel's visitor read, at each tick,
 * the threads that have run since the last one. It runs ahead of others (SCHED_FIFO), a little after the
 * CPU clocks, whose ticks it would otherwise take away from what it observes.
 */
#ifndef KRAIT_WALL_H
#define KRAIT_WALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "load/kern.h"

struct wall;

/* The memory of this process does not answer: it held a visitor for a second. */
struct wall_stall {
	uint32_t tid; /* of the thread that was read */
	uint32_t process;
};

enum { WALL_STALLS = 8 };

struct wall_stalls {
	struct wall_stall at[WALL_STALLS];
	size_t len;
	uint64_t more; /* that found no room */
};

/* What the ticks were like. */
struct wall_ticks {
	uint64_t due;    /* that have passed */
	uint64_t late;   /* of them, those that were made up for by a later one */
	uint64_t cpu_ns; /* of the tick thread */
	bool polite;     /* it could not run ahead of others */
};

/*
 * The visitors are started, in a process of their own, and their clock is measured; nothing is counted yet.
 * The caller must have one thread. NULL: @err says why.
 */
struct wall *wall_new(struct kern *kern, uint64_t period_ns, struct err *err);
/* Stops, and frees; NULL is fine. Visitors that hang are left behind. */
void wall_free(struct wall *w);

/* Adopts all threads of known processes, and begins; tick 0 is at @phase_ns (CLOCK_MONOTONIC) or a whole
 * number of ticks later. 0 or -errno. */
int wall_start(struct wall *w, uint64_t phase_ns);
/* No tick runs any more when it returns, but where one is stalled: that ends with the process. */
void wall_stop(struct wall *w);

/* From now on this thread is counted. Where single threads cannot be found all are looked at. */
int wall_adopt(struct wall *w, uint32_t tid);
/*
 * Counts what sleeping threads have done until now. 0 or -errno; -ETIMEDOUT: as many processes as can be left
 * out do not answer, and the last visitor reads the thread wall_stalled() (0: it only takes long): nothing
 * can be done but wait.
 */
int wall_drain(struct wall *w);
uint32_t wall_stalled(const struct wall *w);
/* Returns when the visit that runs, if one does, has ended or been given up. */
void wall_sync(struct wall *w);
/* What was left out, ever since it began. */
const struct wall_stalls *wall_stalls(const struct wall *w);

void wall_ticks(struct wall *w, struct wall_ticks *ret);

#endif
