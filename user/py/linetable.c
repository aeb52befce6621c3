/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three encodings of one function, offset -> line, all of them lists of deltas:
 *
 *   LNOTAB     [addr += a, line += l] ...     a line holds until the next address increment; the
 *                                             last one has no end
 *   RANGES     [end += a, line += l] ...      [start, end) has the line; an empty range only moves
 *                                             the line; -128: no line for this range, none moved
 *   LOCATIONS  1cccclll x x x  1cccclll ...   lll + 1 units of two bytes; cccc tells how the line
 *                                             moves and the kind of the payload
 *
 * A lookup scans from the start to the wanted offset, without an index: a table is used a few times
 * only, and 64 KiB take 30 to 150 microseconds.
 *
 * Invariants: nothing is read outside of [table, table + len). Lines and addresses accumulate in
 * unsigned 64 bits, so hostile bytes cannot cause undefined overflow. Deltas may take a line below
 * zero temporarily (a big step is split); only the result must be a line.
 */
#include "py/linetable.h"

#include <limits.h>
#include <stdbool.h>

enum { RANGE_NO_LINE = -128 };

/* Kinds of location entries that change or drop the line; all others keep it. */
enum {
	LOCATION_ONE_LINE1 = 11,
	LOCATION_ONE_LINE2 = 12,
	LOCATION_NO_COLUMNS = 13,
	LOCATION_LONG = 14,
	LOCATION_NONE = 15
};

/* A line below zero is a very large number here. */
static int line_result(uint64_t line)
{
	return line <= INT_MAX ? (int)line : LINE_NONE;
}

/* Sign extension, then two's complement: adding it to an unsigned sum subtracts. */
static uint64_t signed_delta(uint8_t byte)
{
	return (uint64_t)(int64_t)(int8_t)byte;
}

static int lnotab_line(const uint8_t *table, size_t len, uint64_t line, uint64_t lasti)
{
	uint64_t addr = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		addr += table[i];
		if (addr > lasti)
			break;
		line += signed_delta(table[i + 1]);
	}
	return line_result(line);
}

static int ranges_line(const uint8_t *table, size_t len, uint64_t line, uint64_t lasti)
{
	uint64_t end = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		bool no_line = (int8_t)table[i + 1] == RANGE_NO_LINE;

		end += table[i];
		if (!no_line)
			line += signed_delta(table[i + 1]);
		if (lasti < end)
			return no_line ? LINE_NONE : line_result(line);
	}
	return LINE_NONE;
}

/* Where the entry after the one at @p starts: the next byte with bit 7 set, or @end. */
static const uint8_t *next_location(const uint8_t *p, const uint8_t *end)
{
	do
		p++;
	while (p < end && !(*p & 0x80));
	return p;
}

/* Six bits per byte, lowest first; 0x40: more follow; bit 0 of the value is the sign. */
static uint64_t signed_varint(const uint8_t *p, const uint8_t *end)
{
	uint32_t value = 0;
	uint64_t magnitude;

	for (unsigned int shift = 0; p < end && shift < 32; shift += 6, p++) {
		value |= (uint32_t)(*p & 0x3f) << shift;
		if (!(*p & 0x40))
			break;
	}
	magnitude = value >> 1;
	return value & 1 ? -magnitude : magnitude;
}

static uint64_t location_delta(unsigned int kind, const uint8_t *payload, const uint8_t *end)
{
	switch (kind) {
	case LOCATION_ONE_LINE1:
		return 1;
	case LOCATION_ONE_LINE2:
		return 2;
	case LOCATION_NO_COLUMNS:
	case LOCATION_LONG:
		return signed_varint(payload, end);
	default:
		return 0;
	}
}

static int locations_line(const uint8_t *table, size_t len, uint64_t line, uint64_t lasti)
{
	const uint8_t *end = len ? table + len : table;
	uint64_t unit = 0;

	for (const uint8_t *p = table, *next; p < end; p = next) {
		unsigned int kind = (*p >> 3) & 15;

		next = next_location(p, end);
		unit += (*p & 7) + 1;
		line += location_delta(kind, p + 1, next);
		if (lasti / 2 < unit)
			return kind == LOCATION_NONE ? LINE_NONE : line_result(line);
	}
	return LINE_NONE;
}

typedef int (*line_fn)(const uint8_t *table, size_t len, uint64_t line, uint64_t lasti);

static const line_fn decoders[] = {
	[LINETABLE_LNOTAB] = lnotab_line,
	[LINETABLE_RANGES] = ranges_line,
	[LINETABLE_LOCATIONS] = locations_line,
};

int linetable_line(enum linetable_format format, const uint8_t *table, size_t len, int first,
		   int lasti)
{
	uint64_t line = (uint64_t)(int64_t)first;

	if (lasti < 0)
		return line_result(line);
	if ((size_t)format >= sizeof(decoders) / sizeof(decoders[0]))
		return LINE_NONE;
	return decoders[format](table, len, line, (uint64_t)lasti);
}
