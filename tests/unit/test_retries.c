/* SPDX-License-Identifier: BSD-2-Clause */
/* session/retries: when a process is examined again, and when it is given up. */
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

TEST(intervals_grow)
{
	struct retries *r = retries_new();
	struct retry one = {};
	int64_t before = 0, start;

	for (int look = FIRST_LOOK; look < LAST_LOOK; look++) {
		start = clock_ns();
		CHECK_EQ(retries_add(r, &who, look, RETRY_NONE), 0);
		CHECK(!retries_due(r, start, &one));
		CHECK(retries_wait(r, start) > before);
		before = retries_wait(r, start);
		CHECK(retries_due(r, never, &one));
		CHECK_EQ(one.look, look + 1);
		CHECK_EQ(one.who.key.tgid, 7);
		CHECK_EQ(one.who.tid, 8);
		CHECK(!one.who.comm && !one.program && !one.again);
	}
	CHECK_EQ(retries_add(r, &who, LAST_LOOK, RETRY_NONE), -ENOENT);
	CHECK_EQ(retries_wait(r, 0), -1);
	retries_free(r);
}

/* Looks that are at most 10 ms apart, for ten seconds; then the process is given up. */
TEST(an_expected_interpreter)
{
	struct retries *r = retries_new();
	int64_t longest = 0, all = 0, start, wait;
	struct retry one = { .look = EARLY_LOOK };

	while (!retries_add(r, &who, one.look, RETRY_EXPECTED)) {
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

/*
 * A loader under load gets at least 300 ms, the first look after at most half a millisecond. A
 * process that started long ago gets no further look.
 */
TEST(doubtful_answer)
{
	struct retries *r = retries_new();
	struct retry one = { .look = EARLY_LOOK };
	int64_t all = 0, start, wait;

	CHECK_EQ(retries_add(r, &who, ONLY_LOOK, RETRY_DOUBT), -ENOENT);
	while (!retries_add(r, &who, one.look, RETRY_DOUBT)) {
		start = clock_ns();
		wait = retries_wait(r, start);
		CHECK(all || wait <= 500000);
		all += wait;
		CHECK(retries_due(r, never, &one));
	}
	CHECK(all > 300000000 && all < 1000000000);
	retries_free(r);
}

/* The intervals grow to a minute. Doubts after the first eleven start no timer. */
TEST(lasting_doubt)
{
	struct retries *r = retries_new();
	struct retry one;
	uint32_t last = 0;
	int n = 0;

	for (uint32_t doubts = 0; doubts < 100; doubts++) {
		CHECK(retries_doubt_ms(doubts) >= last && retries_doubt_ms(doubts) <= 60000);
		CHECK(doubts > 10 || retries_doubt_ms(doubts) > last);
		last = retries_doubt_ms(doubts);
		CHECK_EQ(retries_add_again(r, &who, doubts), 0);
	}
	while (retries_due(r, never, &one)) {
		CHECK(one.again && !one.program);
		n++;
	}
	CHECK(n > 5 && n < 20);
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

TEST(only_due_retries_are_taken)
{
	struct retries *r = retries_new();
	struct retry one = {};
	int64_t start = clock_ns();
	int taken = 0;

	CHECK_EQ(retries_add(r, &who, LAST_LOOK - 1, RETRY_NONE), 0); /* 300 ms */
	CHECK_EQ(retries_add(r, &who, FIRST_LOOK, RETRY_NONE), 0);    /* 5 ms */
	CHECK_EQ(retries_add(r, &who, LAST_LOOK - 1, RETRY_NONE), 0);
	while (retries_due(r, start + 250000000, &one))
		taken++;
	CHECK(taken <= 1); /* 0: this machine was too slow */
	while (retries_due(r, never, &one))
		taken++;
	CHECK_EQ(taken, 3);
	retries_free(r);
}
