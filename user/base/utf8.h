/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes untrusted text safe to display. Names of files and processes are bytes, usually but not
 * always UTF-8; printed, they must not break the encoding or control the terminal.
 */
#ifndef KRAIT_UTF8_H
#define KRAIT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Decodes the character at the start of @s, which has @len (at least 1) bytes. Returns its length,
 * 1 to 4, or 0 if it is not well-formed (surrogates and overlong encodings are not).
 */
size_t utf8_next(const char *s, size_t len, uint32_t *ret);
/*
 * True for invisible characters: control characters, line ends, characters that change the
 * direction of the text around them, and characters without shape and width (two texts may differ
 * only by these).
 */
bool utf8_is_control(uint32_t c);
/* True for invisible characters that a terminal or a line reader acts on: control characters and line ends. */
bool utf8_acts(uint32_t c);

enum { UTF8_ESCAPE = 12 }; /* bytes of the longest escape and its NUL */

/* Writes the escape of an invisible character: \n, \x1b, \u202e, \U000e0041. Returns its length. */
int utf8_escape(char ret[static UTF8_ESCAPE], uint32_t c);
/* Writes the first character of @s (@len at least 1) for a terminal; returns the bytes of @s that it took. */
size_t utf8_show_next(char ret[static UTF8_ESCAPE], const char *s, size_t len);
/* Appends @s for a terminal: invisible characters escaped, bytes that are not UTF-8 as \xff. */
void utf8_show(struct buf *out, const char *s, size_t len);
/* Bytes in the first @n characters of a text from utf8_show(); @n 0: in all of it. */
size_t utf8_bytes(const char *s, size_t n);
/* Characters of a text from utf8_show(): its columns, if no character is wide. */
size_t utf8_count(const char *s);

#endif
