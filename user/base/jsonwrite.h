/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes JSON into a buffer, commas and escapes included:
 *
 *   struct jsonwrite j = { .out = &buf };
 *   jsonwrite_object(&j, NULL);              {
 *   jsonwrite_uint(&j, "pid", 1);              "pid":1,
 *   jsonwrite_array(&j, "words");              "words":[
 *   jsonwrite_str(&j, NULL, "a\n");              "a\n"
 *   jsonwrite_array_end(&j);                   ]
 *   jsonwrite_object_end(&j);                }
 *
 * A key is given inside of an object and is NULL elsewhere; that openings and ends match is the
 * caller's. Out of memory is found in buf->err. The text is ASCII where a terminal or JavaScript
 * could trip over it, and always valid: bytes that are no UTF-8 become U+FFFD, one each.
 */
#ifndef KRAIT_JSONWRITE_H
#define KRAIT_JSONWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct jsonwrite {
	struct buf *out;
	bool comma; /* one is due before the next value */
};

void jsonwrite_object(struct jsonwrite *j, const char *key);
void jsonwrite_object_end(struct jsonwrite *j);
void jsonwrite_array(struct jsonwrite *j, const char *key);
void jsonwrite_array_end(struct jsonwrite *j);

/* NULL is written as null. */
void jsonwrite_str(struct jsonwrite *j, const char *key, const char *s);
/* @len bytes, which may hold NULs. */
void jsonwrite_strn(struct jsonwrite *j, const char *key, const char *s, size_t len);
void jsonwrite_uint(struct jsonwrite *j, const char *key, uint64_t v);
/* Digits enough for a time in ms; what is no number is written as null. */
void jsonwrite_real(struct jsonwrite *j, const char *key, double v);
void jsonwrite_bool(struct jsonwrite *j, const char *key, bool v);
void jsonwrite_null(struct jsonwrite *j, const char *key);

#endif
