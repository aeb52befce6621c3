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

/* Off-CPU threads, each with a stack of its own: twice as many as there are, and room for a start. */
static double off_cpu_threads(void)
{
	enum { START = 2048, MOST = 50000 };
	uint32_t threads = host_threads();

	return threads && 2 * threads + START < MOST ? 2 * threads + START : MOST;
}

/*
 * Bytes of the first ring; it grows when it is found half full. 512 bytes a sample are enough if most
 * of their functions are known. A program that starts has new functions in each sample: at usual rates
 * there is room for 4 KiB. It holds the samples of a second in which krait was delayed, or those of all
 * threads that are off-CPU at once.
 */
static double ring_need(double running, double asleep)
{
	enum { KNOWN = 512, NEW = 4096, USUAL = 16 << 20 };
	double fresh = running * NEW < USUAL ? running * NEW : USUAL;
	double known = (running > asleep ? running : asleep) * KNOWN;

	return known > fresh ? known : fresh;
}

/* Even at the highest rate, krait may be delayed by a second without losing samples. */
void limits_size(const struct limits *l, double hz, int cpus, bool wall, struct kern_opts *ret)
{
	enum { GROWN = 64 << 20 };
	double running = hz * cpus * 2.5; /* between two drains, one of them delayed by 1 s */
	double asleep = wall ? off_cpu_threads() : 0, samples = running + asleep;

	ret->config.max_depth = l->max_depth;
	ret->max_procs = l->max_procs;
	ret->max_counts = l->max_counts ? l->max_counts : power_of_two(samples, 16384, 4194304);
	/* What is evicted is only sent again. */
	ret->config.sent_stacks = power_of_two(l->max_stacks ? l->max_stacks : 4 * samples,
					       l->max_stacks ? 2 : 16384, 1 << 24);
	ret->config.sent_codes =
		power_of_two(l->max_codes ? l->max_codes : 16384.0 * cpus, l->max_codes ? 2 : 65536,
			     l->max_codes ? 1 << 24 : 131072);
	ret->max_threads = power_of_two(samples, 4096, 32768);
	ret->ring_bytes = power_of_two(l->ring_bytes ? l->ring_bytes : ring_need(running, asleep),
				       l->ring_bytes ? 4096 : 1 << 20, 1 << 30);
	/* A target can fill a ring of any size. */
	ret->ring_most = l->ring_bytes || ret->ring_bytes > GROWN ? ret->ring_bytes : GROWN;
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
