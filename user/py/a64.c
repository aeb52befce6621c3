/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every instruction has 4 bytes, and most share these positions of their fields (Arm's manual,
 * C4.1):
 *
 *	31 30 | 29 .. 27 | 26 | 25 24 23 22 | ...            | 9 .. 5 | 4 .. 0
 *	size            vector      opc       immediate, Rm     Rn      Rd, Rt
 *
 * insns[] has a row for each recognized instruction. Any other is assumed to write Rd, which
 * becomes unknown. That is right for nearly all of them; for the others it only loses information.
 */
#include "py/a64.h"

#include <string.h>

/* A called function may change x0 to x18 and x30. */
enum { CALLER_SAVED = 19, LINK = 30 };

static const struct a64_value unknown;

static uint32_t bits(uint32_t insn, int low, int count)
{
	return insn >> low & ((1U << count) - 1);
}

static int64_t signed_bits(uint32_t insn, int low, int count)
{
	return (int64_t)((uint64_t)bits(insn, low, count) << (64 - count)) >> (64 - count);
}

static unsigned int rd(uint32_t insn)
{
	return bits(insn, 0, 5);
}

static unsigned int rn(uint32_t insn)
{
	return bits(insn, 5, 5);
}

static unsigned int rm(uint32_t insn)
{
	return bits(insn, 16, 5);
}

static struct a64_value moved(struct a64_value v, int64_t by)
{
	v.value += (uint64_t)by;
	return v;
}

/* @base plus a distance. */
static struct a64_value address(struct a64_value base, int64_t by)
{
	switch (base.kind) {
	case A64_PLACE:
	case A64_STACK:
	case A64_THREAD:
		return moved(base, by);
	case A64_THREAD_WORD:
	case A64_THREAD_RESOLVED:
		return by ? (struct a64_value){ A64_UNKNOWN, UINT64_MAX } : base;
	default:
		return (struct a64_value){ A64_UNKNOWN, (uint64_t)by };
	}
}

/* As an operand, register 31 is the constant 0, not the stack pointer. */
static struct a64_value operand(const struct a64 *m, unsigned int reg)
{
	return reg == A64_SP ? (struct a64_value){ A64_PLACE, 0 } : m->reg[reg];
}

static bool is_base(const struct a64_value *v)
{
	return v->kind == A64_THREAD && !v->value;
}

static struct a64_value sum(struct a64_value a, struct a64_value b)
{
	if (a.kind == A64_PLACE || is_base(&b)) {
		struct a64_value other = a;

		a = b;
		b = other;
	}
	if (b.kind == A64_PLACE && a.kind >= A64_PLACE && a.kind <= A64_THREAD)
		return moved(a, (int64_t)b.value);
	if (is_base(&a) && b.kind == A64_WORD)
		return (struct a64_value){ A64_THREAD_WORD, b.value };
	if (is_base(&a) && b.kind == A64_RESOLVED)
		return (struct a64_value){ A64_THREAD_RESOLVED, b.value };
	return unknown;
}

/* --- arithmetic ------------------------------------------------------------------------------- */

static void set(struct a64 *m, unsigned int reg, struct a64_value v, struct a64_step *s)
{
	m->reg[reg] = v;
	s->effect = A64_SET;
	s->what[0] = v;
	s->count = 1;
	s->size = 8;
}

/* adr, adrp */
static void step_adr(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	int64_t distance = signed_bits(insn, 5, 19) * 4 + bits(insn, 29, 2);
	uint64_t at = m->address + m->pos;

	if (insn >> 31)
		at = (at & ~0xfffULL) + (uint64_t)distance * 4096;
	else
		at += (uint64_t)distance;
	if (rd(insn) != A64_SP)
		set(m, rd(insn), (struct a64_value){ A64_PLACE, at }, s);
}

/* add, sub Xd|SP, Xn|SP, #imm */
static void step_add(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	int64_t imm = (int64_t)bits(insn, 10, 12) << (bits(insn, 22, 1) ? 12 : 0);
	struct a64_value v = m->reg[rn(insn)];

	set(m, rd(insn), address(v, bits(insn, 30, 1) ? -imm : imm), s);
}

/* add Xd, Xn, Xm */
static void step_sum(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	if (rd(insn) != A64_SP)
		set(m, rd(insn), sum(operand(m, rn(insn)), operand(m, rm(insn))), s);
}

/* mov Xd, Xm */
static void step_mov(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	if (rd(insn) != A64_SP)
		set(m, rd(insn), operand(m, rm(insn)), s);
}

/* movz */
static void step_movz(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	uint64_t v = (uint64_t)bits(insn, 5, 16) << 16 * bits(insn, 21, 2);

	if (rd(insn) != A64_SP)
		set(m, rd(insn), (struct a64_value){ A64_PLACE, v }, s);
}

/* movk: replaces 16 bits */
static void step_movk(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	int shift = 16 * bits(insn, 21, 2);
	struct a64_value v = operand(m, rd(insn));

	v.value = (v.value & ~(0xffffULL << shift)) | (uint64_t)bits(insn, 5, 16) << shift;
	if (rd(insn) != A64_SP)
		set(m, rd(insn), v.kind == A64_PLACE ? v : unknown, s);
}

/* mrs Xd, tpidr_el0 */
static void step_mrs(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	if (rd(insn) != A64_SP)
		set(m, rd(insn), (struct a64_value){ A64_THREAD, 0 }, s);
}

/* --- memory ----------------------------------------------------------------------------------- */

static struct a64_value loaded(const struct a64_step *s, unsigned int which)
{
	if (s->at.kind != A64_PLACE || s->size != 8)
		return unknown;
	return (struct a64_value){ A64_WORD, s->at.value + 8 * which };
}

/* Loads or stores one register; @s->at is the address of the access. */
static void transfer(struct a64 *m, struct a64_step *s, unsigned int reg, bool vector)
{
	unsigned int which = s->count++;

	if (s->effect == A64_STORE) {
		s->what[which] = vector ? unknown : operand(m, reg);
		return;
	}
	s->what[which] = vector ? unknown : loaded(s, which);
	if (!vector && reg != A64_SP)
		m->reg[reg] = s->what[which];
}

/* Computes the address of an access and updates the base register. Forms 1 and 3 write it back. */
static void place(struct a64 *m, struct a64_step *s, unsigned int base, int64_t by, int form)
{
	enum { POST = 1, PRE = 3 };

	s->at = address(m->reg[base], form == POST ? 0 : by);
	if (form == POST || form == PRE)
		m->reg[base] = address(m->reg[base], by);
}

/* Bytes that one register of an access has; for vectors, opc has another bit of the size. */
static unsigned int width(uint32_t insn)
{
	if (bits(insn, 26, 1) && bits(insn, 23, 1))
		return 16;
	return 1U << bits(insn, 30, 2);
}

static enum a64_effect direction(uint32_t insn)
{
	bool vector = bits(insn, 26, 1);

	return (vector ? bits(insn, 22, 1) : bits(insn, 22, 2)) ? A64_LOAD : A64_STORE;
}

/* ldr, str Rt, [Xn, #imm * size] */
static void step_scaled(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	s->effect = direction(insn);
	s->size = width(insn);
	place(m, s, rn(insn), (int64_t)bits(insn, 10, 12) * s->size, 0);
	transfer(m, s, rd(insn), bits(insn, 26, 1));
}

/* ldur, stur Rt, [Xn, #imm], and ldr, str with the new address written back */
static void step_unscaled(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	s->effect = direction(insn);
	s->size = width(insn);
	place(m, s, rn(insn), signed_bits(insn, 12, 9), (int)bits(insn, 10, 2));
	transfer(m, s, rd(insn), bits(insn, 26, 1));
}

/* ldr, str Rt, [Xn, Xm]; with a shift or extension the address is unknown */
static void step_indexed(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	enum { LSL_0 = 6 }; /* option 011, no shift */

	s->effect = direction(insn);
	s->size = width(insn);
	s->at = bits(insn, 12, 4) == LSL_0 ? sum(m->reg[rn(insn)], operand(m, rm(insn))) : unknown;
	if (s->at.kind == A64_UNKNOWN)
		s->at.value = UINT64_MAX;
	transfer(m, s, rd(insn), bits(insn, 26, 1));
}

/* ldp, stp Rt, Rt2, [Xn, #imm * size] */
static void step_pair(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	bool vector = bits(insn, 26, 1);

	s->effect = bits(insn, 22, 1) ? A64_LOAD : A64_STORE;
	s->size = vector ? 4U << bits(insn, 30, 2) : bits(insn, 31, 1) ? 8 : 4;
	place(m, s, rn(insn), signed_bits(insn, 15, 7) * (int)s->size, (int)bits(insn, 23, 2));
	transfer(m, s, rd(insn), vector);
	transfer(m, s, bits(insn, 10, 5), vector);
}

/* --- calls ------------------------------------------------------------------------------------ */

static void step_call(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	for (unsigned int i = 0; i < CALLER_SAVED; i++)
		m->reg[i] = unknown;
	m->reg[LINK] = unknown;
}

/* blr; a TLS descriptor's function, called with the descriptor in x0, changes only x0 */
static void step_call_register(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	struct a64_value function = operand(m, rn(insn));

	if (function.kind != A64_WORD || m->reg[0].kind != A64_PLACE ||
	    m->reg[0].value != function.value)
		step_call(m, insn, s);
	else
		m->reg[0].kind = A64_RESOLVED;
}

/* Hints and barriers, and conditional jumps, assumed not taken. */
static void step_nothing(struct a64 *m, uint32_t insn, struct a64_step *s)
{
}

static void step_other(struct a64 *m, uint32_t insn, struct a64_step *s)
{
	if (rd(insn) != A64_SP)
		m->reg[rd(insn)] = unknown;
}

/* The first matching row counts. A row without a step ends the straight line. */
static const struct {
	uint32_t mask, insn;
	void (*step)(struct a64 *m, uint32_t insn, struct a64_step *s);
} insns[] = {
	{ 0x1f000000, 0x10000000, step_adr },
	{ 0xbf800000, 0x91000000, step_add },
	{ 0xffe0fc00, 0x8b000000, step_sum },
	{ 0xffe0ffe0, 0xaa0003e0, step_mov },
	{ 0x7f800000, 0x52800000, step_movz },
	{ 0xff800000, 0xf2800000, step_movk },
	{ 0xffffffe0, 0xd53bd040, step_mrs },
	{ 0xfff00000, 0xd5300000, step_other }, /* mrs of another register */
	{ 0x3b000000, 0x39000000, step_scaled },
	{ 0x3b200000, 0x38000000, step_unscaled },
	{ 0x3b200c00, 0x38200800, step_indexed },
	{ 0x3a000000, 0x28000000, step_pair },
	{ 0xfc000000, 0x94000000, step_call },
	{ 0xfffffc1f, 0xd63f0000, step_call_register },
	{ 0xfe000000, 0xd6000000, NULL }, /* br, ret and similar */
	{ 0xfc000000, 0x14000000, NULL }, /* b */
	{ 0x1c000000, 0x14000000, step_nothing },
	{ 0x00000000, 0x00000000, step_other },
};

struct a64 a64_start(const uint8_t *code, size_t len, uint64_t address)
{
	struct a64 m = { .code = code, .len = len, .address = address };

	m.reg[A64_SP].kind = A64_STACK;
	return m;
}

bool a64_next(struct a64 *m, struct a64_step *ret)
{
	uint32_t insn;
	size_t i = 0;

	memset(ret, 0, sizeof(*ret));
	if (m->len - m->pos < sizeof(insn))
		return false;
	memcpy(&insn, m->code + m->pos, sizeof(insn));
	while ((insn & insns[i].mask) != insns[i].insn)
		i++;
	if (!insns[i].step)
		return false;
	insns[i].step(m, insn, ret);
	m->pos += sizeof(insn);
	return true;
}
