/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads DWARF's numbers one after another from a range of an image. Past the end of the range, or
 * where the file cannot be read, every number is 0 and the cursor is bad, so that a caller checks
 * once after several reads.
 *
 * A cursor points into the image's cache: while it is in use, nothing else may read from that cache.
 * cursor_again() makes it usable after something did.
 */
#ifndef KRAIT_CURSOR_H
#define KRAIT_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "native/image.h"

struct cursor {
	const struct image *image;
	const uint8_t *p, *stop; /* what was read of the range, and not taken yet */
	uint64_t next;           /* address of the byte at stop */
	uint64_t end;            /* of the range */
	bool bad;
};

/* How a pointer is encoded: a byte of an augmentation, or of .eh_frame_hdr (LSB Core, "DWARF Extensions"). */
enum pointer_encoding {
	PE_ABSPTR = 0x00,
	PE_ULEB128 = 0x01,
	PE_UDATA2 = 0x02,
	PE_UDATA4 = 0x03,
	PE_UDATA8 = 0x04,
	PE_SLEB128 = 0x09,
	PE_SDATA2 = 0x0a,
	PE_SDATA4 = 0x0b,
	PE_SDATA8 = 0x0c,
	PE_FORM = 0x0f, /* mask */
	PE_PCREL = 0x10,
	PE_DATAREL = 0x30,
	PE_RELATION = 0x70, /* mask */
	PE_OMIT = 0xff,
};

/* The range from @at to @end. */
struct cursor cursor_open(const struct image *image, uint64_t at, uint64_t end);
void cursor_again(struct cursor *c);

/* Address of the next byte. */
uint64_t cursor_at(const struct cursor *c);
/* Bytes up to the end of the range. */
uint64_t cursor_left(const struct cursor *c);

/* Reads more of the range, and the next byte of it. For cursor_byte(). */
uint8_t cursor_refill(struct cursor *c);

static inline uint8_t cursor_byte(struct cursor *c)
{
	return __builtin_expect(c->p != c->stop, 1) ? *c->p++ : cursor_refill(c);
}

/* A little-endian number of @size bytes: 1, 2, 4 or 8. */
uint64_t cursor_number(struct cursor *c, unsigned int size);
/* The rest of a number after its first byte. For cursor_uleb(). */
uint64_t cursor_long_uleb(struct cursor *c, uint8_t first);

/* Numbers of variable length; one that does not fit into 64 bits makes the cursor bad. */
int64_t cursor_sleb(struct cursor *c);
static inline uint64_t cursor_uleb(struct cursor *c)
{
	uint8_t b = cursor_byte(c);

	return __builtin_expect(b < 0x80, 1) ? b : cursor_long_uleb(c, b);
}

/* @datarel: address that PE_DATAREL counts from. Other relations and indirect pointers are bad. */
uint64_t cursor_pointer(struct cursor *c, uint8_t encoding, uint64_t datarel);
void cursor_skip(struct cursor *c, uint64_t n);

#endif
