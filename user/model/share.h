/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The confidence interval of a share: a function was in so many of so many samples; which range contains its
 * true share?
 *
 * If samples were independent, the count would be binomial and Wilson's interval would do. Consecutive samples of
 * a recording are correlated: code running now was probably running 10 ms ago, and threads wait for each other or
 * are busy together. So the variance is measured by batch means: the samples of all threads are divided into
 * batches (bins of time), and the variance of the batches' shares is compared with the variance of independent
 * samples. The ratio is the design effect; n samples then count as n / design effect. It is measured with batches
 * of 1, 2, 4, ... bins as long as there are SHARE_BATCHES of them, and the largest ratio is used, so phases longer
 * than a bin are noticed too. It is never less than 1.
 *
 * Samples are not stratified by thread: how much each thread runs is as uncertain as what it runs. A constant
 * difference between threads adds nothing to the variance, because each batch contains all threads.
 *
 * Phases as long as the recording itself remain invisible, and so does any correlation in a recording of few bins.
 * The interval is then the one for independent samples.
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

/* The 95 % confidence interval of a share. Of @n bins, bin i has @of[i] samples, @hits[i] of them are hits. */
void share_interval(const uint64_t *hits, const uint64_t *of, size_t n, struct share_interval *ret);

#endif
