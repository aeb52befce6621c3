/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON that others wrote, read with jansson. Whoever may start a container decides what is in it, so a text
 * is bounded, and what a strict reader refuses in a string is replaced before it reads: one bad label
 * must not cost all other names.
 */
#ifndef KRAIT_JSONREAD_H
#define KRAIT_JSONREAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* Bytes of a text. Its values may take 80 times as much: 1 MiB of "{}," is 80 MB in jansson. */
enum { JSONREAD_MAX = 1 << 20 };

/* Reading changes what it reads. */
struct json_text {
	char *at;
	size_t len;
};

static inline void jsonread_decref(json_t **value)
{
	json_decref(*value);
}
#define _json_ _cleanup_(jsonread_decref)

/* The value, which the caller gives back by json_decref(). NULL: it is no JSON, or too long. */
json_t *jsonread(struct json_text text);
/*
 * The elements of an array, one at a time: each may have JSONREAD_MAX bytes. *@rest is the array at first,
 * and what is left of it then. Elements that are none are passed over, and counted in @refused. NULL: no more.
 */
json_t *jsonread_next(struct json_text *rest, unsigned int *refused);

/* The value below these keys, "Config|Labels|a.b"; it belongs to @in. NULL: there is none. */
json_t *jsonread_find(json_t *in, const char *keys);
/* A string, cut to @size - 1 bytes of whole characters. False, and "": it is none. */
bool jsonread_string(const json_t *value, char *ret, size_t size);

#endif
