/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps an instruction to its source line, for CPython's three line table formats. A pure function;
 * the table comes from a target and may hold any bytes, and nothing outside of it is read.
 *
 *   3.6-3.9  co_lnotab:    pairs (u8 address increment, s8 line increment)
 *   3.10     co_linetable: pairs (u8 range length, s8 line increment, -128: no line)
 *   3.11+    co_linetable: location entries (Objects/locations.md in CPython)
 */
#ifndef KRAIT_LINETABLE_H
#define KRAIT_LINETABLE_H

#include <stddef.h>
#include <stdint.h>

enum linetable_format {
	LINETABLE_LNOTAB,   /* 3.6-3.9 */
	LINETABLE_RANGES,   /* 3.10 */
	LINETABLE_LOCATIONS /* 3.11+ */
};

enum { LINE_NONE = -1 };

/*
 * The line of the instruction at byte offset @lasti (for 3.10, twice its f_lasti) in a code object
 * that starts at line @first. A negative @lasti (not started) gives the first line. LINE_NONE: the
 * table gives the instruction no line, or ends before it.
 */
int linetable_line(enum linetable_format format, const uint8_t *table, size_t len, int first,
		   int lasti);

#endif
