/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock for timeouts and waits, and the one of the start times of tasks. */
#ifndef KRAIT_CLOCK_H
#define KRAIT_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC in ns. */
static inline int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* CLOCK_BOOTTIME in ns. */
static inline uint64_t clock_boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

#endif
