/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampling rates that do not run in step with a periodic program.
 *
 * rate_period() is called about once a second, and chooses a whole number of Hz near the requested
 * rate. If a program repeats its phases at another whole number of Hz, the samples of one second
 * pass through the phases a whole number of times, and hit each phase in proportion to its length.
 * Only a program at exactly the chosen rate stays in step, so the requested rate and multiples of
 * 10 Hz, at which programs tend to repeat, are never chosen. A random offset of up to a fifth of a
 * Hz shifts the samples of the next second within the phases; without it, a short phase between two
 * samples would never be hit.
 *
 * rate_steady() is for ticks with one constant period. Its rate is not a whole number of Hz, so
 * that each second the samples shift within the phases of such a program by a fraction of a tick.
 * That fraction comes from the golden ratio, which spreads the samples of any number of seconds
 * most evenly.
 */
#ifndef KRAIT_RATE_H
#define KRAIT_RATE_H

#include <stdint.h>

/* The next period in ns, within 5 % of @nominal. *@random: any number at first. */
static inline uint64_t rate_period(uint64_t nominal, uint32_t *random)
{
	int hz = (int)(1000000000 / nominal), spread = hz * 3 / 100, rate = hz;

	*random = *random * 1103515245 + 12345;
	if (hz < 67) /* too few whole numbers are near; any rate within 3 % */
		return nominal + (int64_t)nominal * ((int)(*random >> 16) % 61 - 30) / 1000;
	spread = spread < 3 ? 3 : spread;
	while (rate == hz || rate % 10 == 0) {
		rate = hz - spread + (int)(*random >> 16) % (2 * spread + 1);
		*random = *random * 1103515245 + 12345;
	}
	return 1e9 / (rate + ((int)(*random >> 16) % 201 - 100) / 500.0);
}

/* A constant rate near @hz. */
static inline double rate_steady(double hz)
{
	double part = 0.381966; /* of a tick, in a second */

	return hz - (hz < 10 ? part * hz / 10 : part);
}

#endif
