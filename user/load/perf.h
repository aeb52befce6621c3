/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sampling clock: one cpu-clock event with the sampler attached per online CPU, including CPUs
 * that come online later. No other file knows the event source.
 */
#ifndef KRAIT_PERF_H
#define KRAIT_PERF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct perf;
struct bpf_program;

/* Opens and attaches the events, stopped. @hz 1..20000. NULL: see @err. */
struct perf *perf_new(struct bpf_program *sampler, double hz, struct err *err);
/* Stops and closes the events. */
void perf_free(struct perf *p);

/* @ret_phase: CLOCK_MONOTONIC ns shortly after the first period began on the last CPU. */
int perf_start(struct perf *p, uint64_t *ret_phase);
int perf_stop(struct perf *p);

/*
 * Adds a clock for each CPU that came online, and removes the clocks of CPUs that went offline;
 * their ticks stay in perf_elapsed(). Call it about once a second while sampling: a clock that has
 * stood still since the last call means that its CPU has been offline. On failure @err says why a
 * CPU has no clock.
 */
int perf_follow(struct perf *p, struct err *err);

/* The nominal period in ns, without jitter. */
uint64_t perf_period(const struct perf *p);

/*
 * Changes the period by up to 5 %, and so the phase, so that samples do not run in step with a
 * periodic program. Does nothing if too few ticks have passed since the last change.
 */
int perf_jitter(struct perf *p);

/*
 * The ticks that all clocks should have delivered so far, and the total time that they ran in CPU
 * seconds. Ticks that the BPF programs have not seen were not delivered by the kernel.
 */
void perf_elapsed(struct perf *p, double *ret_ticks, double *ret_cpu_seconds);

int perf_cpus(const struct perf *p); /* online */

#endif
