/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns hostile bytes into text that is safe to write, show or print. */
#ifndef KRAIT_FORMAT_TEXT_H
#define KRAIT_FORMAT_TEXT_H

#include <stddef.h>

#include "base/buf.h"

/* How to treat invisible characters (utf8_is_control()). */
enum text_how {
	TEXT_SHOWN,   /* text for users: escape all of them as \n, \x1b, \u202e */
	TEXT_PRINTED, /* data that may end up on a terminal: escape only those that act on one */
	TEXT_WHOLE,   /* keep them: the writer of the format escapes them */
};

/* Appends @len bytes as valid UTF-8: invalid sequences become U+FFFD, an empty text "?". */
void text_add_as(struct buf *b, const char *s, size_t len, enum text_how how);
/* The same with TEXT_SHOWN and surrounding spaces removed: one line without hidden characters. */
void text_add(struct buf *b, const char *s, size_t len);

#endif
