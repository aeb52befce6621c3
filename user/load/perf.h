/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sampling clock: one cpu-clock event per online CPU, each with the sampler attached, also of CPUs
 * that come online later. The event source is this file's business alone.
 */
#ifndef KRAIT_PERF_H
#define KRAIT_PERF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct perf;
struct bpf_program;

/* Opens and attaches, every CPU stopped. @hz 1..20000. NULL: @err says why. */
struct perf *perf_new(struct bpf_program *sampler, double hz, struct err *err);
/* Stops and closes. */
void perf_free(struct perf *p);

/* @ret_phase: CLOCK_MONOTONIC ns shortly after the first period began on the last CPU. */
int perf_start(struct perf *p, uint64_t *ret_phase);
int perf_stop(struct perf *p);

/*
 * While they run: gives a clock to each CPU that came online, and takes the books of those that went
 * offline. Call it about once a second: a CPU whose clock stood still since then has been away. @err says
 * why a CPU has no clock.
 */
int perf_follow(struct perf *p, struct err *err);

/* The period, ns, before it is moved. */
uint64_t perf_period(const struct perf *p);

/*
 * Moves the period by up to 3 % (and the phase with it), so that a program with a period of its own
 * does not run in step. Does nothing while too few ticks went by since the last time.
 */
int perf_jitter(struct perf *p);

/*
 * Ticks that the clocks of all CPUs should have given by now, and the time that they ran (CPU
 * seconds, all CPUs). What the programs did not see of these ticks was not delivered.
 */
void perf_elapsed(struct perf *p, double *ret_ticks, double *ret_cpu_seconds);

int perf_cpus(const struct perf *p); /* online */

#endif
