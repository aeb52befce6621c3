/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock for timeouts and waits. */
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

#endif
