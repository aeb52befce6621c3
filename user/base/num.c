/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Digits, then a suffix from a table. strtoull() is not used: it accepts signs and spaces, and an
 * overflow is easily missed.
 */
#include "base/num.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *suffix;
	uint64_t scale;
};

/* Ascending; of suffixes with the same scale the last one is printed. */
static const struct unit size_units[] = {
	{ "", 1 }, { "K", 1 << 10 }, { "k", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 }, {},
};

static const struct unit time_units[] = {
	{ "ms", 1000000 },
	{ "", 1000000000 },
	{ "s", 1000000000 },
	{ "m", 60 * 1000000000ULL },
	{ "h", 3600 * 1000000000ULL },
	{},
};

/* Parses the digits at *@text and moves *@text past them. */
static int scan_digits(const char **text, uint64_t *ret)
{
	const char *p = *text;
	uint64_t value = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	if (p == *text)
		return -EINVAL;
	*text = p;
	*ret = value;
	return 0;
}

static int store_bounded(uint64_t value, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

static int parse_scaled(const char *text, const struct unit *units, uint64_t min, uint64_t max,
			uint64_t *ret)
{
	const struct unit *u = units;
	uint64_t value;
	int err = scan_digits(&text, &value);

	if (err)
		return err;
	while (u->suffix && strcmp(u->suffix, text))
		u++;
	if (!u->suffix)
		return -EINVAL;
	if (__builtin_mul_overflow(value, u->scale, &value))
		return -ERANGE;
	return store_bounded(value, min, max, ret);
}

int num_uint(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	static const struct unit none[] = { { "", 1 }, {} };

	return parse_scaled(text, none, min, max, ret);
}

int num_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	return parse_scaled(text, size_units, min, max, ret);
}

int num_duration(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (strcmp(text, "unlimited"))
		return parse_scaled(text, time_units, min, max, ret);
	*ret = NUM_UNLIMITED;
	return 0;
}

int num_list(const char *text, uint64_t min, uint64_t max, num_vec *ret)
{
	for (;; text++) {
		uint64_t value;
		int err = scan_digits(&text, &value);

		if (err)
			return err;
		if (*text && *text != ',')
			return -EINVAL;
		err = store_bounded(value, min, max, &value);
		if (!err)
			err = vec_push(ret, value);
		if (err || !*text)
			return err;
	}
}

static void scaled_text(uint64_t value, const struct unit *units, char ret[NUM_TEXT_MAX])
{
	const struct unit *u, *best = units;

	for (u = units; u->suffix; u++)
		if (value && value % u->scale == 0)
			best = u;
	snprintf(ret, NUM_TEXT_MAX, "%" PRIu64 "%s", value / best->scale, best->suffix);
}

void num_size_text(uint64_t bytes, char ret[NUM_TEXT_MAX])
{
	scaled_text(bytes, size_units, ret);
}

void num_duration_text(uint64_t ns, char ret[NUM_TEXT_MAX])
{
	if (ns == NUM_UNLIMITED)
		snprintf(ret, NUM_TEXT_MAX, "unlimited");
	else
		scaled_text(ns, time_units, ret);
}
