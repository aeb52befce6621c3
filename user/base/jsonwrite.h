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
 * The key is NULL outside of objects; the caller matches openings and ends. buf->err tells whether
 * memory ran out. Control and invisible characters, which could upset a terminal or JavaScript, are
 * escaped. The text is always valid UTF-8: each byte that is not becomes U+FFFD.
 */
#ifndef KRAIT_JSONWRITE_H
#define KRAIT_JSONWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct jsonwrite {
	struct buf *out;
	bool comma; /* the next value needs one before it */
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
/* Written with 16 significant digits, enough for a time in ms; infinity and NaN as null. */
void jsonwrite_real(struct jsonwrite *j, const char *key, double v);
void jsonwrite_bool(struct jsonwrite *j, const char *key, bool v);
void jsonwrite_null(struct jsonwrite *j, const char *key);

#endif
