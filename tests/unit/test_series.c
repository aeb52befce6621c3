/* SPDX-License-Identifier: BSD-2-Clause */
/* model/series: counts add up for any bin width and any order of times. */
#include "model/series.h"

#include <stdlib.h>

#include "tap.h"

enum { BINS = 8, ROWS = 5 };

static uint64_t sum(const struct series *s, uint32_t row, uint32_t *ret_cells)
{
	uint64_t weight, all = 0;
	uint32_t bin, last = UINT32_MAX, cells = 0;

	for (uint32_t pos = 0; series_each(s, row, &pos, &bin, &weight); cells++) {
		CHECK(bin < series_bins(s) && bin < last && weight);
		last = bin;
		all += weight;
	}
	if (ret_cells)
		*ret_cells = cells;
	return all;
}

TEST(one_bin)
{
	struct series *s = series_new(10, BINS);
	uint32_t row = 0, cells;

	CHECK_EQ(sum(s, row, &cells), 0);
	CHECK_EQ(cells, 0);
	CHECK_EQ(series_add(s, &row, 3), 0);
	CHECK_EQ(series_add(s, &row, 4), 0);
	CHECK_EQ(sum(s, row, &cells), 7);
	CHECK_EQ(cells, 1);
	CHECK_EQ(series_bins(s), 1);
	series_free(s);
}

TEST(any_order)
{
	static const uint64_t times[] = { 50, 10, 70, 30, 10, 79, 0 };
	struct series *s = series_new(10, BINS);
	uint32_t row = 0, cells;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		series_set_time(s, times[i]);
		CHECK_EQ(series_add(s, &row, 1), 0);
	}
	CHECK_EQ(sum(s, row, &cells), 7);
	CHECK_EQ(cells, 5);
	CHECK_EQ(series_bin_ns(s), 10);
	CHECK_EQ(series_bins(s), 8);
	series_free(s);
}

TEST(width_doubles)
{
	struct series *s = series_new(10, BINS);
	uint32_t rows[ROWS] = {}, cells;
	uint64_t wrote[ROWS] = {};

	srand(1);
	for (int i = 0; i < 10000; i++) {
		int row = rand() % ROWS;

		series_set_time(s, i);
		CHECK_EQ(series_add(s, &rows[row], 1 + i % 3), 0);
		wrote[row] += 1 + i % 3;
	}
	for (int i = 0; i < ROWS; i++) {
		CHECK_EQ(sum(s, rows[i], &cells), wrote[i]);
		CHECK(cells <= BINS);
	}
	CHECK_EQ(series_bin_ns(s), 1280);
	CHECK_EQ(series_bins(s), 8);
	series_free(s);
}

TEST(far_away)
{
	struct series *s = series_new(1000000000, 256);
	uint32_t row = 0;

	series_add(s, &row, 1);
	series_set_time(s, UINT64_MAX);
	series_add(s, &row, 1);
	CHECK_EQ(sum(s, row, NULL), 2);
	CHECK(series_bins(s) <= 256);
	series_free(s);
}
