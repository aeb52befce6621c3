/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Line tables of real interpreters (vectors.h; t_lines_stdlib.py tests the whole standard library),
 * then tables that no interpreter makes. Tables are copied to blocks of their exact size, so that
 * ASan reports a read beyond the end.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lines/vectors.h"
#include "py/linetable.h"
#include "tap.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define TABLE(...)    ((const uint8_t[]){ __VA_ARGS__ }), sizeof((const uint8_t[]){ __VA_ARGS__ })

static const enum linetable_format formats[] = { LINETABLE_LNOTAB, LINETABLE_RANGES,
						 LINETABLE_LOCATIONS };

static int line_exact(enum linetable_format format, const uint8_t *table, size_t len, int first,
		      int lasti)
{
	_free_ uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, table, len);
	return linetable_line(format, copy, len, first, lasti);
}

/* Returns the offset after the last instruction. */
static int check_vector(const struct line_vector *v)
{
	int lasti = 0;

	for (size_t i = 0; i < ARRAY_SIZE(v->runs) && v->runs[i].count; i++)
		for (int n = 0; n < v->runs[i].count; n++, lasti += 2)
			CHECK_EQ(line_exact(v->format, v->table, v->len, v->first, lasti),
				 v->runs[i].line);
	return lasti;
}

TEST(every_instruction_of_real_tables)
{
	for (size_t i = 0; i < ARRAY_SIZE(line_vectors); i++)
		CHECK(check_vector(&line_vectors[i]) > 0);
}

TEST(before_the_first_instruction_is_the_first_line)
{
	for (size_t i = 0; i < ARRAY_SIZE(line_vectors); i++) {
		const struct line_vector *v = &line_vectors[i];

		CHECK_EQ(line_exact(v->format, v->table, v->len, v->first, -1), v->first);
		CHECK_EQ(line_exact(v->format, v->table, v->len, v->first, INT_MIN), v->first);
	}
}

/* lnotab does not record the end of the code: its last line continues. */
TEST(after_the_last_instruction)
{
	for (size_t i = 0; i < ARRAY_SIZE(line_vectors); i++) {
		const struct line_vector *v = &line_vectors[i];
		int end = check_vector(v);
		int last = line_exact(v->format, v->table, v->len, v->first, end - 2);
		int after = v->format == LINETABLE_LNOTAB ? last : LINE_NONE;

		CHECK_EQ(line_exact(v->format, v->table, v->len, v->first, end), after);
		CHECK_EQ(line_exact(v->format, v->table, v->len, v->first, INT_MAX), after);
	}
}

TEST(empty_tables)
{
	CHECK_EQ(linetable_line(LINETABLE_LNOTAB, NULL, 0, 9, 0), 9);
	CHECK_EQ(linetable_line(LINETABLE_RANGES, NULL, 0, 9, 0), LINE_NONE);
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS, NULL, 0, 9, 0), LINE_NONE);
	for (size_t f = 0; f < ARRAY_SIZE(formats); f++)
		CHECK_EQ(linetable_line(formats[f], NULL, 0, 9, -1), 9);
}

TEST(unknown_format)
{
	CHECK_EQ(linetable_line((enum linetable_format)3, TABLE(4, 0), 9, 0), LINE_NONE);
	CHECK_EQ(linetable_line((enum linetable_format) - 1, TABLE(4, 0), 9, 0), LINE_NONE);
}

TEST(lnotab_deltas_are_signed)
{
	CHECK_EQ(linetable_line(LINETABLE_LNOTAB, TABLE(2, 0xff), 9, 2), 8);
	CHECK_EQ(linetable_line(LINETABLE_LNOTAB, TABLE(2, 0x80), 200, 2), 72);
	CHECK_EQ(linetable_line(LINETABLE_LNOTAB, TABLE(2, 0x7f), 1, 0), 1);
	CHECK_EQ(linetable_line(LINETABLE_LNOTAB, TABLE(2, 0x7f), 1, 2), 128);
}

TEST(ranges_that_are_empty_only_move_the_line)
{
	CHECK_EQ(linetable_line(LINETABLE_RANGES, TABLE(0, 127, 0, 3, 2, 1), 1, 0), 132);
	CHECK_EQ(linetable_line(LINETABLE_RANGES, TABLE(2, 1, 0, 0x80, 2, 1), 1, 2), 3);
}

TEST(ranges_without_a_line_keep_the_running_one)
{
	CHECK_EQ(linetable_line(LINETABLE_RANGES, TABLE(2, 4, 2, 0x80, 2, 1), 1, 0), 5);
	CHECK_EQ(linetable_line(LINETABLE_RANGES, TABLE(2, 4, 2, 0x80, 2, 1), 1, 2), LINE_NONE);
	CHECK_EQ(linetable_line(LINETABLE_RANGES, TABLE(2, 4, 2, 0x80, 2, 1), 1, 4), 6);
}

TEST(locations_without_a_line_keep_the_running_one)
{
	/* +2 (8 units), none (1 unit), +1 (1 unit) */
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS, TABLE(0xe7, 0, 0, 0xf8, 0xd8, 0, 0), 1, 15),
		 3);
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS, TABLE(0xe7, 0, 0, 0xf8, 0xd8, 0, 0), 1, 16),
		 LINE_NONE);
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS, TABLE(0xe7, 0, 0, 0xf8, 0xd8, 0, 0), 1, 18),
		 4);
}

TEST(half_a_pair_is_not_read)
{
	CHECK_EQ(line_exact(LINETABLE_LNOTAB, TABLE(2, 1, 2), 1, 100), 2);
	CHECK_EQ(line_exact(LINETABLE_RANGES, TABLE(2, 1, 200), 1, 2), LINE_NONE);
}

TEST(results_that_are_not_lines)
{
	CHECK_EQ(linetable_line(LINETABLE_LNOTAB, TABLE(0, 1), INT_MAX, 0), LINE_NONE);
	CHECK_EQ(linetable_line(LINETABLE_RANGES, TABLE(2, 1), INT_MAX, 0), LINE_NONE);
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS, TABLE(0xe0, 0, 0), INT_MAX, 0), LINE_NONE);
	CHECK_EQ(linetable_line(LINETABLE_LNOTAB, TABLE(0, 0x81), 5, 0), LINE_NONE);
	CHECK_EQ(linetable_line(LINETABLE_RANGES, TABLE(2, 0x81), INT_MIN, 0), LINE_NONE);
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS, TABLE(0xe8, 63), 5, 0), LINE_NONE);
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS, TABLE(0xe8, 2), INT_MIN, -1), LINE_NONE);
	/* below zero in between, but a valid line at the end */
	CHECK_EQ(linetable_line(LINETABLE_RANGES, TABLE(0, 0x81, 0, 127, 2, 1), 5, 0), 6);
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS, TABLE(0xe8, 63, 0xe8, 62), 5, 2), 5);
}

/* -(2^31 - 1) and the largest step up: both limits of what six bytes of six bits can hold. */
TEST(varints_are_bounded)
{
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS,
				TABLE(0xe8, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x03), INT_MAX, 0),
		 0);
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS,
				TABLE(0xe8, 0x7e, 0x7f, 0x7f, 0x7f, 0x7f, 0x03), 0, 0),
		 INT_MAX);
	/* bits from the 33rd on are dropped, and an unterminated varint ends with its entry */
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS,
				TABLE(0xe8, 0x46, 0x40, 0x40, 0x40, 0x40, 0x7c, 0x7f, 0x7f), 1, 0),
		 4);
	CHECK_EQ(line_exact(LINETABLE_LOCATIONS, TABLE(0xe8, 0x46), 1, 0), 4);
	CHECK_EQ(line_exact(LINETABLE_LOCATIONS, TABLE(0xe8), 1, 0), 1);
	CHECK_EQ(line_exact(LINETABLE_LOCATIONS, TABLE(0xe8, 0x46, 0xd8, 0, 0), 1, 2), 5);
}

TEST(tables_of_a_megabyte)
{
	enum { LEN = 1 << 20 };
	_free_ uint8_t *table = malloc(LEN);

	memset(table, 1, LEN);
	CHECK_EQ(linetable_line(LINETABLE_LNOTAB, table, LEN, 1, INT_MAX), 1 + LEN / 2);
	CHECK_EQ(linetable_line(LINETABLE_RANGES, table, LEN, 1, LEN / 2 - 1), 1 + LEN / 2);
	memset(table, 0xe8, LEN); /* each entry: one unit, a varint without bytes */
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS, table, LEN, 1, 2 * LEN - 2), 1);
	CHECK_EQ(linetable_line(LINETABLE_LOCATIONS, table, LEN, 1, 2 * LEN), LINE_NONE);
}

TEST(cut_tables)
{
	for (size_t i = 0; i < ARRAY_SIZE(line_vectors); i++) {
		const struct line_vector *v = &line_vectors[i];

		for (size_t len = 0; len < v->len; len++)
			CHECK(line_exact(v->format, v->table, len, v->first, 600) >= LINE_NONE);
	}
}

static void random_bytes(uint8_t *out, size_t len, uint64_t *state)
{
	for (size_t i = 0; i < len; i++) {
		*state = *state * 6364136223846793005u + 1442695040888963407u;
		out[i] = (uint8_t)(*state >> 56);
	}
}

TEST(random_bytes)
{
	static const int firsts[] = { 1, 0, -1, INT_MAX, INT_MIN };
	static const int lastis[] = { 0, 1, 2, 17, 300, 5000, INT_MAX, -1, INT_MIN };
	enum { ROUNDS = 3000, LEN_MAX = 200 };
	uint8_t table[LEN_MAX];
	uint64_t state = 1;

	for (size_t i = 0; i < ROUNDS * ARRAY_SIZE(formats); i++) {
		size_t len = i % LEN_MAX;

		random_bytes(table, len, &state);
		for (size_t k = 0; k < ARRAY_SIZE(lastis); k++)
			CHECK(line_exact(formats[i % ARRAY_SIZE(formats)], table, len,
					 firsts[i % ARRAY_SIZE(firsts)], lastis[k]) >= LINE_NONE);
	}
}
