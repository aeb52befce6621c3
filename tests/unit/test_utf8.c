/* SPDX-License-Identifier: BSD-2-Clause */
/* base/utf8: characters, which of them act on a terminal, and what is shown instead. */
#include "base/cleanup.h"
#include "base/err.h"
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

/* Stray, cut, overlong, surrogates, too large. */
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

TEST(invalid_characters)
{
	uint32_t c = 4711;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK_EQ(utf8_next(bad[i], strlen(bad[i]), &c), 0))
			printf("# number %zu\n", i);
	CHECK_EQ(c, 4711);
}

/* Bytes after the text must not complete a cut character. */
TEST(length_is_respected)
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
	shows("\xe2\x80\x8b\xe2\x81\xa0\xef\xbb\xbf\xc2\xad\xd8\x9c", 13,
	      "\\u200b\\u2060\\ufeff\\u00ad\\u061c");
	shows("\xff\xc3", 2, "\\xff\\xc3");
	shows("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
}

static uint32_t first_of(const char *s)
{
	uint32_t c = 0;

	utf8_next(s, strlen(s), &c);
	return c;
}

/* The limits of the invisible ranges, and their visible neighbours. */
TEST(invisible_characters)
{
	static const uint32_t hidden[] = {
		0,      0x1f,   0x7f,    0x9f,    0xad,    0x61c,   0x180e,  0x200b,
		0x200f, 0x2028, 0x202e,  0x2060,  0x2069,  0x206f,  0xfe0f,  0xfeff,
		0xfff9, 0xfffb, 0xe0000, 0xe0001, 0xe007f, 0xe01ef, 0xe0fff,
	};
	static const uint32_t seen[] = { ' ',    '~',    0xa0,   0xac,    0xae,    0x61b,   0x200a,
					 0x2010, 0x2027, 0x202f, 0x205f,  0x2070,  0xfe10,  0xfefe,
					 0xfffc, 0xfffd, 0x4e00, 0x1f600, 0xe1000, 0x10ffff };

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (!CHECK(utf8_is_control(hidden[i])))
			printf("# U+%04X\n", hidden[i]);
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		if (!CHECK(!utf8_is_control(seen[i])))
			printf("# U+%04X\n", seen[i]);
	CHECK(utf8_acts('\n') && utf8_acts(0x9b) && utf8_acts(first_of("\xe2\x80\xa8")));
	CHECK(!utf8_acts(0x202e) && !utf8_acts('a'));
}

/* A message may quote any text and stays one line; it is cut between characters. */
TEST(messages)
{
	struct err err = {};
	char many[sizeof(err.text)] = "";

	CHECK_EQ(err_set(&err, -22, "-o: '%s': %s", "a\n\xe2\x80\xae\x1b[2Jb",
			 "gr\xc3\xbc\xc3\x9f\xff"),
		 -22);
	CHECK_STR(err.text, "-o: 'a\\n\\u202e\\x1b[2Jb': gr\xc3\xbc\xc3\x9f\\xff");
	for (size_t i = 0; i + 3 < sizeof(many); i += 3)
		memcpy(many + i, "\xe2\x80\xae", 3);
	err_set(&err, -22, "%s", many);
	CHECK_EQ(strlen(err.text), 6 * ((sizeof(err.text) - 1) / 6));
}

TEST(count)
{
	CHECK_EQ(utf8_count(""), 0);
	CHECK_EQ(utf8_count("abc"), 3);
	CHECK_EQ(utf8_count("\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\x8d."), 4);
}
