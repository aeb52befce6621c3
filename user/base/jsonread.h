/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds values in a JSON text without building anything: a value is a part of the text. What is found in
 * a text that is cut or no JSON is nothing, or a part that is bounded by it.
 */
#ifndef KRAIT_JSONREAD_H
#define KRAIT_JSONREAD_H

#include <stdbool.h>
#include <stddef.h>

struct json_text {
	const char *at;
	size_t len;
};

/* The value below these keys, "Config|Labels|a.b". Keys are compared as they are written. */
bool json_find(struct json_text in, const char *keys, struct json_text *ret);
/*
 * The elements of an array: *@rest is the array at first, and what is left of it then. False: no more.
 */
bool json_next(struct json_text *rest, struct json_text *ret);
/* The members of an object, in the same way; keys are JSON strings. */
bool json_next_member(struct json_text *rest, struct json_text *ret_key, struct json_text *ret);
/* A string as bytes, cut to @size - 1. False, and "": it is none. */
bool json_string(struct json_text value, char *ret, size_t size);

#endif
