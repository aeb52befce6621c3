/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Line tables of all three formats. The input is
 *
 *	format 1  first line 4  instruction 4  table ...
 */
#include "fuzz.h"
#include "lines/vectors.h"
#include "py/linetable.h"

static void set_up(void)
{
}

static void make_seeds(void)
{
	for (size_t i = 0; i < COUNT(line_vectors); i++) {
		const struct line_vector *v = &line_vectors[i];
		struct buf name = {}, seed = {};

		buf_printf(&name, "vector-%zu", i);
		give(&seed, v->format, 1);
		give(&seed, v->first, 4);
		give(&seed, 8, 4);
		buf_add(&seed, v->table, v->len);
		seed_write(name.data, &seed);
		buf_done(&name);
		buf_done(&seed);
	}
}

static void check(int format, const uint8_t *table, size_t len, int first, int lasti)
{
	int line = linetable_line(format, table, len, first, lasti);

	MUST(line >= LINE_NONE);
	if (lasti < 0)
		MUST(line == (first < 0 ? LINE_NONE : first));
	if (!len && lasti >= 0)
		MUST(line == LINE_NONE || (format == LINETABLE_LNOTAB && line == first));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	int format = (int)(take(&in, 1) & 3), first = (int)take(&in, 4);
	int lasti = (int)take(&in, 4);
	size_t len;
	uint8_t *table = take_bytes(&in, size, &len);

	check(format, table, len, first, lasti);
	free(table);
	return 0;
}
