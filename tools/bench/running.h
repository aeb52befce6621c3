/* SPDX-License-Identifier: BSD-2-Clause */
/* A running krait, seen from outside: its sampler, its counters, and what it holds in the kernel. */
#ifndef KRAIT_RUNNING_H
#define KRAIT_RUNNING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/wire.h"

struct running;

/* NULL: process @pid has no sampler, or no memory. */
struct running *running_open(pid_t pid);
void running_close(struct running *r);
/* Descriptor of the sampler's program. */
int running_sampler(const struct running *r);
/* Adds up the counters of all CPUs. */
bool running_stats(struct running *r, struct wire_stats *ret);

struct running_weight {
	uint64_t memory; /* bytes of maps and programs, as the kernel accounts them */
	uint32_t maps, programs;
};

/* What process @pid holds at this moment; each map and program counts once. */
struct running_weight running_weigh(pid_t pid);
/* Bytes that were ever written to the ring buffers of @pid, with their headers. */
uint64_t running_sent(pid_t pid);

#endif
