/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "py/pystr.h"
#include "tap.h"
#include "utf8.h"

#define _buf_     _cleanup_(buf_done)
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define FFFD_UTF8 "\xef\xbf\xbd"

/* Converts from a block of the exact size, at an odd address. */
static void convert(struct buf *out, const void *data, size_t len, unsigned int kind)
{
	_free_ uint8_t *copy = malloc(len * kind + 1);

	memcpy(copy + 1, data, len * kind);
	pystr_utf8(out, copy + 1, len, kind);
}

TEST(ascii)
{
	_buf_ struct buf out = { 0 };

	convert(&out, "<module>", 8, 1);
	CHECK_STR(out.data, "<module>");
	CHECK_EQ(out.len, 8);
}

TEST(appends)
{
	_buf_ struct buf out = { 0 };

	buf_str(&out, "f: ");
	convert(&out, "ab", 2, 1);
	convert(&out, "\xe9", 1, 1);
	CHECK_STR(out.data, "f: ab\xc3\xa9");
}

TEST(latin1)
{
	static const uint8_t cafe[] = { 'c', 'a', 'f', 0xe9, '_', 0x80, 0xff };
	_buf_ struct buf out = { 0 };

	convert(&out, cafe, COUNT(cafe), 1);
	CHECK_STR(out.data, "caf\xc3\xa9_\xc2\x80\xc3\xbf");
}

TEST(ucs2)
{
	static const uint16_t name[] = { 'x', 0x7f, 0x80, 0x416, 0x7ff, 0x800, 0x65e5, 0xffff };
	_buf_ struct buf out = { 0 };

	convert(&out, name, COUNT(name), 2);
	CHECK_STR(out.data, "x\x7f\xc2\x80\xd0\x96\xdf\xbf\xe0\xa0\x80\xe6\x97\xa5\xef\xbf\xbf");
}

TEST(ucs4)
{
	static const uint32_t name[] = { 'x', 0xe9, 0x65e5, 0xffff, 0x10000, 0x1d4b3, 0x10ffff };
	_buf_ struct buf out = { 0 };

	convert(&out, name, COUNT(name), 4);
	CHECK_STR(out.data, "x\xc3\xa9\xe6\x97\xa5\xef\xbf\xbf\xf0\x90\x80\x80\xf0\x9d\x92\xb3"
			    "\xf4\x8f\xbf\xbf");
}

/* Undecodable bytes of a file name; a surrogate pair counts as two characters, not one. */
TEST(surrogates)
{
	static const uint16_t ucs2[] = { 0xd7ff, 0xd800, 0xdc80, 0xdfff, 0xe000 };
	static const uint32_t ucs4[] = { 0xdcff, 0x1f600, 0xd83d, 0xde00 };
	_buf_ struct buf out = { 0 };

	convert(&out, ucs2, COUNT(ucs2), 2);
	CHECK_STR(out.data, "\xed\x9f\xbf" FFFD_UTF8 FFFD_UTF8 FFFD_UTF8 "\xee\x80\x80");
	buf_clear(&out);
	convert(&out, ucs4, COUNT(ucs4), 4);
	CHECK_STR(out.data, FFFD_UTF8 "\xf0\x9f\x98\x80" FFFD_UTF8 FFFD_UTF8);
}

TEST(beyond_unicode)
{
	static const uint32_t data[] = { 0x110000, 0xffffffff, 0x80000000, 'a' };
	_buf_ struct buf out = { 0 };

	convert(&out, data, COUNT(data), 4);
	CHECK_STR(out.data, FFFD_UTF8 FFFD_UTF8 FFFD_UTF8 "a");
}

TEST(nul_is_a_character)
{
	_buf_ struct buf out = { 0 };

	convert(&out, "a\0b", 3, 1);
	CHECK_EQ(out.len, 3);
	CHECK(out.data && !memcmp(out.data, "a\0b", 3));
}

TEST(nothing_to_convert)
{
	static const unsigned int kinds[] = { 0, 3, 5, 8, 0xffffffff };
	_buf_ struct buf out = { 0 };

	for (size_t i = 0; i < COUNT(kinds); i++)
		pystr_utf8(&out, "abcdefgh", 1, kinds[i]);
	pystr_utf8(&out, NULL, 0, 1);
	pystr_utf8(&out, NULL, 0, 4);
	CHECK_EQ(out.len, 0);
	CHECK_EQ(out.err, 0);
}

static long characters(const struct buf *b)
{
	return utf8_characters(b->data, b->len);
}

TEST(every_code_point)
{
	for (uint32_t c = 0; c < 0x112000; c++) {
		_buf_ struct buf out = { 0 };

		pystr_utf8(&out, &c, 1, 4);
		if (characters(&out) != 1) {
			CHECK_EQ(c, 0xffffffffu);
			return;
		}
	}
}

TEST(random_bytes)
{
	static const unsigned int kinds[] = { 1, 2, 4 };
	enum { ROUNDS = 3000, LEN_MAX = 60 };
	uint8_t data[LEN_MAX * 4];
	uint64_t state = 1;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		_buf_ struct buf out = { 0 };
		size_t len = 1 + i % LEN_MAX;

		for (size_t k = 0; k < sizeof(data); k++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			data[k] = (uint8_t)(state >> 56);
		}
		convert(&out, data, len, kinds[i % COUNT(kinds)]);
		CHECK_EQ(characters(&out), (long)len);
	}
}
