/* SPDX-License-Identifier: BSD-2-Clause */
/* Prologues of _PyEval_EvalFrameDefault, written by hand after those that compilers make. */
#include <string.h>

#include "images/synth.h"
#include "py/window.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#if defined(__x86_64__)
/* %rsi: the new _PyCFrame at 0xa0 of the C frame; %rdi: the thread state; %rdx: the frame. */
static const uint8_t prologue[] = {
	0x48, 0x8d, 0xb4, 0x24, 0xa0, 0x00, 0x00, 0x00, /* lea 0xa0(%rsp),%rsi */
	0x48, 0x89, 0x77, 0x38,                         /* mov %rsi,0x38(%rdi) */
	0x0f, 0x11, 0x84, 0x24, 0xa8, 0x00, 0x00, 0x00, /* movups %xmm0,0xa8(%rsp) */
	0x48, 0x89, 0x72, 0x30,                         /* mov %rsi,0x30(%rdx) */
	0x90,
};

static struct py_layout layout_3_11(void)
{
	struct synth *s = synth_new(0x030b07f0);
	struct py_layout l = s->l;

	synth_free(s);
	return l;
}

TEST(from_the_first_store_to_the_last)
{
	const struct py_layout l = layout_3_11();
	uint32_t start, end;

	window_find(&l, prologue, sizeof(prologue), &start, &end);
	CHECK_EQ(start, 12);
	CHECK_EQ(end, 24);
}

TEST(what_is_not_understood_is_all_of_it)
{
	const struct py_layout l = layout_3_11();
	uint32_t start, end;

	for (size_t len = 0; len < 24; len++) {
		window_find(&l, prologue, len, &start, &end);
		CHECK_EQ(start, 0);
		CHECK_EQ(end, PY_ENTRY_BYTES);
	}
}

/* The distances are the target's: none makes a sum that does not fit. */
TEST(farthest_operands)
{
	static const int32_t far[] = { INT32_MAX, INT32_MIN };
	const struct py_layout l = layout_3_11();
	uint8_t code[sizeof(prologue)];
	uint32_t start, end;

	for (size_t i = 0; i < COUNT(far); i++) {
		memcpy(code, prologue, sizeof(code));
		memcpy(code + 4, &far[i], sizeof(far[i]));
		window_find(&l, code, sizeof(code), &start, &end);
		CHECK_EQ(start, 0);
		CHECK_EQ(end, PY_ENTRY_BYTES);
	}
}
#endif
