/* SPDX-License-Identifier: BSD-2-Clause */
/* session/merge: no Python frame is lost or moved, and native frames are where they belong. */
#include "session/merge.h"

#include <stdlib.h>

#include "bpf/native.h"
#include "tap.h"

/*
 * Frames of the tests: Python frames are 1 to 99, native ones 100 and more, which stand for themselves in
 * the result; MARKER + reason is a marker.
 */
enum { HIDDEN = 200, LOOP = 300, MARKER = 1000 };

static enum merge_look look(void *ctx, uint64_t native, uint32_t *ret)
{
	*ret = native & NATIVE_FRAME_WHERE;
	return *ret >= LOOP ? MERGE_LOOP : *ret >= HIDDEN ? MERGE_HIDE : MERGE_SHOW;
}

static uint32_t marker(void *ctx, uint32_t end)
{
	return MARKER + end;
}

static const struct merge_ops ops = { look, marker, NULL };

#define PASSED(n)   ((uint64_t)(n) << NATIVE_FRAME_PASSED)
#define RUNS(n)     (NATIVE_FRAME_LOOP | PASSED(n) | LOOP)
#define REASON(why) (NATIVE_FRAME_ABSOLUTE | (why))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MERGE(c_frames, frames, ...)                                                               \
	{                                                                                          \
		.native = c_frames, .natives = COUNT(c_frames), .python = frames,                  \
		.pythons = COUNT(frames), __VA_ARGS__                                              \
	}

/* The result of a merge, compared with @want. */
static void check(const struct merge *m, const uint32_t *want, size_t n, uint32_t end)
{
	merge_frames out = {};
	uint32_t got = 99;

	CHECK_EQ(merge_stacks(m, &ops, &out, &got), 0);
	CHECK_EQ(got, end);
	CHECK_EQ(out.len, n);
	for (size_t i = 0; i < n && i < out.len; i++)
		CHECK_EQ(out.at[i], want[i]);
	vec_done(&out);
}

TEST(each_c_frame_of_the_loop_has_its_python_frames)
{
	static const uint64_t native[] = { 100, RUNS(2), 101 | PASSED(2), RUNS(3), 102 };
	static const uint32_t python[] = { 1, 2, 3 }, want[] = { 100, 1, 2, 101, 3 };
	const struct merge m = MERGE(native, python);

	check(&m, want, COUNT(want), 0);
}

TEST(the_start_of_the_interpreter_shows_if_asked_for)
{
	static const uint64_t native[] = { 100, RUNS(1), HIDDEN, 102 };
	static const uint32_t python[] = { 1 }, want[] = { 100, 1, HIDDEN, 102 };
	const struct merge m = MERGE(native, python, .all = true);

	check(&m, want, COUNT(want), 0);
}

TEST(a_loop_that_is_entered_or_left_is_no_frame)
{
	static const uint64_t native[] = { LOOP, 100, HIDDEN, RUNS(1) };
	static const uint32_t python[] = { 1 }, want[] = { 100, 1 };
	const struct merge m = MERGE(native, python);

	check(&m, want, COUNT(want), 0);
}

TEST(a_c_frame_that_was_not_seen_costs_no_python_frame)
{
	static const uint64_t native[] = { 100, RUNS(3) };
	static const uint32_t python[] = { 1, 2, 3, 4 }, want[] = { 100, 1, 2, 3, 4 };
	const struct merge m = MERGE(native, python);

	check(&m, want, COUNT(want), 0);
}

TEST(a_broken_walk_goes_on_behind_a_marker)
{
	static const uint64_t native[] = { 100,
					   NATIVE_FRAME_ABSOLUTE | 0x7f0000000000,
					   REASON(NATIVE_NO_FILE),
					   RUNS(1),
					   101,
					   RUNS(2) };
	static const uint32_t python[] = { 1, 2 },
			      want[] = { 100, MARKER + NATIVE_NO_FILE, 1, 101, 2 };
	const struct merge m = MERGE(native, python);

	check(&m, want, COUNT(want), NATIVE_NO_FILE);
}

TEST(a_walk_that_ends_leaves_the_python_frames)
{
	static const uint64_t native[] = { 100, RUNS(1), 101, REASON(NATIVE_UNREADABLE) };
	static const uint32_t python[] = { 1, 2, 3 },
			      want[] = { 100, 1, 101, MARKER + NATIVE_UNREADABLE, 2, 3 };
	const struct merge m = MERGE(native, python);

	check(&m, want, COUNT(want), NATIVE_UNREADABLE);
}

TEST(one_reason_twice_is_one_marker)
{
	static const uint64_t native[] = { REASON(NATIVE_NO_ROW), REASON(NATIVE_NO_ROW), RUNS(1) };
	static const uint32_t python[] = { 1 }, want[] = { MARKER + NATIVE_NO_ROW, 1 };
	const struct merge m = MERGE(native, python);

	check(&m, want, COUNT(want), NATIVE_NO_ROW);
}

TEST(frames_that_cannot_be_matched_are_left_out)
{
	static const uint64_t native[] = { 100, 101 };
	static const uint32_t python[] = { 1, 2 }, want[] = { MARKER + NATIVE_UNMATCHED, 1, 2 };
	const struct merge m = MERGE(native, python);

	check(&m, want, COUNT(want), NATIVE_UNMATCHED);
}

TEST(a_thread_without_python_frames_is_all_native)
{
	static const uint64_t native[] = { 100, HIDDEN, 101 };
	static const uint32_t python[] = { 9 }, want[] = { 100, 101, 9 };
	const struct merge m = MERGE(native, python, .marks = 1);

	check(&m, want, COUNT(want), 0);
}

TEST(numbers_beyond_the_python_frames_are_harmless)
{
	static const uint64_t native[] = { RUNS(8000), 100, RUNS(2), RUNS(0) };
	static const uint32_t python[] = { 1, 2 }, want[] = { 1, 2, 100 };
	const struct merge m = MERGE(native, python);

	check(&m, want, COUNT(want), 0);
}

/* --- up to 3.9 ---------------------------------------------------------------------------------- */

TEST(by_code_each_c_frame_has_one_python_frame)
{
	static const uint64_t native[] = { 100, RUNS(0), HIDDEN, RUNS(0), 101, RUNS(0), 102 };
	static const uint32_t python[] = { 1, 2, 3 }, want[] = { 100, 1, 2, 101, 3 };
	const struct merge m = MERGE(native, python, .by_code = true);

	check(&m, want, COUNT(want), 0);
}

TEST(by_code_the_innermost_may_have_none)
{
	static const uint64_t native[] = { RUNS(0), 100, RUNS(0), 101, RUNS(0) };
	static const uint32_t python[] = { 1, 2 }, want[] = { 100, 1, 101, 2 };
	const struct merge m = MERGE(native, python, .by_code = true);

	check(&m, want, COUNT(want), 0);
}

TEST(by_code_a_broken_walk_shows_python_alone)
{
	static const uint64_t native[] = { RUNS(0), 100, REASON(NATIVE_DEEP) };
	static const uint32_t python[] = { 1, 2 }, want[] = { MARKER + NATIVE_DEEP, 1, 2 };
	const struct merge m = MERGE(native, python, .by_code = true);

	check(&m, want, COUNT(want), NATIVE_DEEP);
}

TEST(by_code_other_numbers_do_not_match)
{
	static const uint64_t few[] = { 100, RUNS(0) },
			      many[] = { RUNS(0), RUNS(0), RUNS(0), RUNS(0) };
	static const uint32_t python[] = { 1, 2 }, want[] = { MARKER + NATIVE_UNMATCHED, 1, 2 };
	const struct merge m = MERGE(few, python, .by_code = true),
			   more = MERGE(many, python, .by_code = true);

	check(&m, want, COUNT(want), NATIVE_UNMATCHED);
	check(&more, want, COUNT(want), NATIVE_UNMATCHED);
}
