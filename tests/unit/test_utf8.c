/* SPDX-License-Identifier: BSD-2-Clause */
/* base/utf8: what is a character, what acts on a terminal, and what is shown instead. */
#include "base/cleanup.h"
#include "base/utf8.h"
#include "tap.h"

static const struct {
	const char *bytes;
	size_t len;
	uint32_t c;
} good[] = {
	{ "a", 1, 'a' },
	{ "\x7f", 1, 0x7f },
	{ "\xc2\x80", 2, 0x80 },
	{ "\xdf\xbf", 2, 0x7ff },
	{ "\xe0\xa0\x80", 3, 0x800 },
	{ "\xed\x9f\xbf", 3, 0xd7ff },
	{ "\xee\x80\x80", 3, 0xe000 },
	{ "\xef\xbf\xbf", 3, 0xffff },
	{ "\xf0\x90\x80\x80", 4, 0x10000 },
	{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
};

/* Stray, cut, longer than needed, surrogates, too large. */
static const char *const bad[] = {
	"\x80",
	"\xbf",
	"\xc2",
	"\xc2\x41",
	"\xe2\x82",
	"\xe2\x82\x41",
	"\xf0\x9f\x98",
	"\xc0\x80",
	"\xc1\xbf",
	"\xe0\x9f\xbf",
	"\xed\xa0\x80",
	"\xed\xbf\xbf",
	"\xf0\x8f\xbf\xbf",
	"\xf4\x90\x80\x80",
	"\xf8\x88\x80\x80\x80",
	"\xff",
	"\xfe",
};

TEST(characters)
{
	uint32_t c;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		c = 0;
		CHECK_EQ(utf8_next(good[i].bytes, good[i].len, &c), good[i].len);
		CHECK_EQ(c, good[i].c);
	}
	CHECK_EQ(utf8_next("", 1, &c), 1);
	CHECK_EQ(c, 0);
}

TEST(what_is_no_character)
{
	uint32_t c = 4711;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK_EQ(utf8_next(bad[i], strlen(bad[i]), &c), 0))
			printf("# number %zu\n", i);
	CHECK_EQ(c, 4711);
}

/* A cut character is not completed by what lies behind the text. */
TEST(length_is_kept)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		_free_ char *copy = malloc(good[i].len);
		uint32_t c;

		memcpy(copy, good[i].bytes, good[i].len);
		for (size_t len = 1; len < good[i].len; len++)
			CHECK_EQ(utf8_next(copy, len, &c), 0);
	}
}

static void shows(const char *text, size_t len, const char *want)
{
	_cleanup_(buf_done) struct buf out = {};

	utf8_show(&out, text, len);
	CHECK_STR(out.data, want);
}

TEST(shown)
{
	shows("plain \\ \"text\"", 14, "plain \\ \"text\"");
	shows("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x8d", 15,
	      "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x8d");
	shows("\a\b\t\n\v\f\r", 7, "\\a\\b\\t\\n\\v\\f\\r");
	shows("\0\x1b[31m\x7f", 7, "\\x00\\x1b[31m\\x7f");
	shows("\xc2\x9b", 2, "\\u009b"); /* a terminal's CSI in one character */
	shows("a\xe2\x80\xae"
	      "b\xe2\x81\xa6",
	      8, "a\\u202eb\\u2066");
	shows("\xf3\xa0\x81\x81", 4, "\\U000e0041");
	shows("\xff\xc3", 2, "\\xff\\xc3");
	shows("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
}

TEST(count)
{
	CHECK_EQ(utf8_count(""), 0);
	CHECK_EQ(utf8_count("abc"), 3);
	CHECK_EQ(utf8_count("\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\x8d."), 4);
}
