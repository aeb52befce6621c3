/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/share.h"

#include <math.h>

#define Z95 1.959964

/* Sums over the batches of a thread that have samples. */
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

void share_add_thread(struct share *s, const uint64_t *hits, const uint64_t *of, size_t n)
{
	for (int level = 0; level < SHARE_LEVELS; level++) {
		const struct sums b = batch_sums(hits, of, n, (size_t)1 << level);
		double r, measured;

		if (b.batches < (level ? SHARE_BATCHES : 2))
			return;
		r = b.hits / b.of;
		/* Deviations from the thread's share, squared, summed. */
		measured = b.hits2 - 2 * r * b.both + r * r * b.of2;
		measured *= b.batches / (b.batches - 1);
		s->excess[level] += measured - b.of * r * (1 - r);
		s->freedom[level] += b.batches - 1;
	}
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

void share_interval(const struct share *s, struct share_interval *ret)
{
	double share, chance, freedom = INFINITY;

	*ret = (struct share_interval){ .high = 1, .effect = 1 };
	if (s->of <= 0)
		return;
	share = ret->share = s->hits / s->of;
	chance = s->of * share * (1 - share);
	for (int i = 0; i < SHARE_LEVELS && chance > 0; i++) {
		double effect = 1 + s->excess[i] / chance;

		if (effect <= ret->effect)
			continue;
		ret->effect = effect;
		freedom = s->freedom[i];
	}
	wilson(share, s->of / ret->effect, ret->effect > 1 ? quantile(freedom) : Z95, ret);
}
