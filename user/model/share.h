/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How sure a share is: of so many samples so many hit, and what the share of all would be if there were
 * infinitely many.
 *
 * Samples that know nothing of each other give a binomial count, and Wilson's interval for it. Those of a recording do
 * know of each other: what runs now ran, most likely, 10 ms ago; threads wait for each other and are busy when others
 * are. So the count's variance is also measured, by batch means: the samples of all threads are divided into
 * batches (bins of time), and how far the batches are from the share of all is compared with how far they would be
 * by chance. Where it is more, the samples count for fewer: n / design effect. It is measured for bins of one width and
 * of twice that, four times, ... as long as there are BATCHES of them; the largest excess counts, so
 * phases that are longer than a bin are seen too. It is never taken for less than chance.
 *
 * Threads are no strata: as what each of them does, how much each of them does is only known as well as it was
 * the same all the time. That one never does what another always does is no uncertainty, as long as both go on.
 *
 * Phases as long as the recording itself cannot be seen; neither can those of a recording of a few bins. Then the
 * interval is that of independent samples.
 */
#ifndef KRAIT_SHARE_H
#define KRAIT_SHARE_H

#include <stddef.h>
#include <stdint.h>

enum { SHARE_LEVELS = 6, SHARE_BATCHES = 8 };

struct share_interval {
	double share, low, high; /* 0..1 */
	double effect;           /* the design effect, at least 1 */
};

/* The interval that holds the share 95 times of 100, where in each of @n bins, of @of[i] samples @hits[i] hit. */
void share_interval(const uint64_t *hits, const uint64_t *of, size_t n, struct share_interval *ret);

#endif
