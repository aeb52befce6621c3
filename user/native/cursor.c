/* SPDX-License-Identifier: BSD-2-Clause */
#include "native/cursor.h"

#include <string.h>

struct cursor cursor_open(const struct image *image, uint64_t at, uint64_t end)
{
	return (struct cursor){ .image = image, .next = at, .end = end, .bad = at > end };
}

uint64_t cursor_at(const struct cursor *c)
{
	return c->next - (c->stop - c->p);
}

uint64_t cursor_left(const struct cursor *c)
{
	return c->bad ? 0 : c->end - cursor_at(c);
}

void cursor_again(struct cursor *c)
{
	c->next = cursor_at(c);
	c->p = c->stop = NULL;
}

static void fail(struct cursor *c)
{
	cursor_again(c);
	c->bad = true;
}

/* Makes at least one byte available at p. */
static bool refill(struct cursor *c)
{
	size_t len;

	if (c->bad)
		return false;
	c->p = c->stop = NULL;
	if (c->next < c->end)
		c->p = image_at(c->image, c->next, &len);
	if (!c->p) {
		fail(c);
		return false;
	}
	if (len > c->end - c->next)
		len = c->end - c->next;
	c->stop = c->p + len;
	c->next += len;
	return true;
}

uint8_t cursor_refill(struct cursor *c)
{
	return refill(c) ? *c->p++ : 0;
}

uint64_t cursor_number(struct cursor *c, unsigned int size)
{
	uint64_t v = 0;

	if (size <= (size_t)(c->stop - c->p)) {
		memcpy(&v, c->p, size);
		c->p += size;
		return v;
	}
	for (unsigned int i = 0; i < size; i++)
		v |= (uint64_t)cursor_byte(c) << 8 * i;
	return c->bad ? 0 : v;
}

uint64_t cursor_long_uleb(struct cursor *c, uint8_t first)
{
	uint64_t v = first & 0x7f;
	uint8_t b;

	for (unsigned int shift = 7; shift < 64; shift += 7) {
		b = cursor_byte(c);
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return c->bad ? 0 : v;
	}
	fail(c);
	return 0;
}

int64_t cursor_sleb(struct cursor *c)
{
	uint64_t v = 0;
	uint8_t b;

	for (unsigned int shift = 0; shift < 64;) {
		b = cursor_byte(c);
		v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
		if (b & 0x80)
			continue;
		if (b & 0x40 && shift < 64)
			v |= -1ULL << shift;
		return c->bad ? 0 : (int64_t)v;
	}
	fail(c);
	return 0;
}

static uint64_t in_form(struct cursor *c, uint8_t form)
{
	switch (form) {
	case PE_ABSPTR:
	case PE_UDATA8:
	case PE_SDATA8:
		return cursor_number(c, 8);
	case PE_ULEB128:
		return cursor_uleb(c);
	case PE_SLEB128:
		return cursor_sleb(c);
	case PE_UDATA2:
		return cursor_number(c, 2);
	case PE_SDATA2:
		return (int16_t)cursor_number(c, 2);
	case PE_UDATA4:
		return cursor_number(c, 4);
	case PE_SDATA4:
		return (int32_t)cursor_number(c, 4);
	default:
		fail(c);
		return 0;
	}
}

uint64_t cursor_pointer(struct cursor *c, uint8_t encoding, uint64_t datarel)
{
	uint64_t at = cursor_at(c), v = in_form(c, encoding & PE_FORM);

	switch (encoding & ~PE_FORM) {
	case 0:
		return v;
	case PE_PCREL:
		return c->bad ? 0 : v + at;
	case PE_DATAREL:
		return c->bad ? 0 : v + datarel;
	default:
		fail(c);
		return 0;
	}
}

void cursor_skip(struct cursor *c, uint64_t n)
{
	if (n > cursor_left(c)) {
		fail(c);
		return;
	}
	if (n < (uint64_t)(c->stop - c->p)) {
		c->p += n;
		return;
	}
	c->next = cursor_at(c) + n;
	c->p = c->stop = NULL;
}
