/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64. The prologue says (registers and distances vary)
 *
 *	lea  0xa0(%rsp),%rsi		the new _PyCFrame is at 0xa0 of this C frame
 *	mov  %rsi,0x38(%rdi)		tstate->cframe = &cframe	<- start: after it
 *	...
 *	movups %xmm0,0xa8(%rsp)		current_frame and previous	<- end: after the last of them
 *
 * No instruction is decoded whole: the three are found by their operands, which no other instruction
 * of a prologue has. What is not found is not guessed: the window is then the whole prologue.
 */
#include "py/window.h"

#include <stdbool.h>
#include <string.h>

/* An operand [base + displacement] of an instruction, base %rsp or %rbp. */
struct operand {
	bool frame_pointer;
	int32_t at;
	size_t size; /* bytes of ModRM, SIB and displacement */
};

static bool stack_operand(const uint8_t *code, size_t left, struct operand *ret)
{
	uint8_t mod = left > 1 ? code[0] >> 6 : 0, rm = code[0] & 7;
	size_t head = rm == 4 ? 2 : 1, size = mod == 1 ? 1 : 4;

	if ((mod != 1 && mod != 2) || (rm != 4 && rm != 5) || (rm == 4 && code[1] != 0x24) ||
	    left < head + size)
		return false;
	ret->frame_pointer = rm == 5;
	ret->size = head + size;
	ret->at = (int8_t)code[head];
	if (size == 4)
		memcpy(&ret->at, code + head, sizeof(ret->at));
	return true;
}

static bool same_base(const struct operand *a, const struct operand *b)
{
	return a->frame_pointer == b->frame_pointer;
}

/* mov %reg,disp8(%base): publishes. Returns the offset behind it, 0: there is none. */
static size_t find_publish(const struct py_layout *l, const uint8_t *code, size_t len, uint8_t *reg)
{
	for (size_t i = 0; i + 4 <= len; i++) {
		if ((code[i] & 0xf8) != 0x48 || code[i + 1] != 0x89 || code[i + 2] >> 6 != 1 ||
		    (code[i + 2] & 7) == 4 || code[i + 3] != l->ts_frame)
			continue;
		*reg = (code[i + 2] >> 3 & 7) | (code[i] & 4) << 1;
		return i + 4;
	}
	return 0;
}

/* lea operand,%reg: the last one before the publishing store. */
static bool find_cframe(const uint8_t *code, size_t publish, uint8_t reg, struct operand *ret)
{
	bool found = false;

	for (size_t i = 0; i + 3 < publish; i++) {
		struct operand o;

		if ((code[i] & 0xfb) != 0x48 || code[i + 1] != 0x8d ||
		    ((code[i + 2] >> 3 & 7) | (code[i] & 4) << 1) != reg ||
		    !stack_operand(code + i + 2, publish - i - 2, &o))
			continue;
		*ret = o;
		found = true;
	}
	return found;
}

static bool is_store(const uint8_t *code, size_t modrm)
{
	uint8_t op = code[modrm - 1];

	if (modrm >= 2 && code[modrm - 2] == 0x0f)
		return op == 0x11 || op == 0x29 || op == 0x7f || op == 0xd6 || op == 0x17;
	return op == 0x89 || op == 0xc7;
}

/* Offset behind the last store into cframe.current_frame or cframe.previous. */
static size_t find_filled(const struct py_layout *l, const uint8_t *code, size_t len, size_t from,
			  const struct operand *cframe)
{
	int32_t first = cframe->at + l->cf_frame;
	size_t end = 0;

	for (size_t i = from; i < len; i++) {
		struct operand o;

		if (!stack_operand(code + i, len - i, &o) || !same_base(&o, cframe) ||
		    o.at < first || o.at > first + 8 || !is_store(code, i))
			continue;
		end = i + o.size + (code[i - 1] == 0xc7 ? 4 : 0);
	}
	return end;
}

void window_find(const struct py_layout *l, const uint8_t *code, size_t len, uint32_t *ret_start,
		 uint32_t *ret_end)
{
	struct operand cframe;
	size_t start, end;
	uint8_t reg;

	*ret_start = 0;
	*ret_end = PY_ENTRY_BYTES;
#if !defined(__x86_64__)
	return;
#endif
	start = find_publish(l, code, len, &reg);
	if (!start || !find_cframe(code, start, reg, &cframe))
		return;
	end = find_filled(l, code, len, start, &cframe);
	if (!end)
		return;
	*ret_start = start;
	*ret_end = end;
}
