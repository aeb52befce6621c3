/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/proto.h"

#include <errno.h>
#include <string.h>

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

/* --- writing ---------------------------------------------------------------------------------- */

void proto_varint(struct buf *b, uint64_t v)
{
	char bytes[10];
	size_t n = 0;

	for (; v > 0x7f; v >>= 7)
		bytes[n++] = (char)(v | 0x80);
	bytes[n++] = (char)v;
	buf_add(b, bytes, n);
}

static void add_tag(struct buf *b, uint32_t field, uint32_t type)
{
	proto_varint(b, (uint64_t)field << 3 | type);
}

void proto_uint(struct buf *b, uint32_t field, uint64_t v)
{
	if (!v)
		return;
	add_tag(b, field, VARINT);
	proto_varint(b, v);
}

void proto_double(struct buf *b, uint32_t field, double v)
{
	uint64_t bits;
	char bytes[8];

	memcpy(&bits, &v, sizeof(bits));
	if (!bits)
		return;
	for (int i = 0; i < 8; i++)
		bytes[i] = (char)(bits >> (8 * i));
	add_tag(b, field, FIXED64);
	buf_add(b, bytes, sizeof(bytes));
}

void proto_bytes(struct buf *b, uint32_t field, const void *data, size_t len)
{
	add_tag(b, field, BYTES);
	proto_varint(b, len);
	if (len)
		buf_add(b, data, len);
}

void proto_str(struct buf *b, uint32_t field, const char *s)
{
	if (s && *s)
		proto_bytes(b, field, s, strlen(s));
}

uint64_t proto_zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

/* --- reading ---------------------------------------------------------------------------------- */

int proto_next_varint(struct proto *p, uint64_t *ret)
{
	uint64_t v = 0;
	int shift = 0;

	if (p->at == p->end)
		return 0;
	for (; p->at < p->end && shift < 64; shift += 7) {
		uint8_t byte = *p->at++;

		if (shift == 63 && byte > 1)
			return -EBADMSG;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = v;
			return 1;
		}
	}
	return -EBADMSG;
}

static int take_fixed(struct proto *p, size_t len, uint64_t *ret)
{
	if ((size_t)(p->end - p->at) < len)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++)
		*ret |= (uint64_t)p->at[i] << (8 * i);
	p->at += len;
	return 1;
}

static int take_bytes(struct proto *p, struct proto *ret)
{
	uint64_t len;

	if (proto_next_varint(p, &len) != 1 || len > (uint64_t)(p->end - p->at))
		return -EBADMSG;
	*ret = (struct proto){ p->at, p->at + len };
	p->at += len;
	return 1;
}

int proto_next(struct proto *p, struct proto_field *ret)
{
	uint64_t tag;
	int r = proto_next_varint(p, &tag);

	if (r != 1)
		return r;
	if (tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
		return -EBADMSG;
	*ret = (struct proto_field){ .number = (uint32_t)(tag >> 3), .bytes = { p->at, p->at } };
	switch (tag & 7) {
	case VARINT:
		return proto_next_varint(p, &ret->value) == 1 ? 1 : -EBADMSG;
	case FIXED64:
		return take_fixed(p, 8, &ret->value);
	case FIXED32:
		return take_fixed(p, 4, &ret->value);
	case BYTES:
		return take_bytes(p, &ret->bytes);
	default:
		return -EBADMSG;
	}
}

double proto_as_double(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

int64_t proto_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}
