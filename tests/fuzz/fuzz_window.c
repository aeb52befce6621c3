/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code of an interpreter's prologue. The input is
 *
 *	version 1 (an index)  code ...
 */
#include "fuzz.h"
#include "images/synth.h"
#include "py/window.h"

/* As compilers write it. */
static const uint8_t prologue[] = {
	0x48, 0x8d, 0xb4, 0x24, 0xa0, 0x00, 0x00, 0x00, /* lea 0xa0(%rsp),%rsi */
	0x48, 0x89, 0x77, 0x38,                         /* mov %rsi,0x38(%rdi) */
	0x0f, 0x11, 0x84, 0x24, 0xa8, 0x00, 0x00, 0x00, /* movups %xmm0,0xa8(%rsp) */
	0x48, 0x8d, 0x84, 0x24, 0xf0, 0x00, 0x00, 0x00, /* lea 0xf0(%rsp),%rax */
	0x48, 0x89, 0x42, 0x08,                         /* mov %rax,0x8(%rdx) */
	0x48, 0x89, 0x72, 0x30,                         /* mov %rsi,0x30(%rdx) */
};

static struct py_layout rows[COUNT(synth_versions)];

static void set_up(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct synth *s = synth_new(synth_versions[i]);

		rows[i] = s->l;
		synth_free(s);
	}
}

static void make_seeds(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf name = {}, seed = {};

		buf_printf(&name, "prologue-%zu", i);
		give(&seed, i, 1);
		buf_add(&seed, prologue, sizeof(prologue));
		seed_write(name.data, &seed);
		buf_done(&name);
		buf_done(&seed);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const struct py_layout *l = &rows[take(&in, 1) % COUNT(rows)];
	uint32_t start = 1, end = 0;
	size_t len;
	uint8_t *code = take_bytes(&in, WINDOW_CODE, &len);

	window_find(l, code, len, &start, &end);
	MUST(start <= end);
	MUST(end <= WINDOW_CODE + 4); /* a last immediate operand that was not given */
	free(code);
	return 0;
}
