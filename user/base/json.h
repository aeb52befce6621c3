/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes JSON into a buffer, commas and escapes included:
 *
 *   struct json j = { .out = &buf };
 *   json_object(&j, NULL);              {
 *   json_uint(&j, "pid", 1);              "pid":1,
 *   json_array(&j, "words");              "words":[
 *   json_str(&j, NULL, "a\n");              "a\n"
 *   json_array_end(&j);                   ]
 *   json_object_end(&j);                }
 *
 * A key is given inside of an object and is NULL elsewhere; that openings and ends match is the
 * caller's. Out of memory is found in buf->err. The text is ASCII where a terminal or JavaScript
 * could trip over it, and always valid: bytes that are no UTF-8 become U+FFFD, one each.
 */
#ifndef KRAIT_JSON_H
#define KRAIT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct json {
	struct buf *out;
	bool comma; /* one is due before the next value */
};

void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);

/* NULL is written as null. */
void json_str(struct json *j, const char *key, const char *s);
/* @len bytes, which may hold NULs. */
void json_strn(struct json *j, const char *key, const char *s, size_t len);
void json_uint(struct json *j, const char *key, uint64_t v);
/* Digits enough for a time in ms; what is no number is written as null. */
void json_real(struct json *j, const char *key, double v);
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);

#endif
