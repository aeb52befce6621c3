/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names and paths come from other processes and may contain any bytes; the output is always valid UTF-8 on a
 * single line (with TEXT_WHOLE, after the writer has escaped it).
 */
#include "format/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* Well-formed UTF-8 sequences by first byte (Unicode, table 3-7); later bytes are 80..bf. */
static const struct lead {
	unsigned char first, last;
	unsigned char second_first, second_last;
	unsigned char len;
} leads[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static const struct lead *find_lead(unsigned char c)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (c >= leads[i].first && c <= leads[i].last)
			return &leads[i];
	return NULL;
}

/* The length of the first character in bytes; if it is invalid, of the part that could have begun one. */
static size_t char_len(const unsigned char *s, size_t len, bool *valid)
{
	const struct lead *lead = find_lead(s[0]);
	size_t i = 1;

	*valid = s[0] < 0x80;
	if (!lead || len < 2 || s[1] < lead->second_first || s[1] > lead->second_last)
		return 1;
	for (i = 2; i < lead->len; i++)
		if (i >= len || s[i] < 0x80 || s[i] > 0xbf)
			return i;
	*valid = true;
	return i;
}

/* Appends one character, its escape, or U+FFFD. */
static void add_char(struct buf *b, const char *s, size_t len, bool valid, enum text_how how)
{
	char text[UTF8_ESCAPE];
	uint32_t c;

	if (!valid || !utf8_next(s, len, &c))
		buf_str(b, "\xef\xbf\xbd");
	else if (how == TEXT_SHOWN ? utf8_is_control(c) : how == TEXT_PRINTED && utf8_acts(c))
		buf_add(b, text, utf8_escape(text, c));
	else
		buf_add(b, s, len);
}

void text_add_as(struct buf *b, const char *s, size_t len, enum text_how how)
{
	const char *end = s + len;
	size_t start = b->len, n;
	bool valid;

	for (; s < end; s += n) {
		n = char_len((const unsigned char *)s, end - s, &valid);
		add_char(b, s, n, valid, how);
	}
	if (b->len == start)
		buf_char(b, '?');
}

void text_add(struct buf *b, const char *s, size_t len)
{
	for (; len && *s == ' '; len--)
		s++;
	while (len && s[len - 1] == ' ')
		len--;
	text_add_as(b, s, len, TEXT_SHOWN);
}
