/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8 validation by the table in the standard, independent of the code under test. */
#ifndef KRAIT_TEST_UTF8_H
#define KRAIT_TEST_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The length of the well-formed character at @p (Unicode, table 3-7); 0: not well-formed. */
static inline size_t utf8_character(const uint8_t *p, size_t len)
{
	static const struct {
		uint8_t lead_first, lead_last, second_first, second_last, len;
	} rows[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (p[0] < rows[i].lead_first || p[0] > rows[i].lead_last || rows[i].len > len)
			continue;
		if (rows[i].len > 1 && (p[1] < rows[i].second_first || p[1] > rows[i].second_last))
			return 0;
		for (size_t k = 2; k < rows[i].len; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].len;
	}
	return 0;
}

/* The number of characters; -1: not UTF-8. */
static inline long utf8_characters(const void *text, size_t bytes)
{
	const uint8_t *p = text;
	size_t at = 0;
	long n = 0;

	for (; at < bytes; n++) {
		size_t len = utf8_character(p + at, bytes - at);

		if (!len)
			return -1;
		at += len;
	}
	return n;
}

#endif
