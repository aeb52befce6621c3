/* SPDX-License-Identifier: BSD-2-Clause */
/* model/stacks: equal stacks are one node, and the numbering that writers rely on. */
#include "model/stacks.h"

#include "tap.h"

#include "base/cleanup.h"

#define _stacks_ _cleanup_(stacks_freep) struct stacks

TEST(empty_tree_is_the_root)
{
	_stacks_ *s = stacks_new();

	CHECK_EQ(stacks_count(s), 1);
	CHECK_EQ(stacks_depth(s, STACKS_ROOT), 0);
	CHECK_EQ(stacks_parent(s, STACKS_ROOT), STACKS_ROOT);
	CHECK_EQ(stacks_frame(s, STACKS_ROOT), 0);
}

TEST(equal_stacks_are_one_node)
{
	_stacks_ *s = stacks_new();
	uint32_t a = stacks_push(s, STACKS_ROOT, 10);
	uint32_t ab = stacks_push(s, a, 20);

	CHECK_EQ(a, 1);
	CHECK_EQ(ab, 2);
	CHECK_EQ(stacks_push(s, STACKS_ROOT, 10), a);
	CHECK_EQ(stacks_push(s, a, 20), ab);
	CHECK_EQ(stacks_count(s), 3);
	CHECK_EQ(stacks_parent(s, ab), a);
	CHECK_EQ(stacks_frame(s, ab), 20);
	CHECK_EQ(stacks_depth(s, ab), 2);
}

TEST(parent_and_frame_both_count)
{
	_stacks_ *s = stacks_new();
	uint32_t a = stacks_push(s, STACKS_ROOT, 1);
	uint32_t b = stacks_push(s, STACKS_ROOT, 2);

	CHECK(a != b);
	CHECK(stacks_push(s, a, 2) != stacks_push(s, b, 1));
	CHECK(stacks_push(s, a, 3) != stacks_push(s, b, 3));
}

TEST(frames_are_any_number)
{
	_stacks_ *s = stacks_new();
	uint32_t zero = stacks_push(s, STACKS_ROOT, 0);
	uint32_t max = stacks_push(s, zero, UINT32_MAX);

	CHECK(zero != STACKS_ROOT);
	CHECK_EQ(stacks_frame(s, zero), 0);
	CHECK_EQ(stacks_frame(s, max), UINT32_MAX);
	CHECK_EQ(stacks_push(s, zero, UINT32_MAX), max);
}

TEST(failure_is_passed_on)
{
	_stacks_ *s = stacks_new();

	CHECK_EQ(stacks_push(s, STACKS_NONE, 7), STACKS_NONE);
	CHECK_EQ(stacks_count(s), 1);
}

#define MANY 300000u

/* Every node has two children: 2k + 1 and 2k + 2. */
TEST(many_nodes_keep_their_numbers)
{
	_stacks_ *s = stacks_new();
	uint32_t wrong = 0;

	for (uint32_t i = 1; i < MANY; i++)
		wrong += stacks_push(s, (i - 1) / 2, i * 2654435761u) != i;
	for (uint32_t i = 1; i < MANY; i++) {
		wrong += stacks_push(s, (i - 1) / 2, i * 2654435761u) != i;
		wrong += stacks_parent(s, i) != (i - 1) / 2 || stacks_parent(s, i) >= i;
		wrong += stacks_frame(s, i) != i * 2654435761u;
	}
	CHECK_EQ(wrong, 0);
	CHECK_EQ(stacks_count(s), MANY);
	CHECK_EQ(stacks_depth(s, MANY - 1), 18);
}

TEST(deep_stack)
{
	_stacks_ *s = stacks_new();
	uint32_t node = STACKS_ROOT;

	for (int i = 0; i < 100000; i++)
		node = stacks_push(s, node, 5);
	CHECK_EQ(stacks_depth(s, node), 100000);
}
