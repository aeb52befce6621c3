/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code of an interpreter's prologue. The input is
 *
 *	version 1 (an index)  machine 1 (an index)  code ...
 */
#include <elf.h>

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

/* The same for aarch64. */
static const uint32_t prologue_a64[] = {
	0xa9aa7bfd, /* stp x29, x30, [sp, #-352]! */
	0x910403e7, /* add x7, sp, #0x100 */
	0xf9001c07, /* str x7, [x0, #56] */
	0xf9001b24, /* str x4, [x25, #48] */
	0xa91087f9, /* stp x25, x1, [sp, #264] */
	0x9102a3a4, /* add x4, x29, #0xa8 */
	0xf9000424, /* str x4, [x1, #8] */
	0x3903bbe5, /* strb w5, [sp, #238] */
};

static const uint16_t machines[] = { EM_X86_64, EM_AARCH64, EM_RISCV };

static struct py_layout rows[COUNT(synth_versions)];

static void set_up(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct synth *s = synth_new(synth_versions[i]);

		rows[i] = s->l;
		synth_free(s);
	}
}

static void make_seed(size_t row, uint8_t machine, const void *code, size_t len)
{
	struct buf name = {}, seed = {};

	buf_printf(&name, "prologue-%zu-%u", row, machine);
	give(&seed, row, 1);
	give(&seed, machine, 1);
	buf_add(&seed, code, len);
	seed_write(name.data, &seed);
	buf_done(&name);
	buf_done(&seed);
}

static void make_seeds(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		make_seed(i, 0, prologue, sizeof(prologue));
		make_seed(i, 1, prologue_a64, sizeof(prologue_a64));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const struct py_layout *l = &rows[take(&in, 1) % COUNT(rows)];
	uint16_t machine = machines[take(&in, 1) % COUNT(machines)];
	struct proc_entry e = {};
	uint32_t start = 0;
	size_t len;
	uint8_t *code = take_bytes(&in, WINDOW_CODE, &len);

	window_find(machine, l, code, len, &start, &e);
	MUST(e.len <= e.runs);
	MUST(start + e.runs <= WINDOW_CODE + 4); /* + 4: the last operand may be beyond the code */
	MUST(e.previous_reg <= WALK_REGS && e.caller_reg <= WALK_REGS);
	free(code);
	return 0;
}
