/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One block of cap bytes holds len bytes of content and a NUL:
 *
 *   data -> [ content: len | NUL | free ]      len < cap, or data is NULL and both are 0
 */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_MIN_CAP = 64 };

/* Room for @more bytes and the NUL; false with the error set. */
static bool buf_grow(struct buf *b, size_t more)
{
	size_t need, cap = b->cap ? b->cap : BUF_MIN_CAP;
	char *data;

	if (b->err)
		return false;
	b->err = -ENOMEM;
	if (__builtin_add_overflow(b->len, more, &need) || __builtin_add_overflow(need, 1, &need))
		return false;
	while (cap < need)
		if (__builtin_mul_overflow(cap, 2, &cap))
			return false;
	if (cap > b->cap) {
		data = realloc(b->data, cap);
		if (!data)
			return false;
		b->data = data;
		b->cap = cap;
	}
	b->err = 0;
	return true;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	if (!buf_grow(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

/* Formats into the free part; returns what vsnprintf() wanted to write. */
static int buf_format(struct buf *b, const char *fmt, va_list ap)
{
	va_list copy;
	int n;

	va_copy(copy, ap);
	n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, copy);
	va_end(copy);
	return n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!buf_grow(b, 0))
		return;
	va_start(ap, fmt);
	n = buf_format(b, fmt, ap);
	if (n >= 0 && (size_t)n >= b->cap - b->len && buf_grow(b, n))
		n = buf_format(b, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->err = -ENOMEM;
	if (!b->err)
		b->len += n;
	b->data[b->len] = '\0';
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->err = 0;
	if (b->data)
		b->data[0] = '\0';
}

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){};
}
