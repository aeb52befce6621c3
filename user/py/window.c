/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * On x86-64 the interpreter's prologue has (registers and offsets vary)
 *
 *	lea  0xa0(%rsp),%rsi		the new _PyCFrame is at 0xa0 of this C frame
 *	mov  %rsi,0x38(%rdi)		tstate->cframe = &cframe	<- start: after it
 *	...
 *	movups %xmm0,0xa8(%rsp)		current_frame and previous
 *	lea  0xf0(%rsp),%rax		3.12: the shim frame for this C frame
 *	mov  %rax,0x8(%rdx)		frame->previous = &shim		<- end: after the last of them
 *
 * The first two come first; the others are in any order. Instructions are not fully decoded, but
 * found by their operands, which no other instruction of a prologue has.
 *
 * aarch64 does the same with
 *
 *	add  x7, sp, #0x100
 *	str  x7, [x0, #56]			tstate->cframe = &cframe	<- start: after it
 *	str  x4, [x25, #48]			frame->previous
 *	stp  x25, x1, [sp, #264]		current_frame and previous	<- end: after it
 *
 * There the registers are followed up to the first jump, and the address of a store identifies it.
 *
 * Nothing is guessed: if a store is not found, the window is the whole prologue.
 */
#include "py/window.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "py/a64.h"

/* A window that is found ends before this offset; the frame may start to run after it. */
enum { PROLOGUE = 0x140 };

/* An instruction's operand [base + displacement] with base %rsp or %rbp. */
struct operand {
	bool frame_pointer;
	int64_t at;  /* 32 bits from the target; sums do not overflow */
	size_t size; /* bytes of ModRM, SIB and displacement */
};

static bool stack_operand(const uint8_t *code, size_t left, struct operand *ret)
{
	uint8_t mod = left > 1 ? code[0] >> 6 : 0, rm = code[0] & 7;
	size_t head = rm == 4 ? 2 : 1, size = mod == 1 ? 1 : 4;
	int32_t far;

	if ((mod != 1 && mod != 2) || (rm != 4 && rm != 5) || (rm == 4 && code[1] != 0x24) ||
	    left < head + size)
		return false;
	ret->frame_pointer = rm == 5;
	ret->size = head + size;
	ret->at = (int8_t)code[head];
	if (size == 1)
		return true;
	memcpy(&far, code + head, sizeof(far));
	ret->at = far;
	return true;
}

static bool same_base(const struct operand *a, const struct operand *b)
{
	return a->frame_pointer == b->frame_pointer;
}

/* Finds mov %reg,@at(%base), base not %rsp, from @from on. Returns the offset after it, 0: none. */
static size_t find_store(const uint8_t *code, size_t len, size_t from, uint8_t at, uint8_t *reg)
{
	for (size_t i = from; i + 5 <= len; i++) {
		bool r12 = (code[i] & 1) && (code[i + 2] & 7) == 4 && code[i + 3] == 0x24;
		size_t displacement = i + 3 + r12;

		if ((code[i] & 0xfa) != 0x48 || code[i + 1] != 0x89 || code[i + 2] >> 6 != 1 ||
		    ((code[i + 2] & 7) == 4 && !r12) || code[displacement] != at)
			continue;
		*reg = (code[i + 2] >> 3 & 7) | (code[i] & 4) << 1;
		return displacement + 1;
	}
	return 0;
}

/* The destination register of the last mov @at(%base),%reg that ends by @before; < 0: none. */
static int find_load(const uint8_t *code, size_t before, uint8_t base, uint8_t at, size_t *ret_end)
{
	int found = -1;

	for (size_t i = 0; i + 3 < before; i++) {
		const uint8_t *c = code + i;
		bool sib = (c[2] & 7) == 4, near = c[2] >> 6 == 1;
		size_t end = i + 3 + sib + near;

		if (end > before || (c[0] & 0xfa) != 0x48 || c[1] != 0x8b ||
		    (near ? c[3 + sib] != at : at || c[2] >> 6) ||
		    ((c[2] & 7) | (c[0] & 1) << 3) != base || (sib && c[3] != 0x24) ||
		    (!near && (c[2] & 7) == 5))
			continue;
		found = (c[2] >> 3 & 7) | (c[0] & 4) << 1;
		*ret_end = end;
	}
	return found;
}

/* Finds the last lea operand,%reg before @before. */
static bool find_lea(const uint8_t *code, size_t before, uint8_t reg, struct operand *ret)
{
	bool found = false;

	for (size_t i = 0; i + 3 < before; i++) {
		struct operand o;

		if ((code[i] & 0xfb) != 0x48 || code[i + 1] != 0x8d ||
		    ((code[i + 2] >> 3 & 7) | (code[i] & 4) << 1) != reg ||
		    !stack_operand(code + i + 2, before - i - 2, &o))
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
	return op == 0x88 || op == 0x89 || op == 0xc6 || op == 0xc7;
}

/* Bytes of the immediate operand that follows ModRM and displacement. */
static size_t immediate(const uint8_t *code, size_t modrm)
{
	if (code[modrm - 1] == 0xc6)
		return 1;
	if (code[modrm - 1] == 0xc7)
		return modrm >= 2 && code[modrm - 2] == 0x66 ? 2 : 4;
	return 0;
}

/* Offset after the last store to bytes @first to @last of @object; 0: none. */
static size_t last_store(const uint8_t *code, size_t len, const struct operand *object,
			 int32_t first, int32_t last)
{
	size_t end = 0;

	for (size_t i = 1; i < len; i++) {
		struct operand o;

		if (!stack_operand(code + i, len - i, &o) || !same_base(&o, object) ||
		    o.at < object->at + first || o.at > object->at + last || !is_store(code, i))
			continue;
		end = i + o.size + immediate(code, i);
	}
	return end;
}

/*
 * Offset after the stores that link the new frame. In 3.12 it is linked to a shim in the same C
 * frame; *@ret_shim is then the operand of the shim.
 */
static size_t find_linked(const struct py_layout *l, const uint8_t *code, size_t len,
			  const struct operand *cframe, struct operand *ret_shim)
{
	struct operand shim;
	size_t end = 0, filled;
	uint8_t reg;

	while ((end = find_store(code, len, end, l->fr_back, &reg))) {
		if (!(l->flags & PY_SHIM))
			return end;
		if (!find_lea(code, end, reg, &shim) || !same_base(&shim, cframe) ||
		    shim.at == cframe->at)
			continue;
		*ret_shim = shim;
		filled = last_store(code, len, &shim, 0, l->fr_owner);
		return filled > end ? filled : end;
	}
	return 0;
}

/*
 * Offset after movl $-1,@at(%reg), which marks the frame as running. Searches from @from up to the
 * first indirect jump; 0: none.
 */
static size_t find_running(const uint8_t *code, size_t len, size_t from, uint8_t at, uint8_t *reg)
{
	static const uint8_t none[] = { 0xff, 0xff, 0xff, 0xff };

	for (size_t i = from; i + 7 <= len; i++) {
		const uint8_t *c = code + i;
		bool sib = (c[1] & 7) == 4;

		if (c[0] == 0xff && (c[1] >> 3 & 7) == 4)
			return 0;
		if (c[0] == 0xc7 && c[1] >> 6 == 1 && !(c[1] >> 3 & 7) && i + 7 + sib <= len &&
		    c[2 + sib] == at && !memcmp(c + 3 + sib, none, sizeof(none))) {
			*reg = (c[1] & 7) | (i > from && c[-1] == 0x41) << 3;
			return i + 7 + sib;
		}
	}
	return 0;
}

/* Maps register numbers in code to positions in the kernel's struct pt_regs. */
static const uint8_t pt_regs[16] = { 10, 11, 12, 5, 19, 4, 13, 14, 9, 8, 7, 6, 3, 2, 1, 0 };

/* mov ts_frame(%tstate),%reg loads the previous _PyCFrame, then mov cf_frame(%reg),%reg its frame. */
static void find_caller(const struct py_layout *l, const uint8_t *code, size_t start, size_t end,
			struct proc_entry *ret)
{
	bool r12 =
		code[start - 2] == 0x24; /* start is after REX, opcode, ModRM, SIB, displacement */
	const uint8_t *modrm = code + start - 2 - r12;
	size_t from = 0, caller = 0;
	int reg = find_load(code, start, (modrm[0] & 7) | (modrm[-2] & 1) << 3, l->ts_frame, &from);

	if (reg < 0)
		return;
	ret->previous_reg = pt_regs[reg] + 1;
	reg = find_load(code + from, end - from, reg, l->cf_frame, &caller);
	if (reg < 0)
		return;
	ret->caller_reg = pt_regs[reg] + 1;
	ret->caller_from = from + caller > start ? from + caller - start : 0;
}

/* Sets the shim's distance from the _PyCFrame, and the offset after which it is linked to the caller. */
static void set_shim(const struct py_layout *l, const uint8_t *code, size_t start, size_t end,
		     const struct operand *cframe, const struct operand *shim,
		     struct proc_entry *ret)
{
	size_t linked = last_store(code, end, shim, 0, l->fr_back);
	int64_t distance = shim->at - cframe->at;

	if (!(l->flags & PY_SHIM) || distance != (int16_t)distance || linked < start)
		return;
	ret->shim = distance;
	ret->shim_from = linked - start;
}

/*
 * Finds the place after the prologue where the new frame starts to run, and the register that holds
 * the frame. If another frame is published before that, runs stays at the end of the window.
 */
static void set_running(const struct py_layout *l, const uint8_t *code, size_t len, size_t start,
			const struct operand *cframe, struct proc_entry *ret)
{
	size_t end = start + ret->len;
	uint8_t reg = 0;
	size_t runs = find_running(code, len, end, l->fr_stacktop, &reg);

	ret->runs = ret->len;
	if (!runs || last_store(code, runs, cframe, l->cf_frame, l->cf_frame) > end)
		return;
	ret->runs = runs - start;
	ret->frame_reg = pt_regs[reg] + 1;
}

static void find_x86(const struct py_layout *l, const uint8_t *code, size_t all,
		     uint32_t *ret_start, struct proc_entry *ret)
{
	size_t len = all < PROLOGUE ? all : PROLOGUE, start, end, linked;
	struct operand cframe, shim = {};
	uint8_t reg;

	start = find_store(code, len, 0, l->ts_frame, &reg);
	if (!start || !find_lea(code, start, reg, &cframe))
		return;
	end = last_store(code, len, &cframe, l->cf_frame, l->cf_frame + 8);
	linked = find_linked(l, code, len, &cframe, &shim);
	if (!end || !linked)
		return;
	end = linked > end ? linked : end;
	end = end > start ? end : start;
	*ret_start = start;
	ret->len = end - start;
	set_running(l, code, all, start, &cframe, ret);
	find_caller(l, code, start, end, ret);
	set_shim(l, code, start, end, &cframe, &shim, ret);
}

/* --- aarch64 ---------------------------------------------------------------------------------- */

/* Facts about the prologue. Offsets are those after an instruction, 0: not found. */
struct prologue {
	size_t published, linked;
	uint64_t cframe, shim; /* offsets from the stack pointer at entry */
};

/* Notes an 8-byte store to an object outside of this C frame: a thread state or a frame. */
static void note_store(struct prologue *p, const struct py_layout *l, uint64_t at,
		       const struct a64_value *what, size_t end)
{
	bool own = what->kind == A64_STACK, shim = l->flags & PY_SHIM;

	if (!p->published && own && at == l->ts_frame) {
		p->published = end;
		p->cframe = what->value;
	} else if (!p->linked && at == l->fr_back && own == shim &&
		   !(own && p->published && what->value == p->cframe)) {
		p->linked = end;
		p->shim = what->value;
	}
}

static struct prologue read_prologue(const struct py_layout *l, struct a64 m)
{
	struct prologue p = {};
	struct a64_step s;

	while (a64_next(&m, &s))
		if (s.effect == A64_STORE && s.size == 8 && s.at.kind == A64_UNKNOWN)
			for (unsigned int i = 0; i < s.count; i++)
				note_store(&p, l, s.at.value + 8 * i, &s.what[i], m.pos);
	return p;
}

/* Offset after the last store to the @len bytes on the stack at @object; 0: none. */
static size_t last_store_a64(struct a64 m, uint64_t object, int64_t len)
{
	struct a64_step s;
	size_t end = 0;

	while (a64_next(&m, &s)) {
		int64_t behind = (int64_t)(s.at.value - object);

		if (s.effect == A64_STORE && s.at.kind == A64_STACK && behind < len &&
		    behind + (int64_t)(s.size * s.count) > 0)
			end = m.pos;
	}
	return end;
}

static void find_a64(const struct py_layout *l, const uint8_t *code, size_t len,
		     uint32_t *ret_start, struct proc_entry *ret)
{
	const struct a64 m = a64_start(code, len, 0);
	const struct prologue p = read_prologue(l, m);
	size_t end = p.published ? last_store_a64(m, p.cframe + l->cf_frame, 16) : 0, shim = 0;

	if (!end || !p.linked)
		return;
	if (l->flags & PY_SHIM)
		shim = last_store_a64(m, p.shim, l->fr_owner + 1);
	end = p.linked > end ? p.linked : end;
	end = shim > end ? shim : end;
	*ret_start = p.published;
	ret->len = end > p.published ? end - p.published : 0;
	ret->runs = ret->len;
}

void window_find(uint16_t machine, const struct py_layout *l, const uint8_t *code, size_t len,
		 uint32_t *ret_start, struct proc_entry *ret)
{
	*ret_start = 0;
	*ret = (struct proc_entry){ .len = PY_ENTRY_BYTES, .runs = PY_ENTRY_BYTES };
	if (machine == EM_X86_64)
		find_x86(l, code, len, ret_start, ret);
	else if (machine == EM_AARCH64)
		find_a64(l, code, len < PROLOGUE ? len : PROLOGUE, ret_start, ret);
}

bool window_search(uint16_t machine, const struct py_layout *l, const uint8_t *text, size_t len,
		   size_t *ret)
{
	size_t store = 0, found = 0, from;
	struct proc_entry entry;
	uint32_t start;
	uint8_t reg;

	if (machine != EM_X86_64)
		return false;
	while ((store = find_store(text, len, store, l->ts_frame, &reg))) {
		from = store > WINDOW_BEFORE ? store - WINDOW_BEFORE : 0;
		window_find(machine, l, text + from,
			    len - from < WINDOW_CODE ? len - from : WINDOW_CODE, &start, &entry);
		if (!start || from + start != store)
			continue;
		if (found)
			return false;
		found = store;
	}
	*ret = found;
	return found;
}
