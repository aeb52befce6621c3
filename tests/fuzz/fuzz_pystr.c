/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Characters of a str: the input is kind 1 and bytes. The output is UTF-8, one character for each.
 */
#include "fuzz.h"
#include "py/pystr.h"
#include "utf8.h"

static void set_up(void)
{
}

static void make_seeds(void)
{
	static const uint32_t ucs4[] = { 0x61, 0xe9, 0x20ac, 0x1f40d, 0xd800, 0x110000 };
	static const uint16_t ucs2[] = { 0x61, 0xe9, 0x20ac, 0xdfff };
	struct buf one = {}, two = {}, four = {};

	give(&one, 1, 1);
	buf_str(&one, "name of a function, caf\xe9");
	seed_write("latin-1", &one);
	give(&two, 2, 1);
	buf_add(&two, ucs2, sizeof(ucs2));
	seed_write("ucs-2", &two);
	give(&four, 4, 1);
	buf_add(&four, ucs4, sizeof(ucs4));
	seed_write("ucs-4", &four);
	buf_done(&one);
	buf_done(&two);
	buf_done(&four);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned int kind = (unsigned int)take(&in, 1);
	struct buf out = {};
	size_t bytes, n;
	uint8_t *exact = take_bytes(&in, size, &bytes);

	n = kind == 1 || kind == 2 || kind == 4 ? bytes / kind : 0;
	pystr_utf8(&out, exact, kind ? bytes / kind : 0, kind);
	MUST(!out.err);
	MUST(utf8_characters(out.data, out.len) == (long)n);
	buf_done(&out);
	free(exact);
	return 0;
}
