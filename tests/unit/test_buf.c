/* SPDX-License-Identifier: BSD-2-Clause */
/* base/buf: content and terminator at every size; an error lasts until the buffer is cleared. */
#include <errno.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "tap.h"

#define HUGE_SIZE ((size_t)1 << 60)

/* Makes too large allocations return NULL under the sanitizer as well. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

TEST(starts_empty)
{
	struct buf b = {};

	buf_done(&b);
	buf_clear(&b);
	buf_str(&b, "");
	CHECK_EQ(b.len, 0);
	CHECK_EQ(b.err, 0);
	CHECK_STR(b.data, "");
	buf_done(&b);
	CHECK(!b.data && !b.len && !b.cap);
}

TEST(appends_bytes)
{
	_cleanup_(buf_done) struct buf b = {};

	buf_str(&b, "ab");
	buf_char(&b, '\0');
	buf_add(&b, "cd\0e", 4);
	buf_add(&b, NULL, 0);
	CHECK_EQ(b.len, 7);
	CHECK(!memcmp(b.data, "ab\0cd\0e", 8));
}

TEST(is_terminated_at_every_length)
{
	_cleanup_(buf_done) struct buf b = {};
	size_t i;

	for (i = 0; i < 5000; i++) {
		buf_char(&b, 'a' + i % 26);
		if (b.len != i + 1 || b.data[i] != (char)('a' + i % 26) || b.data[i + 1])
			break;
	}
	CHECK_EQ(i, 5000);
	CHECK_EQ(strlen(b.data), 5000);
	CHECK_EQ(b.data[27], 'b');
}

TEST(printf_at_every_length)
{
	char want[300];
	int len;

	for (len = 0; len < 290; len++) {
		_cleanup_(buf_done) struct buf b = {};

		snprintf(want, sizeof(want), "x%*d|%s", len, 7, "end");
		buf_char(&b, 'x');
		buf_printf(&b, "%*d|%s", len, 7, "end");
		if (!CHECK_STR(b.data, want) || !CHECK_EQ(b.len, strlen(want)))
			break;
	}
}

TEST(printf_appends)
{
	_cleanup_(buf_done) struct buf b = {};
	int i;

	for (i = 0; i < 1000; i++)
		buf_printf(&b, "%03d,", i);
	CHECK_EQ(b.len, 4000);
	CHECK(!memcmp(b.data + 4 * 517, "517,518,", 8));
	CHECK_EQ(b.err, 0);
}

TEST(clear_keeps_memory)
{
	_cleanup_(buf_done) struct buf b = {};
	size_t cap;

	buf_str(&b, "something");
	cap = b.cap;
	buf_clear(&b);
	CHECK_EQ(b.len, 0);
	CHECK_EQ(b.cap, cap);
	CHECK_STR(b.data, "");
	buf_str(&b, "new");
	CHECK_STR(b.data, "new");
}

TEST(size_overflow_is_an_error)
{
	_cleanup_(buf_done) struct buf b = {};

	buf_str(&b, "kept");
	buf_add(&b, "x", SIZE_MAX - 2);
	CHECK_EQ(b.err, -ENOMEM);
	CHECK_STR(b.data, "kept");
}

TEST(error_persists)
{
	_cleanup_(buf_done) struct buf b = {};

	buf_str(&b, "kept");
	buf_add(&b, "x", HUGE_SIZE);
	CHECK_EQ(b.err, -ENOMEM);
	buf_str(&b, "more");
	buf_char(&b, '!');
	buf_printf(&b, "%d", 1);
	CHECK_EQ(b.len, 4);
	CHECK_STR(b.data, "kept");
	CHECK_EQ(b.err, -ENOMEM);
	buf_clear(&b);
	CHECK_EQ(b.err, 0);
	buf_str(&b, "again");
	CHECK_STR(b.data, "again");
}

TEST(error_of_an_empty_buffer)
{
	_cleanup_(buf_done) struct buf b = {};

	buf_add(&b, "x", HUGE_SIZE);
	buf_printf(&b, "%d", 1);
	buf_str(&b, "x");
	CHECK_EQ(b.err, -ENOMEM);
	CHECK(!b.data && !b.len);
}
