/* SPDX-License-Identifier: BSD-2-Clause */
/* base/num: numbers as users type them. */
#include "base/num.h"

#include <errno.h>
#include <stdlib.h>

#include "tap.h"

enum { KEPT = 77 };

struct num_case {
	const char *text;
	uint64_t want;
	int err;
};

typedef int (*num_fn)(const char *, uint64_t, uint64_t, uint64_t *);

static void check_cases(const struct num_case *c, num_fn fn, uint64_t min, uint64_t max)
{
	for (; c->text; c++) {
		uint64_t got = KEPT;

		CHECK_EQ(fn(c->text, min, max, &got), c->err);
		CHECK_EQ(got, c->err ? KEPT : c->want);
	}
}

TEST(uint_bounds)
{
	static const struct num_case cases[] = {
		{ "5", 5, 0 },
		{ "10", 10, 0 },
		{ "007", 7, 0 },
		{ "4", 0, -ERANGE },
		{ "11", 0, -ERANGE },
		{ "", 0, -EINVAL },
		{ " 5", 0, -EINVAL },
		{ "5 ", 0, -EINVAL },
		{ "+5", 0, -EINVAL },
		{ "-5", 0, -EINVAL },
		{ "5k", 0, -EINVAL },
		{ "0x5", 0, -EINVAL },
		{ "5.0", 0, -EINVAL },
		{ "99999999999999999999999", 0, -ERANGE },
		{},
	};

	check_cases(cases, num_uint, 5, 10);
}

TEST(uint_whole_range)
{
	static const struct num_case cases[] = {
		{ "0", 0, 0 },
		{ "18446744073709551615", UINT64_MAX, 0 },
		{ "18446744073709551616", 0, -ERANGE },
		{},
	};

	check_cases(cases, num_uint, 0, UINT64_MAX);
}

TEST(size_suffixes)
{
	static const struct num_case cases[] = {
		{ "4096", 4096, 0 },
		{ "4k", 4096, 0 },
		{ "4K", 4096, 0 },
		{ "16M", 16 << 20, 0 },
		{ "1G", 1 << 30, 0 },
		{ "2G", 0, -ERANGE },
		{ "3k", 0, -ERANGE },
		{ "4kB", 0, -EINVAL },
		{ "k", 0, -EINVAL },
		{ "4 k", 0, -EINVAL },
		{ "4T", 0, -EINVAL },
		{ "18014398509481984G", 0, -ERANGE },
		{},
	};

	check_cases(cases, num_size, 4096, 1 << 30);
}

TEST(durations)
{
	static const struct num_case cases[] = {
		{ "10", 10000000000, 0 },
		{ "10s", 10000000000, 0 },
		{ "500ms", 500000000, 0 },
		{ "2m", 120000000000, 0 },
		{ "1h", 3600000000000, 0 },
		{ "unlimited", NUM_UNLIMITED, 0 },
		{ "0", 0, -ERANGE },
		{ "2h", 0, -ERANGE },
		{ "forever", 0, -EINVAL },
		{ "1.5s", 0, -EINVAL },
		{ "1d", 0, -EINVAL },
		{ "1h30m", 0, -EINVAL },
		{ "unlimited ", 0, -EINVAL },
		{ "99999999999999h", 0, -ERANGE },
		{},
	};

	check_cases(cases, num_duration, 1000000, 3600000000000);
}

TEST(list_of_numbers)
{
	num_vec got = {};

	CHECK_EQ(num_list("1,22,333", 1, 400, &got), 0);
	CHECK_EQ(num_list("4", 1, 400, &got), 0);
	CHECK_EQ(got.len, 4);
	if (got.len == 4) {
		CHECK_EQ(got.at[0], 1);
		CHECK_EQ(got.at[2], 333);
		CHECK_EQ(got.at[3], 4);
	}
	vec_done(&got);
}

TEST(list_refused)
{
	static const struct num_case cases[] = {
		{ "", 0, -EINVAL },     { ",", 0, -EINVAL },
		{ "1,", 0, -EINVAL },   { ",1", 0, -EINVAL },
		{ "1,,2", 0, -EINVAL }, { "1, 2", 0, -EINVAL },
		{ "1;2", 0, -EINVAL },  { "1-3", 0, -EINVAL },
		{ "1,5", 0, -ERANGE },  {},
	};
	const struct num_case *c;

	for (c = cases; c->text; c++) {
		num_vec got = {};

		CHECK_EQ(num_list(c->text, 1, 4, &got), c->err);
		vec_done(&got);
	}
}

TEST(text_reads_back)
{
	static const uint64_t sizes[] = { 0, 1, 1023, 1024, 4096, 1 << 20, 3 << 20, 1 << 30 };
	char text[NUM_TEXT_MAX];
	uint64_t got;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		num_size_text(sizes[i], text);
		CHECK_EQ(num_size(text, 0, UINT64_MAX, &got), 0);
		CHECK_EQ(got, sizes[i]);
	}
	num_size_text(4096, text);
	CHECK_STR(text, "4k");
	num_duration_text(90000000000, text);
	CHECK_STR(text, "90s");
	num_duration_text(7200000000000, text);
	CHECK_STR(text, "2h");
	num_duration_text(1500000000, text);
	CHECK_STR(text, "1500ms");
	num_duration_text(NUM_UNLIMITED, text);
	CHECK_STR(text, "unlimited");
}
