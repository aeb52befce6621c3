/* SPDX-License-Identifier: BSD-2-Clause */
/* A character is a lead byte, with its length and its first bits, and continuation bytes of 6 bits each. */
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static const struct {
	uint8_t mask, lead, more;
	uint32_t min;
} forms[] = {
	{ 0x80, 0x00, 0, 0 },
	{ 0xe0, 0xc0, 1, 0x80 },
	{ 0xf0, 0xe0, 2, 0x800 },
	{ 0xf8, 0xf0, 3, 0x10000 },
};

/*
 * Unicode's Cc, Zl, Zp, Bidi_Control and Default_Ignorable_Code_Point (including code points that
 * are not assigned yet), and interlinear annotation marks.
 */
static const struct {
	uint32_t first, last;
	bool acts;
} controls[] = {
	{ 0, 0x1f, true },       /* C0 */
	{ 0x7f, 0x9f, true },    /* DEL, C1 */
	{ 0xad, 0xad, false },   /* soft hyphen */
	{ 0x34f, 0x34f, false }, /* combining grapheme joiner */
	{ 0x61c, 0x61c, false }, /* Arabic letter mark */
	{ 0x115f, 0x1160, false }, /* Hangul fillers: letters without a shape, like U+3164 and U+FFA0 */
	{ 0x17b4, 0x17b5, false }, /* invisible Khmer vowels */
	{ 0x180b, 0x180f, false }, /* Mongolian selectors and separator */
	{ 0x200b, 0x200f, false }, /* zero width; direction marks */
	{ 0x2028, 0x2029, true },  /* line and paragraph end */
	{ 0x202a, 0x202e, false }, /* direction embeddings and overrides */
	{ 0x2060, 0x206f, false }, /* joiners, invisible operators, direction isolates */
	{ 0x3164, 0x3164, false },   { 0xfe00, 0xfe0f, false }, /* variation selectors */
	{ 0xfeff, 0xfeff, false },                              /* byte order mark */
	{ 0xffa0, 0xffa0, false },   { 0xfff0, 0xfffb, false }, /* interlinear annotations */
	{ 0x1bca0, 0x1bca3, false },                            /* shorthand format controls */
	{ 0x1d173, 0x1d17a, false },                            /* musical beams, slurs */
	{ 0xe0000, 0xe0fff, false },                            /* tags, more variation selectors */
};

size_t utf8_next(const char *s, size_t len, uint32_t *ret)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t form = 0, i;
	uint32_t c;

	while (form < sizeof(forms) / sizeof(forms[0]) &&
	       (p[0] & forms[form].mask) != forms[form].lead)
		form++;
	if (form == sizeof(forms) / sizeof(forms[0]) || forms[form].more >= len)
		return 0;
	c = p[0] & (uint8_t)~forms[form].mask;
	for (i = 1; i <= forms[form].more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < forms[form].min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return i;
}

/* The index of its row, plus 1; 0: not in the table. Most text is below the third row. */
static size_t control_row(uint32_t c)
{
	if (c >= 0x20 && c < 0x7f)
		return 0;
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]) && c >= controls[i].first;
	     i++)
		if (c <= controls[i].last)
			return i + 1;
	return 0;
}

bool utf8_is_control(uint32_t c)
{
	return control_row(c);
}

bool utf8_acts(uint32_t c)
{
	size_t row = control_row(c);

	return row && controls[row - 1].acts;
}

int utf8_escape(char ret[static UTF8_ESCAPE], uint32_t c)
{
	static const char letters[] = "abtnvfr"; /* from 7 on */

	if (c >= 7 && c < 7 + strlen(letters))
		return snprintf(ret, UTF8_ESCAPE, "\\%c", letters[c - 7]);
	return snprintf(ret, UTF8_ESCAPE,
			c < 0x80      ? "\\x%02x"
			: c < 0x10000 ? "\\u%04x"
				      : "\\U%08x",
			c);
}

size_t utf8_show_next(char ret[static UTF8_ESCAPE], const char *s, size_t len)
{
	uint32_t c;
	size_t n = utf8_next(s, len, &c);

	if (!n)
		snprintf(ret, UTF8_ESCAPE, "\\x%02x", (uint8_t)*s);
	else if (utf8_is_control(c))
		utf8_escape(ret, c);
	else
		memcpy(mempcpy(ret, s, n), "", 1);
	return n ? n : 1;
}

void utf8_show(struct buf *out, const char *s, size_t len)
{
	char text[UTF8_ESCAPE];

	for (size_t i = 0; i < len;) {
		i += utf8_show_next(text, s + i, len - i);
		buf_str(out, text);
	}
}

size_t utf8_count(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

size_t utf8_bytes(const char *s, size_t n)
{
	size_t i = 0;

	for (size_t seen = 0; s && s[i]; i++)
		if ((s[i] & 0xc0) != 0x80 && n && seen++ == n)
			break;
	return i;
}
