/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How sure a share is: of so many samples so many hit, and what the share of all would be if there were
 * infinitely many.
 *
 * Samples that know nothing of each other give a binomial count, and Wilson's interval for it. Those of one
 * thread do know of each other: what runs now ran, most likely, 10 ms ago. So the count's variance is also measured,
 * by batch means: the samples of a thread are divided into batches (bins of time), and how far the batches are from
 * the thread's own share is compared with how far they would be by chance. Where it is more, the samples count for
 * fewer: n / design effect. It is measured for bins of one width and of twice that, four times, ... as long
 * as there are BATCHES of them; the largest excess counts, so phases that are longer than a bin are seen too. It is
 * never taken for less than chance.
 *
 * Threads are strata: that one thread does nothing else and another never does it is no uncertainty.
 * Phases as long as the recording itself cannot be seen; neither can those of a recording of a few bins. Then the
 * interval is that of independent samples.
 */
#ifndef KRAIT_SHARE_H
#define KRAIT_SHARE_H

#include <stddef.h>
#include <stdint.h>

enum { SHARE_LEVELS = 6, SHARE_BATCHES = 8 };

struct share {
	double hits, of; /* samples */
	/* What share_add_thread() adds up, for batches of 1, 2, 4, ... bins. */
	double excess[SHARE_LEVELS]; /* variance of the hits above chance */
	double freedom[SHARE_LEVELS];
};

struct share_interval {
	double share, low, high; /* 0..1 */
	double effect;           /* the design effect, at least 1 */
};

/* In each of @n bins, of @of[i] samples of a thread @hits[i] hit. Adds to what is known of the variance, not to hits. */
void share_add_thread(struct share *s, const uint64_t *hits, const uint64_t *of, size_t n);
/* The interval that holds the share 95 times of 100. */
void share_interval(const struct share *s, struct share_interval *ret);

#endif
