/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side of a capture with what drives it: the programs and their maps (load/kern), a timer for each CPU
 * (load/perf), and in wall-clock mode the ticks for threads that are on none (load/wall).
 */
#ifndef KRAIT_SAMPLER_H
#define KRAIT_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "load/kern.h"
#include "load/wall.h"

struct sampler;

/* Is this a host on which it can run at all, and with which features? 0 or -errno with @err. */
int sampler_probe(bool wall, bool visit_all, struct features *ret, struct err *err);
/*
 * Loads and attaches everything, all clocks stopped. Raises the limit of open files. The caller must have
 * one thread. NULL: @err says why.
 */
struct sampler *sampler_new(const struct kern_opts *opts, const struct features *features,
			    double hz, struct err *err);
void sampler_free(struct sampler *s);
struct kern *sampler_kern(const struct sampler *s);

/* 0 or -errno. */
int sampler_start(struct sampler *s);
int sampler_stop(struct sampler *s);
/* All threads of a process are counted from now on; until it is started that does nothing, as it looks itself. */
void sampler_adopt(struct sampler *s, uint32_t tgid);
/* Swaps the count sets; when it returns the quiet one has what threads have done until now. 0 or -errno. */
int sampler_swap(struct sampler *s);
/* About once a second: follows CPUs that come and go, moves the period. 0 or -errno. */
int sampler_second(struct sampler *s);

/* Ticks that were due on all CPUs, and the seconds that these were watched. */
void sampler_elapsed(struct sampler *s, double *ret_ticks, double *ret_cpu_seconds);
int sampler_cpus(const struct sampler *s); /* online */
/* Why a CPU that came online is not watched, code 0: all are. */
const struct err *sampler_unwatched(const struct sampler *s);

/* NULL: threads on a CPU are counted alone. */
struct wall *sampler_wall(const struct sampler *s);
/* The thread whose memory did not answer at the last swap, 0: none. */
uint32_t sampler_stalled(const struct sampler *s);

#endif
