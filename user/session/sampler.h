/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side of a capture: the BPF programs and their maps (load/kern), a timer for each CPU (load/perf),
 * and in wall-clock mode the ticks for off-CPU threads (load/wall).
 */
#ifndef KRAIT_SAMPLER_H
#define KRAIT_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "load/kern.h"
#include "load/wall.h"

struct sampler;

/* Can it run on this host, and with which features? 0 or -errno with @err. */
int sampler_probe(bool wall, bool visit_all, struct features *ret, struct err *err);
/*
 * Loads and attaches everything, but starts no timer. Raises the limit of open files. The caller must be
 * single-threaded. NULL: @err says why.
 */
struct sampler *sampler_new(const struct kern_opts *opts, const struct features *features,
			    double hz, struct err *err);
void sampler_free(struct sampler *s);
struct kern *sampler_kern(const struct sampler *s);

/* 0 or -errno. */
int sampler_start(struct sampler *s);
int sampler_stop(struct sampler *s);
/* From now on samples all threads of a process. No effect before sampler_start(), which finds them itself. */
void sampler_adopt(struct sampler *s, uint32_t tgid);
/* Swaps the two count sets; on return the quiet set holds all counts up to now. 0 or -errno. */
int sampler_swap(struct sampler *s);
/* To be called about once a second: follows CPU hotplug, varies the sampling period. 0 or -errno. */
int sampler_second(struct sampler *s);

/* Ticks due on all CPUs, and the sampled time summed over CPUs. */
void sampler_elapsed(struct sampler *s, double *ret_ticks, double *ret_cpu_seconds);
int sampler_cpus(const struct sampler *s); /* online */
/* Why a CPU that came online is not sampled; code 0: all are. */
const struct err *sampler_unwatched(const struct sampler *s);

/* NULL: not in wall-clock mode. */
struct wall *sampler_wall(const struct sampler *s);
/* The thread whose memory did not respond at the last swap, 0: none. */
uint32_t sampler_stalled(const struct sampler *s);

#endif
