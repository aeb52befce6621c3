/* SPDX-License-Identifier: BSD-2-Clause */
/* Prologues of _PyEval_EvalFrameDefault, written by hand after real ones. */
#include <elf.h>
#include <string.h>

#include "images/synth.h"
#include "py/window.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* %rsi: the new _PyCFrame at 0xa0 of the C frame; %rdi: the thread state; %rdx: the frame. */
static const uint8_t prologue[] = {
	0x48, 0x8d, 0xb4, 0x24, 0xa0, 0x00, 0x00, 0x00, /* lea 0xa0(%rsp),%rsi */
	0x48, 0x89, 0x77, 0x38,                         /* mov %rsi,0x38(%rdi) */
	0x0f, 0x11, 0x84, 0x24, 0xa8, 0x00, 0x00, 0x00, /* movups %xmm0,0xa8(%rsp) */
	0x48, 0x89, 0x72, 0x30,                         /* mov %rsi,0x30(%rdx) */
	0x90,
};

/* 3.11.7; %rbp: the frame. */
static const uint8_t caller_3_11[] = {
	0x48, 0x8d, 0xb4, 0x24, 0xa0, 0x00, 0x00, 0x00, /* lea 0xa0(%rsp),%rsi */
	0x48, 0x8b, 0x47, 0x38,                         /* mov 0x38(%rdi),%rax */
	0x48, 0x89, 0x77, 0x38,                         /* mov %rsi,0x38(%rdi) */
	0x48, 0x8b, 0x70, 0x08,                         /* mov 0x8(%rax),%rsi */
	0x48, 0x89, 0x75, 0x30,                         /* mov %rsi,0x30(%rbp) */
	0x0f, 0x11, 0x84, 0x24, 0xa8, 0x00, 0x00, 0x00, /* movups %xmm0,0xa8(%rsp) */
	0xc7, 0x45, 0x40, 0xff, 0xff, 0xff, 0xff,       /* movl $-1,0x40(%rbp) */
};

/* 3.12.1; %rsi: the frame. */
static const uint8_t caller_3_12[] = {
	0x48, 0x8d, 0x84, 0x24, 0x80, 0x00, 0x00, 0x00, /* lea 0x80(%rsp),%rax */
	0x48, 0x8b, 0x57, 0x38,                         /* mov 0x38(%rdi),%rdx */
	0x48, 0x89, 0x47, 0x38,                         /* mov %rax,0x38(%rdi) */
	0xc6, 0x84, 0x24, 0x36, 0x01, 0x00, 0x00, 0x03, /* movb $3,0x136(%rsp): the shim's owner */
	0x48, 0x8d, 0x84, 0x24, 0xf0, 0x00, 0x00, 0x00, /* lea 0xf0(%rsp),%rax: the shim */
	0x48, 0x89, 0x46, 0x08,                         /* mov %rax,0x8(%rsi) */
	0x0f, 0x29, 0x84, 0x24, 0xf0, 0x00, 0x00, 0x00, /* movaps %xmm0,0xf0(%rsp) */
	0x0f, 0x29, 0x84, 0x24, 0x80, 0x00, 0x00, 0x00, /* movaps %xmm0,0x80(%rsp) */
	0xff, 0xe0,                                     /* jmp *%rax */
	0xc7, 0x43, 0x40, 0xff, 0xff, 0xff, 0xff,       /* movl $-1,0x40(%rbx): another frame's */
};

static struct py_layout layout_of(uint32_t hex)
{
	struct synth *s = synth_new(hex);
	struct py_layout l = s->l;

	synth_free(s);
	return l;
}

TEST(from_the_first_store_to_the_last)
{
	const struct py_layout l = layout_of(0x030b07f0);
	struct proc_entry e;
	uint32_t start;

	window_find(EM_X86_64, &l, prologue, sizeof(prologue), &start, &e);
	CHECK_EQ(start, 12);
	CHECK_EQ(e.len, 24 - 12);
}

/* The prologue among other code, and its first store alone, which is no prologue. */
TEST(prologue_found_without_symbols)
{
	enum { SIZE = 8192, AT = 5000, STORE = 8 };
	const struct py_layout l = layout_of(0x030b07f0);
	static uint8_t text[SIZE];
	struct proc_entry e;
	uint32_t start;
	size_t at;

	memset(text, 0x90, sizeof(text));
	memcpy(text + 100, prologue + STORE, 4);
	CHECK(!window_search(EM_X86_64, &l, text, sizeof(text), &at));
	memcpy(text + AT, prologue, sizeof(prologue));
	CHECK(window_search(EM_X86_64, &l, text, sizeof(text), &at));
	CHECK_EQ(at, AT + 12);
	window_find(EM_X86_64, &l, text + at - WINDOW_BEFORE, WINDOW_CODE, &start, &e);
	CHECK_EQ(start, WINDOW_BEFORE);
	CHECK_EQ(e.len, 24 - 12);
	CHECK(!window_search(EM_AARCH64, &l, text, sizeof(text), &at));
	for (size_t len = 0; len < AT + 24; len++)
		CHECK(!window_search(EM_X86_64, &l, text, len, &at));
	memcpy(text + 2 * PY_ENTRY_BYTES, prologue, sizeof(prologue));
	CHECK(!window_search(EM_X86_64, &l, text, sizeof(text), &at));
}

enum { R12 = 4, RBP = 5, RAX = 11, RDX = 13, RSI = 14 }; /* indices in struct pt_regs, from 1 */

TEST(where_the_caller_is)
{
	const struct py_layout l = layout_of(0x030b07f0);
	struct proc_entry e;
	uint32_t start;

	window_find(EM_X86_64, &l, caller_3_11, sizeof(caller_3_11), &start, &e);
	CHECK_EQ(start, 16);
	CHECK_EQ(e.len, 16);
	CHECK_EQ(e.runs, 23);
	CHECK_EQ(e.previous_reg, RAX);
	CHECK_EQ(e.caller_reg, RSI);
	CHECK_EQ(e.caller_from, 4);
	CHECK_EQ(e.shim, 0);
	CHECK_EQ(e.frame_reg, RBP);
	window_find(EM_X86_64, &l, prologue, sizeof(prologue), &start, &e);
	CHECK_EQ(e.previous_reg, 0);
	CHECK_EQ(e.runs, e.len);
	CHECK_EQ(e.frame_reg, 0);
}

TEST(where_the_running_frame_is)
{
	static const uint8_t in_r12[] = { 0x41, 0xc7, 0x44, 0x24, 0x40, 0xff, 0xff, 0xff, 0xff };
	const struct py_layout l = layout_of(0x030b07f0);
	uint8_t code[sizeof(caller_3_11) + 2];
	struct proc_entry e;
	uint32_t start;

	memcpy(code, caller_3_11, sizeof(caller_3_11));
	memcpy(code + sizeof(code) - sizeof(in_r12), in_r12, sizeof(in_r12));
	window_find(EM_X86_64, &l, code, sizeof(code), &start, &e);
	CHECK_EQ(e.runs, 25);
	CHECK_EQ(e.frame_reg, R12);
}

TEST(where_the_shim_is)
{
	const struct py_layout l = layout_of(0x030c01f0);
	struct proc_entry e;
	uint32_t start;

	window_find(EM_X86_64, &l, caller_3_12, sizeof(caller_3_12), &start, &e);
	CHECK_EQ(start, 16);
	CHECK_EQ(e.len, 36);
	CHECK_EQ(e.runs, e.len);
	CHECK_EQ(e.frame_reg, 0); /* another frame's, after a jump */
	CHECK_EQ(e.previous_reg, RDX);
	CHECK_EQ(e.caller_reg, 0);
	CHECK_EQ(e.shim, 0x70);
	CHECK_EQ(e.shim_from, 28);
}

TEST(unknown_prologue_counts_as_a_whole)
{
	const struct py_layout l = layout_of(0x030b07f0);
	struct proc_entry e;
	uint32_t start;

	for (size_t len = 0; len < 24; len++) {
		window_find(EM_X86_64, &l, prologue, len, &start, &e);
		CHECK_EQ(start, 0);
		CHECK_EQ(e.len, PY_ENTRY_BYTES);
	}
}

/* The last store's displacement reads like a mov from (%r12) whose displacement is missing. */
TEST(instruction_that_is_cut_off)
{
	static const uint8_t code[] = {
		0x48, 0x8d, 0xb4, 0x24, 0x41, 0x8b, 0x44, 0x24, /* lea 0x24448b41(%rsp),%rsi */
		0x4c, 0x8b, 0x67, 0x38,                         /* mov 0x38(%rdi),%r12 */
		0x48, 0x89, 0x77, 0x38,                         /* mov %rsi,0x38(%rdi) */
		0x48, 0x89, 0x72, 0x30,                         /* mov %rsi,0x30(%rdx) */
		0x0f, 0x11, 0x84, 0x24, 0x49, 0x8b, 0x44, 0x24, /* movups %xmm0,0x24448b49(%rsp) */
	};
	const struct py_layout l = layout_of(0x030b07f0);
	uint8_t *copy = malloc(sizeof(code));
	struct proc_entry e;
	uint32_t start;

	memcpy(copy, code, sizeof(code));
	window_find(EM_X86_64, &l, copy, sizeof(code), &start, &e);
	CHECK_EQ(start, 16);
	CHECK_EQ(e.len, sizeof(code) - 16);
	CHECK_EQ(e.caller_reg, 0);
	free(copy);
}

/* The target chooses the distances: no sum of them may overflow. */
TEST(farthest_operands)
{
	static const int32_t far[] = { INT32_MAX, INT32_MIN };
	const struct py_layout l = layout_of(0x030b07f0);
	uint8_t code[sizeof(prologue)];
	struct proc_entry e;
	uint32_t start;

	for (size_t i = 0; i < COUNT(far); i++) {
		memcpy(code, prologue, sizeof(code));
		memcpy(code + 4, &far[i], sizeof(far[i]));
		window_find(EM_X86_64, &l, code, sizeof(code), &start, &e);
		CHECK_EQ(start, 0);
		CHECK_EQ(e.len, PY_ENTRY_BYTES);
	}
}

/* --- aarch64 ---------------------------------------------------------------------------------- */

/* Debian's 3.11.2 for arm64, executable and library. */
static const uint32_t debian_3_11[] = {
	0xa9aa7bfd, 0x910003fd, 0xa90153f3, 0xa9025bf5, 0xa90363f7,
	0xa9046bf9, 0xa90573fb, 0xb40775c0, 0xaa0103f9, 0x910403e7, /* add x7, sp, #0x100 */
	0xf9401c01, 0xaa0003fb, 0xf9400803, 0xf9003fe3, 0xf9400424,
	0x52800023, 0x39400025, 0xf9001c07, /* 0x44 str x7, [x0, #56] */
	0xf9001b24,                         /* str x4, [x25, #48] */
	0x39011323, 0x390403e5, 0xa91087f9, /* 0x54 stp x25, x1, [sp, #264] */
	0xb9402001, 0x3504b982,
};
static const uint32_t debian_3_11_library[] = {
	0xa9aa7bfd, 0x910003fd, 0xa90153f3, 0xa9025bf5, 0xa90363f7, 0xa9046bf9, 0xa90573fb,
	0xb40692c0, 0xaa0103f5, 0x910403e3, 0xf9401c01, 0x52800025, 0xf9400804, 0xf9003fe4,
	0xf9400426, 0xaa0003f6, 0x39400024, 0xf9001c03, /* 0x44 str x3, [x0, #56] */
	0xf9001aa6, 0x390112a5, 0x390403e4, 0xa91087f5, /* 0x54 stp x21, x1, [sp, #264] */
	0xb9402001, 0x35000582,
};

/* Other possible prologues: operands relative to the frame pointer, below it, and single stores. */
static const uint32_t frame_pointer[] = {
	0xd10483ff, /* sub sp, sp, #0x120 */
	0xa9107bfd, /* stp x29, x30, [sp, #256] */
	0x910403fd, /* add x29, sp, #0x100 */
	0xd10103a8, /* sub x8, x29, #0x40 */
	0xf9401c09, /* ldr x9, [x0, #56] */
	0xf9001c08, /* 0x14 str x8, [x0, #56] */
	0xf900182a, /* str x10, [x1, #48] */
	0xf81c83a1, /* stur x1, [x29, #-56] */
	0xf81d03a9, /* 0x20 stur x9, [x29, #-48] */
	0xd61f00c0, /* br x6 */
	0xf90033e9, /* str x9, [sp, #96]: other code */
};

/* 3.12: the new frame is linked to a shim at sp + 0xa8; the _PyCFrame is at sp + 0x90. */
static const uint32_t shim_3_12[] = {
	0xa9aa7bfd, 0x910003fd, 0x910243e3, /* add x3, sp, #0x90 */
	0xf9401c02, 0xf9001c03,             /* 0x10 str x3, [x0, #56] */
	0x9102a3a4,                         /* add x4, x29, #0xa8 */
	0xf9000424,                         /* str x4, [x1, #8] */
	0xa9090be4,                         /* stp x4, x2, [sp, #144] */
	0x3903bbe5,                         /* 0x20 strb w5, [sp, #238]: the shim's owner */
	0xf90037e5,                         /* str x5, [sp, #104] */
	0xd61f00c0,                         /* br x6 */
};

#define CHECK_WINDOW(hex, insns, from, to)                                                         \
	do {                                                                                       \
		const struct py_layout l = layout_of(hex);                                         \
		struct proc_entry e;                                                               \
		uint32_t start;                                                                    \
                                                                                                   \
		window_find(EM_AARCH64, &l, (const uint8_t *)(insns), sizeof(insns), &start, &e);  \
		CHECK_EQ(start, from);                                                             \
		CHECK_EQ(e.len, (to) - (from));                                                    \
	} while (0)

TEST(prologues_a64)
{
	CHECK_WINDOW(0x030b02f0, debian_3_11, 0x48, 0x58);
	CHECK_WINDOW(0x030b02f0, debian_3_11_library, 0x48, 0x58);
	CHECK_WINDOW(0x030b07f0, frame_pointer, 0x18, 0x24);
	CHECK_WINDOW(0x030c01f0, shim_3_12, 0x14, 0x24);
	CHECK_WINDOW(0x030c01f0, debian_3_11, 0, PY_ENTRY_BYTES);
	CHECK_WINDOW(0x030b02f0, shim_3_12, 0, PY_ENTRY_BYTES);
}

TEST(unknown_prologue_counts_as_a_whole_a64)
{
	const struct py_layout l = layout_of(0x030b02f0);
	struct proc_entry e;
	uint32_t start;

	for (size_t len = 0; len < 0x58; len++) {
		window_find(EM_AARCH64, &l, (const uint8_t *)debian_3_11, len, &start, &e);
		CHECK_EQ(start, 0);
		CHECK_EQ(e.len, PY_ENTRY_BYTES);
	}
	window_find(EM_RISCV, &l, (const uint8_t *)debian_3_11, sizeof(debian_3_11), &start, &e);
	CHECK_EQ(e.len, PY_ENTRY_BYTES);
}
