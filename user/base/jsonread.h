/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses untrusted JSON with jansson. Anybody who may start a container can put text into it, so
 * its size is limited, and bytes that jansson rejects in strings are replaced before parsing: one
 * bad label must not cost all other names.
 */
#ifndef KRAIT_JSONREAD_H
#define KRAIT_JSONREAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* Longest text, in bytes. Parsed it may take 80 times as much: 1 MiB of "{}," takes 80 MB in jansson. */
enum { JSONREAD_MAX = 1 << 20 };

/* Parsing modifies the text. */
struct json_text {
	char *at;
	size_t len;
};

static inline void jsonread_decref(json_t **value)
{
	json_decref(*value);
}
#define _json_ _cleanup_(jsonread_decref)

/* Returns a reference, which the caller drops with json_decref(). NULL: not JSON, or too long. */
json_t *jsonread(struct json_text text);
/*
 * Reads the elements of an array one at a time, each up to JSONREAD_MAX bytes. *@rest starts as the
 * array and moves past each element. Skips invalid elements and counts them in @refused. NULL: no
 * more.
 */
json_t *jsonread_next(struct json_text *rest, unsigned int *refused);

/* The value at a path of keys, "Config|Labels|a.b"; a borrowed reference into @in. NULL: not found. */
json_t *jsonread_find(json_t *in, const char *keys);
/* Copies a string, cut to @size - 1 bytes of whole characters. False and "": the value is not a string. */
bool jsonread_string(const json_t *value, char *ret, size_t size);

#endif
