/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growable byte buffer with a sticky error: append without checking, check buf->err once at the
 * end. Always NUL-terminated (the NUL is not counted in len). A zeroed struct is an empty buffer.
 */
#ifndef KRAIT_BUF_H
#define KRAIT_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL while nothing was added */
	size_t len;
	size_t cap;
	int err; /* 0 or -ENOMEM; after an error nothing more is added */
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Keeps the memory, forgets the content and the error. */
void buf_clear(struct buf *b);
/* Frees the content; the struct is empty and usable again. Also a cleanup function. */
void buf_done(struct buf *b);

#endif
