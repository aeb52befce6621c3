/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text from elsewhere: names of files and processes are bytes, meant as UTF-8 and sometimes not. What
 * is written for people must neither break the encoding nor do something to their terminal.
 */
#ifndef KRAIT_UTF8_H
#define KRAIT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * The character at @s, of @len (at least 1) bytes. Returns its length, 1 to 4, or 0 where no
 * well-formed character starts (a surrogate or a longer form than needed is none).
 */
size_t utf8_next(const char *s, size_t len, uint32_t *ret);
/*
 * True for what is not seen itself: control characters, line ends, what changes the direction of the text
 * around it, and what has no shape and no width, so that two texts with and without it look the same.
 */
bool utf8_is_control(uint32_t c);
/* True for those of them that a terminal or a reader of lines obeys: control characters and line ends. */
bool utf8_acts(uint32_t c);

enum { UTF8_ESCAPE = 12 }; /* bytes of the longest escape and its NUL */

/* What is shown in place of such a character: \n, \x1b, \u202e, \U000e0041. Returns its length. */
int utf8_escape(char ret[static UTF8_ESCAPE], uint32_t c);
/* The first character of @s (@len at least 1) for a terminal; returns how many bytes of @s it was. */
size_t utf8_show_next(char ret[static UTF8_ESCAPE], const char *s, size_t len);
/* Appends @s for a terminal: such characters escaped, bytes that are no UTF-8 as \xff. */
void utf8_show(struct buf *out, const char *s, size_t len);
/* Bytes of the first @n characters of such a text, all of them for 0. */
size_t utf8_bytes(const char *s, size_t n);
/* Characters of a text that utf8_show() made: its columns, where none is wide. */
size_t utf8_count(const char *s);

#endif
