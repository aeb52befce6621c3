/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do intervals contain the true share? Programs whose functions have known shares are sampled as
 * krait does it (a rate that changes every second, or the steady rate of wall-clock mode;
 * one-second bins), in a thousand windows each. Checked are the number of windows whose 95 %
 * interval contains the true share, and the width of the intervals compared with that of
 * independent samples.
 */
#include "model/share.h"

#include <math.h>
#include <stdlib.h>

#include "tap.h"

#include "load/rate.h"

enum { WINDOWS = 1000, SECONDS = 20, HZ = 99 };

/* A program whose function runs in the first part of each cycle. */
struct program {
	const char *name;
	double cycle; /* seconds */
	bool random;  /* both parts have exponentially distributed lengths */
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
	double share, left; /* seconds until the phase changes */
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

/* Adds one thread's samples to each second of the window. */
typedef void thread_fn(const struct program *p, double share, uint64_t *hits, uint64_t *of);

static void on_changing_rate(const struct program *p, double share, uint64_t *hits, uint64_t *of)
{
	uint32_t random = seed;
	struct phase f;
	double at = 0;

	phase_begin(&f, p, share);
	for (int i = 0; i < SECONDS; i++) {
		double period = rate_period(1000000000 / HZ, &random) / 1e9;

		for (; at < i + 1; at += period) {
			hits[i] += phase_after(&f, period);
			of[i]++;
		}
	}
}

static void on_steady_rate(const struct program *p, double share, uint64_t *hits, uint64_t *of)
{
	const double period = 1 / rate_steady(HZ);
	double at = uniform() * period;
	struct phase f;

	phase_begin(&f, p, share);
	for (; at < SECONDS; at += period) {
		hits[(int)at] += phase_after(&f, period);
		of[(int)at]++;
	}
}

static double binomial_width(double share)
{
	return 2 * 1.96 * sqrt(share * (1 - share) / (SECONDS * HZ));
}

/* Returns the number of windows whose interval contained the share. */
static int windows(thread_fn *thread, const struct program *p, double share, double *width)
{
	int held = 0;

	*width = 0;
	for (int i = 0; i < WINDOWS; i++) {
		uint64_t hits[SECONDS] = {}, of[SECONDS] = {};
		struct share_interval in;

		thread(p, share, hits, of);
		share_interval(hits, of, SECONDS, &in);
		held += in.low <= share && share <= in.high;
		*width += (in.high - in.low) / WINDOWS;
	}
	*width /= binomial_width(share);
	return held;
}

static void check_windows(thread_fn *thread, const struct program *p, double widest)
{
	static const double shares[] = { 0.01, 0.05, 0.2, 0.5 };

	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		double width;
		int held = windows(thread, p, shares[i], &width);

		printf("# %s, %2.0f %%: held %.1f %% of the time, %.2f times as wide as binomial\n",
		       p->name, shares[i] * 100, held * 100.0 / WINDOWS, width);
		CHECK(held >= 0.93 * WINDOWS);
		CHECK(width <= widest);
	}
}

static void check_program(const struct program *p, bool width_counts)
{
	check_windows(on_changing_rate, p, width_counts ? 1.5 : INFINITY);
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

/* --- the steady rate of wall-clock mode ------------------------------------------------------- */

TEST(steady_random)
{
	check_windows(on_steady_rate,
		      &(struct program){ "steady, random phases, cycle of 20 ms", 0.02, true },
		      1.5);
	check_windows(on_steady_rate,
		      &(struct program){ "steady, random phases, cycle of 2 s", 2, true },
		      INFINITY);
}

/*
 * Rates at which programs often repeat. The more phases a rate has in common with 99 Hz, the wider
 * the interval may be.
 */
TEST(steady_periodic)
{
	static const struct {
		double hz, widest;
	} rates[] = { { 1, 1.5 },  { 3, 1.5 }, { 10, 1.5 }, { 33, 4 },
		      { 60, 1.5 }, { 99, 9 },  { 100, 3 },  { 1000, 1.5 } };

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		char name[32];

		snprintf(name, sizeof(name), "steady, phases at %.0f Hz", rates[i].hz);
		check_windows(on_steady_rate, &(struct program){ name, 1 / rates[i].hz, false },
			      rates[i].widest);
	}
}

/* --- several threads -------------------------------------------------------------------------- */

enum { THREADS = 8 };

/* All threads do the same at the same time, because they wait for each other. */
static void in_step(const struct program *p, double share, uint64_t *hits, uint64_t *of)
{
	on_steady_rate(p, share, hits, of);
	for (int i = 0; i < SECONDS; i++) {
		hits[i] *= THREADS;
		of[i] *= THREADS;
	}
}

/*
 * One thread runs the function in its phases and sleeps between them; the others run other
 * functions all the time.
 */
static void beside_busy(const struct program *p, double share, uint64_t *hits, uint64_t *of)
{
	uint64_t all[SECONDS] = {};
	double runs = 0.5;

	on_changing_rate(p, runs, hits, all);
	for (int i = 0; i < SECONDS; i++)
		of[i] += hits[i] + llround(HZ * runs * (1 - share) / share);
}

static void each_for_itself(const struct program *p, double share, uint64_t *hits, uint64_t *of)
{
	for (int i = 0; i < THREADS; i++)
		on_steady_rate(p, share, hits, of);
}

TEST(threads)
{
	check_windows(in_step, &(struct program){ "threads in step, cycle of 200 ms", 0.2, true },
		      INFINITY);
	check_windows(beside_busy,
		      &(struct program){ "an intermittent thread, cycle of 400 ms", 0.4, true },
		      INFINITY);
	check_windows(each_for_itself,
		      &(struct program){ "independent threads, cycle of 20 ms", 0.02, true },
		      1.5 / sqrt(THREADS));
}
