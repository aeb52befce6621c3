/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPython stores a str as an array of code points, all as wide as the widest one. The array comes
 * from a target: it may be unaligned in our buffer, and its values may not be valid code points.
 */
#include "py/pystr.h"

#include <string.h>

enum {
	REPLACEMENT = 0xfffd,
	SURROGATE_FIRST = 0xd800,
	SURROGATE_LAST = 0xdfff,
	CODE_POINT_LAST = 0x10ffff,
	UTF8_MAX = 4
};

static uint32_t code_point(const uint8_t *p, unsigned int kind)
{
	uint16_t ucs2;
	uint32_t ucs4;

	if (kind == 1)
		return *p;
	if (kind == 2) {
		memcpy(&ucs2, p, sizeof(ucs2));
		return ucs2;
	}
	memcpy(&ucs4, p, sizeof(ucs4));
	return ucs4;
}

static uint32_t valid_code_point(uint32_t c)
{
	if (c > CODE_POINT_LAST || (c >= SURROGATE_FIRST && c <= SURROGATE_LAST))
		return REPLACEMENT;
	return c;
}

/* Returns the number of bytes. */
static size_t encode(uint32_t c, uint8_t out[UTF8_MAX])
{
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = len - 1; i > 0; i--) {
		out[i] = 0x80 | (c & 0x3f);
		c >>= 6;
	}
	out[0] = lead[len] | (uint8_t)c;
	return len;
}

/* Bytes of ASCII at the start of @p. Most names are pure ASCII, which is UTF-8 already. */
static size_t ascii_prefix(const uint8_t *p, size_t len)
{
	size_t n = 0;

	while (n < len && p[n] < 0x80)
		n++;
	return n;
}

void pystr_utf8(struct buf *out, const void *data, size_t len, unsigned int kind)
{
	const uint8_t *p = data;
	uint8_t utf8[UTF8_MAX];
	size_t done = 0;

	if (kind != 1 && kind != 2 && kind != 4)
		return;
	if (kind == 1) {
		done = ascii_prefix(p, len);
		buf_add(out, p, done);
	}
	for (; done < len && !out->err; done++) {
		uint32_t c = valid_code_point(code_point(p + done * kind, kind));

		buf_add(out, utf8, encode(c, utf8));
	}
}
