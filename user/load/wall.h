/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock of wall-clock mode: at each tick, one of krait's threads runs the BPF visitor, which
 * reads the threads that have run since the last tick, and rests while there are none. It has a
 * real-time priority (SCHED_FIFO). It ticks a little after the CPU clocks, which would otherwise
 * sample it instead of the observed threads.
 */
#ifndef KRAIT_WALL_H
#define KRAIT_WALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "load/kern.h"

struct wall;

/* A process whose memory does not answer: reading it has blocked a visitor for a second. */
struct wall_stall {
	uint32_t tid; /* the thread that was read */
	uint32_t process;
};

enum { WALL_STALLS = 8 };

struct wall_stalls {
	struct wall_stall at[WALL_STALLS];
	size_t len;
	uint64_t more; /* stalls that did not fit into at[] */
};

/* Statistics of the ticks. */
struct wall_ticks {
	uint64_t due;    /* ticks that have passed */
	uint64_t late;   /* missed ticks, which a later tick made up for */
	uint64_t cpu_ns; /* CPU time of the tick threads */
	bool polite;     /* it did not get the real-time priority */
};

/*
 * Starts the visitors in a separate process and measures their clock; counts nothing yet. The
 * caller must be single-threaded. NULL: see @err.
 */
struct wall *wall_new(struct kern *kern, uint64_t period_ns, struct err *err);
/* Stops and frees; @w may be NULL. Leaves hanging visitors behind. */
void wall_free(struct wall *w);

/*
 * Adopts all threads of known processes and starts to count. Tick 0 is at @phase_ns
 * (CLOCK_MONOTONIC), or a whole number of ticks later. 0 or -errno.
 */
int wall_start(struct wall *w, uint64_t phase_ns);
/* Stops ticking. A hanging tick may still run after that; it ends with the visitors' process. */
void wall_stop(struct wall *w);

/* Starts to count this thread; if the kernel cannot find threads by id, adopts all. 0 or -errno. */
int wall_adopt(struct wall *w, uint32_t tid);
/*
 * Counts the time of sleeping threads up to now. 0 or -errno. -ETIMEDOUT: the memory of so many
 * processes does not answer that no visitor is left, and the last one is blocked on the thread
 * wall_stalled() (0: it is only slow). The caller can only wait.
 */
int wall_drain(struct wall *w);
uint32_t wall_stalled(const struct wall *w);
/* Waits until the visit in progress, if any, has ended or was given up. */
void wall_sync(struct wall *w);
/* All processes left out since the start. */
const struct wall_stalls *wall_stalls(const struct wall *w);

void wall_ticks(struct wall *w, struct wall_ticks *ret);

#endif
