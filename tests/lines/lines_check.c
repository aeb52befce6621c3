/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares linetable_line() with the interpreters' answers: reads the stream of dump_lines.py
 * (where its format is described) on stdin, and prints "CODE-OBJECTS INSTRUCTIONS DIFFERENCES". The
 * first differences go to stderr. Exit status: 0 equal, 1 different, 2 broken or truncated stream.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "py/linetable.h"

enum { DIFFERENCES_SHOWN = 10, BLOCK_MAX = 1 << 28, INSTRUCTION_SIZE = 2 };

static const char record_magic[4] = { 'K', 'L', 'T', '1' };
static const char end_magic[4] = { 'K', 'E', 'N', 'D' };

struct head {
	uint32_t format;
	int32_t first;
	uint32_t table_len;
	uint32_t count;
	uint32_t name_len;
	int32_t before;
	int32_t after;
};

struct totals {
	unsigned long codes;
	unsigned long instructions;
	unsigned long differences;
};

struct record {
	struct head head;
	const uint8_t *table;
	const int32_t *lines;
	const char *name;
};

static void check(const struct record *r, int lasti, int expected, struct totals *totals)
{
	int line = linetable_line((enum linetable_format)r->head.format, r->table,
				  r->head.table_len, r->head.first, lasti);

	if (line == expected)
		return;
	if (totals->differences++ < DIFFERENCES_SHOWN)
		fprintf(stderr,
			"lines_check: '%.*s': offset %d: line %d, the interpreter says %d\n",
			(int)r->head.name_len, r->name, lasti, line, expected);
}

static void check_record(const struct record *r, struct totals *totals)
{
	int end = (int)(r->head.count * INSTRUCTION_SIZE);

	check(r, -1, r->head.before, totals);
	check(r, -INSTRUCTION_SIZE, r->head.before, totals);
	for (uint32_t i = 0; i < r->head.count; i++)
		check(r, (int)(i * INSTRUCTION_SIZE), r->lines[i], totals);
	check(r, end, r->head.after, totals);
	check(r, end + (1 << 20), r->head.after, totals);
	totals->codes++;
	totals->instructions += r->head.count;
}

/* NULL: truncated stream, or @size is too large. The caller frees. */
static void *read_block(size_t size)
{
	_free_ void *block = NULL;

	if (size > BLOCK_MAX)
		return NULL;
	block = malloc(size ? size : 1);
	if (!block || fread(block, 1, size, stdin) != size)
		return NULL;
	return take_ptr(block);
}

static bool read_record(struct totals *totals)
{
	_free_ uint8_t *table = NULL;
	_free_ int32_t *lines = NULL;
	_free_ char *name = NULL;
	struct record r;

	if (fread(&r.head, sizeof(r.head), 1, stdin) != 1)
		return false;
	table = read_block(r.head.table_len);
	lines = read_block((size_t)r.head.count * sizeof(*lines));
	name = read_block(r.head.name_len);
	if (!table || !lines || !name)
		return false;
	r.table = table;
	r.lines = lines;
	r.name = name;
	check_record(&r, totals);
	return true;
}

/* Returns whether the stream was complete. */
static bool read_stream(struct totals *totals)
{
	char magic[4];

	while (fread(magic, sizeof(magic), 1, stdin) == 1) {
		if (!memcmp(magic, end_magic, sizeof(magic)))
			return true;
		if (memcmp(magic, record_magic, sizeof(magic)) || !read_record(totals))
			return false;
	}
	return false;
}

int main(void)
{
	struct totals totals = { 0 };
	bool whole = read_stream(&totals);

	printf("%lu %lu %lu\n", totals.codes, totals.instructions, totals.differences);
	if (!whole) {
		fprintf(stderr, "lines_check: the stream is broken after %lu code objects\n",
			totals.codes);
		return 2;
	}
	return totals.differences ? 1 : 0;
}
