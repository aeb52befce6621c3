/* SPDX-License-Identifier: BSD-2-Clause */
/* base/strpool: ids, bytes that never move, and strings whose hashes collide. */
#include <stdint.h>
#include <stdlib.h>

#include "base/hmap.h"
#include "base/strpool.h"
#include "tap.h"

/* The same code again, with the worst possible hash. */
#undef KRAIT_STRPOOL_H
#define strpool_new   bad_new
#define strpool_free  bad_free
#define strpool_add   bad_add
#define strpool_str   bad_str
#define strpool_len   bad_len
#define strpool_bytes bad_bytes
#define strpool_count bad_count
#define hmap_hash     bad_hash

static uint64_t bad_hash(const void *data, size_t len, const uint64_t seed[2])
{
	return len % 2;
}

#include "base/strpool.c"

#undef strpool_new
#undef strpool_free
#undef strpool_add
#undef strpool_str
#undef strpool_len
#undef strpool_bytes
#undef strpool_count
#undef hmap_hash

/* Makes too large allocations return NULL under the sanitizer as well. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

TEST(empty_string_is_0)
{
	struct strpool *p = strpool_new();

	CHECK_EQ(strpool_add(p, "", 0), 0);
	CHECK_EQ(strpool_add(p, NULL, 0), 0);
	CHECK_STR(strpool_str(p, 0), "");
	CHECK_EQ(strpool_len(p, 0), 0);
	CHECK_EQ(strpool_add(p, "a", 1), 1);
	strpool_free(p);
	strpool_free(NULL);
}

TEST(equal_bytes_equal_ids)
{
	struct strpool *p = strpool_new();
	char copy[] = "frame";
	uint32_t id = strpool_add(p, "frame", 5);

	CHECK_EQ(strpool_count(p), id + 1);
	CHECK_EQ(strpool_add(p, copy, 5), id);
	CHECK_EQ(strpool_count(p), id + 1);
	CHECK(strpool_add(p, "frame", 4) != id);
	CHECK(strpool_add(p, "Frame", 5) != id);
	CHECK_EQ(strpool_add(p, "framework", 5), id);
	memset(copy, 'x', sizeof(copy));
	CHECK_STR(strpool_str(p, id), "frame");
	CHECK_EQ(strpool_len(p, id), 5);
	strpool_free(p);
}

TEST(holds_nuls)
{
	struct strpool *p = strpool_new();
	uint32_t a = strpool_add(p, "a\0b", 3), b = strpool_add(p, "a\0c", 3),
		 nul = strpool_add(p, "", 1);

	CHECK(a != b && a != nul && nul != 0);
	CHECK_EQ(strpool_len(p, a), 3);
	CHECK(!memcmp(strpool_str(p, b), "a\0c", 4));
	CHECK_EQ(strpool_len(p, nul), 1);
	strpool_free(p);
}

TEST(many_strings_stay_in_place)
{
	struct strpool *p = strpool_new();
	enum { N = 50000 };
	const char **at = calloc(N, sizeof(*at));
	unsigned int i, wrong = 0;
	char s[40];

	for (i = 0; i < N; i++) {
		snprintf(s, sizeof(s), "name_%u", i);
		wrong += strpool_add(p, s, strlen(s)) != i + 1;
		at[i] = strpool_str(p, i + 1);
	}
	for (i = 0; i < N; i++) {
		snprintf(s, sizeof(s), "name_%u", i);
		wrong += strpool_add(p, s, strlen(s)) != i + 1;
		wrong += strpool_str(p, i + 1) != at[i] || strcmp(at[i], s) != 0;
	}
	CHECK_EQ(wrong, 0);
	free(at);
	strpool_free(p);
}

TEST(long_strings)
{
	static const size_t lens[] = { 16383, 16384, 16385, 65535, 65536, 65537, 1 << 20 };
	struct strpool *p = strpool_new();
	char *s = malloc(1 << 20);
	uint32_t ids[7], small;
	size_t i;

	memset(s, 'x', 1 << 20);
	for (i = 0; i < 7; i++) {
		ids[i] = strpool_add(p, s, lens[i]);
		small = strpool_add(p, "small", 5);
		CHECK_STR(strpool_str(p, small), "small");
	}
	for (i = 0; i < 7; i++) {
		CHECK_EQ(strpool_add(p, s, lens[i]), ids[i]);
		CHECK_EQ(strpool_len(p, ids[i]), lens[i]);
		CHECK(!memcmp(strpool_str(p, ids[i]), s, lens[i]));
		CHECK_EQ(strpool_str(p, ids[i])[lens[i]], 0);
	}
	free(s);
	strpool_free(p);
}

/* 64 KiB hold 2 bytes, 4368 strings of 15 bytes, and 14 more bytes: one too few for a string. */
TEST(block_that_is_one_byte_short)
{
	struct strpool *p = strpool_new();
	unsigned int i, wrong = 0;
	char s[16];

	strpool_add(p, "x", 1);
	for (i = 0; i < 10000; i++) {
		snprintf(s, sizeof(s), "%014u", i);
		wrong += strpool_add(p, s, 14) != i + 2;
	}
	for (i = 0; i < 10000; i++)
		wrong += strtoul(strpool_str(p, i + 2), NULL, 10) != i;
	CHECK_EQ(wrong, 0);
	strpool_free(p);
}

TEST(too_long_is_refused)
{
	struct strpool *p = strpool_new();

	CHECK_EQ(strpool_add(p, "x", UINT32_MAX), UINT32_MAX);
	CHECK_EQ(strpool_add(p, "x", SIZE_MAX), UINT32_MAX);
	CHECK_EQ(strpool_add(p, "x", 1), 1);
	strpool_free(p);
}

TEST(colliding_hashes)
{
	struct strpool *p = bad_new();
	unsigned int i, wrong = 0, n = 500;
	char s[20];

	for (i = 0; i < n; i++) {
		snprintf(s, sizeof(s), "%u", i);
		wrong += bad_add(p, s, strlen(s)) != i + 1;
	}
	for (i = 0; i < n; i++) {
		snprintf(s, sizeof(s), "%u", i);
		wrong += bad_add(p, s, strlen(s)) != i + 1 || strcmp(bad_str(p, i + 1), s) != 0;
		wrong += bad_len(p, i + 1) != strlen(s);
	}
	CHECK_EQ(wrong, 0);
	bad_free(p);
}
