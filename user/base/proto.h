/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protocol buffers' encoding, both ways. A message is a buffer of fields; a message inside of another
 * is written into a buffer of its own and added as bytes:
 *
 *	field = number << 3 | type, then	0: a varint, seven bits a byte, the lowest first
 *					1: eight bytes, here always a double
 *					2: a length, and so many bytes: text, message, packed varints
 *
 * Out of memory is found in buf->err. What is read may be anything: nothing is read past its end.
 */
#ifndef KRAIT_PROTO_H
#define KRAIT_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* --- writing: zeros and empty texts, which are what a reader takes for missing, are left out --- */

void proto_varint(struct buf *b, uint64_t v);
void proto_uint(struct buf *b, uint32_t field, uint64_t v);
void proto_double(struct buf *b, uint32_t field, double v);
void proto_str(struct buf *b, uint32_t field, const char *s);
/* Also where @len is 0: an element of a list counts. */
void proto_bytes(struct buf *b, uint32_t field, const void *data, size_t len);
/* Small for small numbers of either sign. */
uint64_t proto_zigzag(int64_t v);

/* --- reading ------------------------------------------------------------------------------------ */

/* What is left of a message; moves on with each call. */
struct proto {
	const uint8_t *at, *end;
};

struct proto_field {
	uint32_t number;
	uint64_t value;     /* a varint, or the bits of a double; 0 for bytes */
	struct proto bytes; /* empty for what are none */
};

/* 1 with @ret filled, 0 at the end, -EBADMSG. */
int proto_next(struct proto *p, struct proto_field *ret);
/* The same for one of packed varints. */
int proto_next_varint(struct proto *p, uint64_t *ret);
double proto_as_double(uint64_t bits);
int64_t proto_unzigzag(uint64_t v);

#endif
