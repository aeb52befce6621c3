/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses and formats numbers as users type them. Parsing is strict: no sign, no space, nothing
 * after the number. All parsers return 0, -EINVAL (not such a number) or -ERANGE (outside
 * @min..@max), and leave *@ret alone on failure.
 */
#ifndef KRAIT_NUM_H
#define KRAIT_NUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

/* A duration without an end. */
#define NUM_UNLIMITED UINT64_MAX

enum { NUM_TEXT_MAX = 24 };

typedef VEC(uint64_t) num_vec;

/* Decimal digits. */
int num_uint(const char *text, uint64_t min, uint64_t max, uint64_t *ret);
/* Bytes: 4096, 4k, 4K, 16M, 1G (powers of 1024). */
int num_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret);
/* Nanoseconds: 10 and 10s (seconds), 500ms, 2m, 1h; "unlimited" is NUM_UNLIMITED whatever @max. */
int num_duration(const char *text, uint64_t min, uint64_t max, uint64_t *ret);
/* "1,2,3", appended to @ret; no empty items. Also -ENOMEM. A failure may leave some items appended. */
int num_list(const char *text, uint64_t min, uint64_t max, num_vec *ret);

/* Formats in the largest unit that divides @bytes or @ns; the parsers above read it back. */
void num_size_text(uint64_t bytes, char ret[NUM_TEXT_MAX]);
/* Precision is 1 ms. */
void num_duration_text(uint64_t ns, char ret[NUM_TEXT_MAX]);

#endif
