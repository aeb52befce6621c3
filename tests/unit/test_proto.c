/* SPDX-License-Identifier: BSD-2-Clause */
/* base/proto: round trips, known bytes, and no reads beyond the end. */
#include "base/proto.h"

#include <errno.h>
#include <string.h>

#include "tap.h"

#include "base/cleanup.h"

#define _buf_ _cleanup_(buf_done) struct buf

static struct proto all(const struct buf *b)
{
	const uint8_t *at = (const uint8_t *)b->data;

	return (struct proto){ at, at + b->len };
}

TEST(known_bytes)
{
	_buf_ b = {};

	proto_uint(&b, 1, 150);
	proto_str(&b, 2, "testing");
	CHECK_EQ(b.len, 12);
	CHECK(!memcmp(b.data, "\x08\x96\x01\x12\x07testing", 12));
}

TEST(zeros_are_left_out_but_elements_are_not)
{
	_buf_ b = {};

	proto_uint(&b, 1, 0);
	proto_double(&b, 2, 0);
	proto_str(&b, 3, "");
	proto_str(&b, 3, NULL);
	CHECK_EQ(b.len, 0);
	proto_bytes(&b, 4, NULL, 0);
	CHECK_EQ(b.len, 2);
}

TEST(read_back)
{
	_buf_ b = {};
	struct proto p;
	struct proto_field f;

	proto_uint(&b, 1, UINT64_MAX);
	proto_double(&b, 16, -0.5);
	proto_bytes(&b, 2000, "a\0b", 3);
	p = all(&b);
	CHECK_EQ(proto_next(&p, &f), 1);
	CHECK(f.number == 1 && f.value == UINT64_MAX);
	CHECK_EQ(proto_next(&p, &f), 1);
	CHECK(f.number == 16 && proto_as_double(f.value) == -0.5);
	CHECK_EQ(proto_next(&p, &f), 1);
	CHECK(f.number == 2000 && f.bytes.end - f.bytes.at == 3 && !memcmp(f.bytes.at, "a\0b", 3));
	CHECK_EQ(proto_next(&p, &f), 0);
}

TEST(cut_anywhere_is_an_error_or_an_end)
{
	_buf_ b = {};
	struct proto_field f;

	proto_uint(&b, 3, 1 << 20);
	proto_double(&b, 4, 1.5);
	proto_bytes(&b, 5, "abc", 3);
	for (size_t len = 0; len < b.len; len++) {
		char *copy = malloc(len + 1);
		struct proto p = { (uint8_t *)copy, (uint8_t *)copy + len };
		int r;

		memcpy(copy, b.data, len);
		while ((r = proto_next(&p, &f)) == 1)
			;
		CHECK(r == 0 || r == -EBADMSG);
		CHECK(p.at <= p.end);
		free(copy);
	}
}

TEST(malformed)
{
	static const char *const bad[] = { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "\x00",
					   "\x0b", "\x0a\x05x", "\x0a\xff\xff\xff\xff\x0f" };
	static const size_t lens[] = { 10, 1, 1, 3, 6 };
	struct proto_field f;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct proto p = { (const uint8_t *)bad[i], (const uint8_t *)bad[i] + lens[i] };

		CHECK_EQ(proto_next(&p, &f), -EBADMSG);
	}
}

TEST(zigzag)
{
	static const int64_t values[] = { 0, -1, 1, INT64_MAX, INT64_MIN, -12345 };

	CHECK_EQ(proto_zigzag(-1), 1);
	CHECK_EQ(proto_zigzag(1), 2);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		CHECK_EQ(proto_unzigzag(proto_zigzag(values[i])), values[i]);
}
