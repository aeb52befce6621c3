/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Encodes and decodes protocol buffers. A message is a buffer of fields; a nested message is
 * written into its own buffer and added as bytes:
 *
 *	field = number << 3 | type, then	0: a varint, seven bits a byte, the lowest first
 *					1: eight bytes, here always a double
 *					2: a length and that many bytes: text, message, packed varints
 *
 * buf->err tells whether memory ran out. Input is untrusted: nothing is read past its end.
 */
#ifndef KRAIT_PROTO_H
#define KRAIT_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* --- writing: zeros and empty texts are left out, as they are the defaults of a missing field - */

void proto_varint(struct buf *b, uint64_t v);
void proto_uint(struct buf *b, uint32_t field, uint64_t v);
void proto_double(struct buf *b, uint32_t field, double v);
void proto_str(struct buf *b, uint32_t field, const char *s);
/* Written even if @len is 0: an empty element of a list counts. */
void proto_bytes(struct buf *b, uint32_t field, const void *data, size_t len);
/* Maps numbers of small magnitude, of either sign, to small ones. */
uint64_t proto_zigzag(int64_t v);

/* --- reading ---------------------------------------------------------------------------------- */

/* The unread rest of a message; each call advances it. */
struct proto {
	const uint8_t *at, *end;
};

struct proto_field {
	uint32_t number;
	uint64_t value;     /* a varint, or the bits of a double; 0 for bytes */
	struct proto bytes; /* empty for other types */
};

/* 1 with @ret filled, 0 at the end, -EBADMSG if malformed. */
int proto_next(struct proto *p, struct proto_field *ret);
/* The same for the next of several packed varints. */
int proto_next_varint(struct proto *p, uint64_t *ret);
double proto_as_double(uint64_t bits);
int64_t proto_unzigzag(uint64_t v);

#endif
