/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables are sized by the number of samples between two drains, because each sample may have a new stack. */
#include "session/limits.h"

#include "proc/host.h"
#include "proc/procfs.h"

static uint32_t power_of_two(double at_least, uint32_t min, uint32_t max)
{
	uint32_t n = min;

	while (n < at_least && n < max)
		n *= 2;
	return n;
}

/* Even at the highest rate, krait may be delayed by a second without losing samples. */
void limits_size(const struct limits *l, double hz, int cpus, bool wall, struct kern_opts *ret)
{
	enum { WALL_THREADS = 50000 };    /* off-CPU threads, each with a stack of its own */
	double samples = hz * cpus * 2.5; /* between two drains, one of them delayed by 1 s */

	if (wall)
		samples += WALL_THREADS;
	ret->config.max_depth = l->max_depth;
	ret->max_procs = l->max_procs;
	ret->max_counts = l->max_counts ? l->max_counts : power_of_two(samples, 16384, 4194304);
	ret->config.sent_stacks = power_of_two(l->max_stacks ? l->max_stacks : 4 * samples,
					       l->max_stacks ? 2 : 262144, 1 << 24);
	ret->config.sent_codes = power_of_two(l->max_codes ? l->max_codes : 131072, 2, 1 << 24);
	ret->max_threads = 32768;
	ret->ring_bytes = power_of_two(l->ring_bytes ? l->ring_bytes : samples * 512,
				       l->ring_bytes ? 4096 : 16 << 20, 1 << 30);
}

size_t limits_room(const struct limits *l)
{
	enum { SHARE = 16, LEAST_PART = 4 };
	const uint64_t low = 128 << 20, high = 2ULL << 30;
	uint64_t own = procfs_resident(), max = l->max_memory;

	if (!max) {
		max = host_memory() / SHARE;
		max = max < low ? low : max > high ? high : max;
	}
	return max > own + max / LEAST_PART ? max - own : max / LEAST_PART;
}
