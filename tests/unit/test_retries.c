/* SPDX-License-Identifier: BSD-2-Clause */
/* When a process is looked at again, and when no more. */
#include <errno.h>

#include "base/clock.h"
#include "session/retries.h"
#include "tap.h"

static const struct subject who = { .key = { .tgid = 7 }, .tid = 8, .comm = "gone" };
static const int64_t never = INT64_MAX;

TEST(nothing_waits)
{
	struct retries *r = retries_new();
	struct retry one;

	CHECK_EQ(retries_wait(r, 0), -1);
	CHECK(!retries_due(r, never, &one));
	retries_free(r);
	retries_free(NULL);
}

TEST(each_look_is_later_than_the_one_before)
{
	struct retries *r = retries_new();
	struct retry one = {};
	int64_t before = 0, start;

	for (int look = FIRST_LOOK; look < LAST_LOOK; look++) {
		start = clock_ns();
		CHECK_EQ(retries_add(r, &who, look, false), 0);
		CHECK(!retries_due(r, start, &one));
		CHECK(retries_wait(r, start) > before);
		before = retries_wait(r, start);
		CHECK(retries_due(r, never, &one));
		CHECK_EQ(one.look, look + 1);
		CHECK_EQ(one.who.key.tgid, 7);
		CHECK_EQ(one.who.tid, 8);
		CHECK(!one.who.comm && !one.program);
	}
	CHECK_EQ(retries_add(r, &who, LAST_LOOK, false), -ENOENT);
	CHECK_EQ(retries_wait(r, 0), -1);
	retries_free(r);
}

/* Ten seconds of looks that are at most 10 ms apart, then it is given up. */
TEST(an_expected_interpreter)
{
	struct retries *r = retries_new();
	int64_t longest = 0, all = 0, start, wait;
	struct retry one = { .look = EARLY_LOOK };

	while (!retries_add(r, &who, one.look, true)) {
		start = clock_ns();
		wait = retries_wait(r, start);
		longest = wait > longest ? wait : longest;
		all += wait;
		CHECK(retries_due(r, never, &one));
	}
	CHECK(longest <= 10000000);
	CHECK(all > 9000000000 && all < 11000000000);
	retries_free(r);
}

TEST(a_program)
{
	struct retries *r = retries_new();
	struct retry one = {};

	CHECK_EQ(retries_add_program(r, &who, EARLY_LOOK), 0);
	CHECK(retries_due(r, never, &one));
	CHECK(one.program);
	CHECK_EQ(one.look, FIRST_LOOK);
	CHECK_EQ(retries_add_program(r, &who, LAST_LOOK), 0);
	CHECK(!retries_due(r, never, &one));
	retries_free(r);
}

TEST(only_those_whose_time_has_come)
{
	struct retries *r = retries_new();
	struct retry one = {};
	int64_t start = clock_ns();
	int taken = 0;

	CHECK_EQ(retries_add(r, &who, LAST_LOOK - 1, false), 0); /* 300 ms */
	CHECK_EQ(retries_add(r, &who, FIRST_LOOK, false), 0);    /* 5 ms */
	CHECK_EQ(retries_add(r, &who, LAST_LOOK - 1, false), 0);
	while (retries_due(r, start + 250000000, &one))
		taken++;
	CHECK(taken <= 1); /* 0: it took so long to get here */
	while (retries_due(r, never, &one))
		taken++;
	CHECK_EQ(taken, 3);
	retries_free(r);
}
