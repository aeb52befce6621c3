/* SPDX-License-Identifier: BSD-2-Clause */
/* How hostile bytes become text that can be written, shown or printed. */
#ifndef KRAIT_FORMAT_TEXT_H
#define KRAIT_FORMAT_TEXT_H

#include <stddef.h>

#include "base/buf.h"

/* What becomes of characters that are not seen themselves (utf8_is_control()). */
enum text_how {
	TEXT_SHOWN,   /* for people: all are written as \n, \x1b, \u202e */
	TEXT_PRINTED, /* without an escape of its own, and people may print it: those that act are */
	TEXT_WHOLE,   /* what writes it has an escape */
};

/* Appends @len bytes as valid UTF-8: what is not becomes U+FFFD, nothing at all "?". */
void text_add_as(struct buf *b, const char *s, size_t len, enum text_how how);
/* The same as TEXT_SHOWN, without spaces around it: one line that is what it seems to be. */
void text_add(struct buf *b, const char *s, size_t len);

#endif
