/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do intervals hold the truth? Programs whose functions have known shares are sampled as krait samples (a rate that
 * changes every second, bins of a second), for a thousand windows each: so often must the interval of
 * 95 % hold the share, and so wide may it be, compared with that of independent samples.
 */
#include "model/share.h"

#include <math.h>
#include <stdlib.h>

#include "tap.h"

#include "load/rate.h"

enum { WINDOWS = 1000, SECONDS = 20, HZ = 99 };

/* Seconds into the cycle of a program; the function runs in the first part of each. */
struct program {
	const char *name;
	double cycle; /* seconds */
	bool random;  /* lengths of both parts are exponential */
};

static uint64_t seed = 88172645463325252;

static double uniform(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) * 0x1p-53;
}

struct phase {
	const struct program *p;
	double share, left; /* seconds until it changes */
	bool hit;
};

static double part_length(const struct phase *f)
{
	double mean = f->p->cycle * (f->hit ? f->share : 1 - f->share);

	return f->p->random ? -log(1 - uniform()) * mean : mean;
}

static void phase_begin(struct phase *f, const struct program *p, double share)
{
	*f = (struct phase){ .p = p, .share = share, .hit = uniform() < share };
	f->left = part_length(f);
	if (!p->random)
		f->left *= uniform();
}

static bool phase_after(struct phase *f, double seconds)
{
	while (seconds >= f->left) {
		seconds -= f->left;
		f->hit = !f->hit;
		f->left = part_length(f);
	}
	f->left -= seconds;
	return f->hit;
}

static void window(const struct program *p, double share, struct share_interval *ret)
{
	uint64_t hits[SECONDS] = {}, of[SECONDS] = {};
	uint32_t random = seed;
	struct share s = {};
	struct phase f;
	double at = 0;

	phase_begin(&f, p, share);
	for (int i = 0; i < SECONDS; i++) {
		double period = rate_period(1000000000 / HZ, &random) / 1e9;

		for (; at < i + 1; at += period) {
			hits[i] += phase_after(&f, period);
			of[i]++;
		}
		s.hits += hits[i];
		s.of += of[i];
	}
	share_add_thread(&s, hits, of, SECONDS);
	share_interval(&s, ret);
}

static double binomial_width(double share)
{
	return 2 * 1.96 * sqrt(share * (1 - share) / (SECONDS * HZ));
}

static void check_program(const struct program *p, bool width_counts)
{
	static const double shares[] = { 0.01, 0.05, 0.2, 0.5 };

	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		double share = shares[i], width = 0;
		int held = 0;

		for (int j = 0; j < WINDOWS; j++) {
			struct share_interval in;

			window(p, share, &in);
			held += in.low <= share && share <= in.high;
			width += (in.high - in.low) / WINDOWS;
		}
		width /= binomial_width(share);
		printf("# %s, %2.0f %%: held %.1f %% of the time, %.2f times as wide as binomial\n",
		       p->name, share * 100, held * 100.0 / WINDOWS, width);
		CHECK(held >= 0.93 * WINDOWS);
		CHECK(!width_counts || width <= 1.5);
	}
}

TEST(quick_phases)
{
	check_program(&(struct program){ "random phases, cycle of 20 ms", 0.02, true }, true);
}

TEST(periodic_phases)
{
	check_program(&(struct program){ "fixed phases, cycle of 37 ms", 0.037, false }, true);
}

TEST(locked_phases)
{
	check_program(&(struct program){ "phases at exactly the sampling rate", 1.0 / HZ, false },
		      true);
}

TEST(phases_at_100_hz)
{
	check_program(&(struct program){ "phases at 100 Hz", 0.01, false }, true);
}

TEST(slow_phases)
{
	check_program(&(struct program){ "random phases, cycle of 200 ms", 0.2, true }, false);
}
