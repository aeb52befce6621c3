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
/* True for what acts instead of being seen: control characters, line ends, changes of direction. */
bool utf8_is_control(uint32_t c);
/* Appends @s for a terminal: controls as \n, \x1b or \u202e, bytes that are no UTF-8 as \xff. */
void utf8_show(struct buf *out, const char *s, size_t len);
/* Bytes of the first @n characters of such a text, all of them for 0. */
size_t utf8_bytes(const char *s, size_t n);
/* Characters of a text that utf8_show() made: its columns, where none is wide. */
size_t utf8_count(const char *s);

#endif
