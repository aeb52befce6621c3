/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes of tables and memory of a capture: the caller's, else chosen from the sampling rate and the host. */
#ifndef KRAIT_LIMITS_H
#define KRAIT_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/kern.h"

struct limits {
	uint32_t max_depth, max_procs;
	uint32_t max_counts, max_stacks, max_codes; /* 0: chosen from rate and number of CPUs */
	uint64_t ring_bytes;                        /* 0: chosen likewise, and the ring may grow */
	uint64_t max_memory;                        /* bytes; 0: a share of the host's memory */
};

/* Sizes the maps for @cpus CPUs at @hz; @wall: off-CPU threads are sampled too. */
void limits_size(const struct limits *l, double hz, int cpus, bool wall, struct kern_opts *ret);
/* The part of max_memory left for the model. To be called after krait has allocated all else, rings included. */
size_t limits_room(const struct limits *l);

#endif
