/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rates with which no program keeps step. The one changes every second, the other is no whole number.
 *
 * A rate of so many whole Hz, near the one that was asked for: against a program whose phases repeat at any
 * whole number of Hz, the samples of a second then wander through its phases a whole number of times, and
 * meet each as often as it lasts; only with a program at exactly the chosen rate they do not. So the asked one
 * and round ones, at which programs like to repeat, are never chosen. Up to a fifth of a Hz more or less moves
 * where in the phases the next second begins, or short phases between two samples would stay there.
 *
 * Where ticks must be of one period, their rate is no whole number: from one second to the next it then moves on in
 * the phases of such a program by a part of a period, the one (of the golden ratio) by which what any number of
 * seconds has met lies most evenly.
 */
#ifndef KRAIT_RATE_H
#define KRAIT_RATE_H

#include <stdint.h>

/* The next period in ns, within 5 % of @nominal. *@random: any number at first. */
static inline uint64_t rate_period(uint64_t nominal, uint32_t *random)
{
	int hz = (int)(1000000000 / nominal), spread = hz * 3 / 100, rate = hz;

	*random = *random * 1103515245 + 12345;
	if (hz < 67) /* too few whole numbers near */
		return nominal + (int64_t)nominal * ((int)(*random >> 16) % 61 - 30) / 1000;
	spread = spread < 3 ? 3 : spread;
	while (rate == hz || rate % 10 == 0) {
		rate = hz - spread + (int)(*random >> 16) % (2 * spread + 1);
		*random = *random * 1103515245 + 12345;
	}
	return 1e9 / (rate + ((int)(*random >> 16) % 201 - 100) / 500.0);
}

/* The rate in Hz of ticks that are of one period, near @hz. */
static inline double rate_steady(double hz)
{
	double part = 0.381966; /* of a tick, in a second */

	return hz - (hz < 10 ? part * hz / 10 : part);
}

#endif
