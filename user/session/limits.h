/* SPDX-License-Identifier: BSD-2-Clause */
/* How much a capture may take: what the caller says, else what fits the rate and the host. */
#ifndef KRAIT_LIMITS_H
#define KRAIT_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/kern.h"

struct limits {
	uint32_t max_depth, max_procs;
	uint32_t max_counts, max_stacks, max_codes; /* 0: chosen from rate and number of CPUs */
	uint64_t ring_bytes;                        /* the same */
	uint64_t max_memory;                        /* bytes; 0: a share of what the host has */
};

/* Sizes the maps for @cpus CPUs at @hz; @wall: threads that sleep are counted, too. */
void limits_size(const struct limits *l, double hz, int cpus, bool wall, struct kern_opts *ret);
/* What of max_memory is left for the model: krait itself, with its rings, must be there by now. */
size_t limits_room(const struct limits *l);

#endif
