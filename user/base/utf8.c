/* SPDX-License-Identifier: BSD-2-Clause */
/* A character is a lead byte, which says how many follow and holds the first bits, and 6 bits each. */
#include "base/utf8.h"

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

static const struct {
	uint32_t first, last;
} controls[] = {
	{ 0, 0x1f },          { 0x7f, 0x9f },     /* C0, DEL, C1 */
	{ 0x61c, 0x61c },     { 0x200e, 0x200f }, /* marks of direction */
	{ 0x2028, 0x202e },   /* line and paragraph end; embedding and override of direction */
	{ 0x2066, 0x2069 },   /* isolation of direction */
	{ 0xe0000, 0xe007f }, /* tags, never seen */
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

bool utf8_is_control(uint32_t c)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if (c >= controls[i].first && c <= controls[i].last)
			return true;
	return false;
}

static void show_control(struct buf *out, uint32_t c)
{
	static const char letters[] = "abtnvfr"; /* from 7 on */

	if (c >= 7 && c < 7 + strlen(letters))
		buf_printf(out, "\\%c", letters[c - 7]);
	else
		buf_printf(out, c < 0x80 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

void utf8_show(struct buf *out, const char *s, size_t len)
{
	uint32_t c;
	size_t n;

	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = utf8_next(s + i, len - i, &c);
		if (!n)
			buf_printf(out, "\\x%02x", (uint8_t)s[i]);
		else if (utf8_is_control(c))
			show_control(out, c);
		else
			buf_add(out, s + i, n);
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
