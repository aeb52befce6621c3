/* SPDX-License-Identifier: BSD-2-Clause */
/* base/vec: growth, order, and sizes that are too large. */
#include <stdint.h>
#include <stdlib.h>

#include "base/vec.h"
#include "tap.h"

struct point {
	uint64_t x, y, z;
};

/* Makes too large allocations return NULL under the sanitizer as well. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

TEST(empty)
{
	VEC(int) v = {};
	int *it, seen = 0;

	vec_each (&v, it)
		seen++;
	CHECK_EQ(seen, 0);
	vec_done(&v);
	CHECK(!v.at && !v.len && !v.cap);
}

TEST(keeps_order_and_values)
{
	VEC(struct point) v = {};
	const struct point *it;
	uint64_t i, n = 0;

	for (i = 0; i < 10000; i++)
		if (!CHECK_EQ(vec_push(&v, ((struct point){ i, i * 2, ~i })), 0))
			break;
	CHECK_EQ(v.len, 10000);
	CHECK(v.cap >= v.len);
	vec_each (&v, it) {
		if (it->x != n || it->y != n * 2 || it->z != ~n)
			break;
		n++;
	}
	CHECK_EQ(n, 10000);
	vec_done(&v);
	CHECK(!v.at && !v.len && !v.cap);
}

TEST(evaluates_the_value_once)
{
	VEC(int) v = {};
	int next = 5;

	vec_push(&v, next++);
	vec_push(&v, next++);
	CHECK_EQ(v.at[0], 5);
	CHECK_EQ(v.at[1], 6);
	CHECK_EQ(next, 7);
	vec_done(&v);
}

TEST(grows_in_steps)
{
	VEC(char) v = {};
	size_t i, grown = 0, cap = 0;

	for (i = 0; i < 100000; i++) {
		vec_push(&v, (char)i);
		grown += v.cap != cap;
		cap = v.cap;
	}
	CHECK(grown < 20);
	vec_done(&v);
}

TEST(reserve_does_not_shrink)
{
	VEC(int) v = {};
	int *at;

	CHECK_EQ(vec_reserve_((void **)&v.at, &v.cap, 100, sizeof(int)), 0);
	CHECK(v.cap >= 100);
	at = v.at;
	CHECK_EQ(vec_reserve_((void **)&v.at, &v.cap, 3, sizeof(int)), 0);
	CHECK(v.at == at);
	CHECK(v.cap >= 100);
	vec_done(&v);
}

TEST(sizes_that_do_not_fit)
{
	static const size_t needs[] = { SIZE_MAX, SIZE_MAX / 2 + 2, SIZE_MAX / sizeof(int),
					(size_t)1 << 60 };
	VEC(int) v = {};
	size_t i, cap;

	vec_push(&v, 42);
	cap = v.cap;
	for (i = 0; i < sizeof(needs) / sizeof(*needs); i++) {
		CHECK_EQ(vec_reserve_((void **)&v.at, &v.cap, needs[i], sizeof(int)), -ENOMEM);
		CHECK_EQ(v.cap, cap);
		CHECK_EQ(v.at[0], 42);
	}
	vec_done(&v);
}
