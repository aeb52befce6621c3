/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/share.h"

#include <math.h>

#define Z95 1.959964

/* Sums over the batches that have samples. */
struct sums {
	double hits, of, hits2, of2, both, batches;
};

static void add_batch(struct sums *s, double hits, double of)
{
	if (of <= 0)
		return;
	s->hits += hits;
	s->of += of;
	s->hits2 += hits * hits;
	s->of2 += of * of;
	s->both += hits * of;
	s->batches++;
}

static struct sums batch_sums(const uint64_t *hits, const uint64_t *of, size_t n, size_t width)
{
	struct sums s = {};

	for (size_t i = 0; i < n; i += width) {
		double h = 0, o = 0;

		for (size_t j = i; j < i + width && j < n; j++) {
			h += hits[j];
			o += of[j];
		}
		add_batch(&s, h, o);
	}
	return s;
}

/* Student's quantile for 95 % (Cornish-Fisher, to 0.1 % from 3 degrees on). */
static double quantile(double freedom)
{
	const double z = Z95, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
	double f = freedom < 2 ? 2 : freedom;

	return z + (z3 + z) / (4 * f) + (5 * z5 + 16 * z3 + 3 * z) / (96 * f * f) +
	       (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * f * f * f);
}

static void wilson(double share, double n, double z, struct share_interval *ret)
{
	double middle = (share + z * z / (2 * n)) / (1 + z * z / n);
	double half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));

	ret->low = fmax(0, middle - half);
	ret->high = fmin(1, middle + half);
}

/* The design effect: variance of these batches, divided by the variance that independent samples would have. */
static double effect_of(const struct sums *s, double share)
{
	/* The sum of the squared deviations from the share. */
	double measured = s->hits2 - 2 * share * s->both + share * share * s->of2;
	double chance = s->of * share * (1 - share);

	return measured * s->batches / (s->batches - 1) / chance;
}

void share_interval(const uint64_t *hits, const uint64_t *of, size_t n, struct share_interval *ret)
{
	struct sums s = batch_sums(hits, of, n, 1);
	double samples = s.of, freedom = INFINITY;

	*ret = (struct share_interval){ .high = 1, .effect = 1 };
	if (samples <= 0)
		return;
	ret->share = s.hits / samples;
	for (int i = 0; i < SHARE_LEVELS && ret->share > 0 && ret->share < 1; i++) {
		double effect;

		s = batch_sums(hits, of, n, (size_t)1 << i);
		if (s.batches < (i ? SHARE_BATCHES : 2))
			break;
		effect = effect_of(&s, ret->share);
		if (effect <= ret->effect)
			continue;
		ret->effect = effect;
		freedom = s.batches - 1;
	}
	wilson(ret->share, samples / ret->effect, ret->effect > 1 ? quantile(freedom) : Z95, ret);
}
