/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions are rows of a table: operands, and what they do to the state. The program may be
 * absurd; each instruction takes at least a byte of it, so it ends.
 */
#include "native/cfa.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct cfa_machine machines[] = {
	{ .machine = EM_X86_64, .sp = 7, .fp = 6 },
	{ .machine = EM_AARCH64, .sp = 31, .fp = 29, .ra_in_register = true },
};

const struct cfa_machine *cfa_machine(uint16_t machine)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		if (machines[i].machine == machine)
			return &machines[i];
	return NULL;
}

/* --- the state -------------------------------------------------------------------------------- */

/* Operands of an instruction. */
struct args {
	uint64_t a, b;
	uint64_t block, block_end; /* addresses of an expression */
};

/* NULL: a register that is not followed. */
static struct cfa_saved *saved(struct cfa *c, struct cfa_state *s, uint64_t reg)
{
	if (reg == c->machine->fp)
		return &s->fp;
	if (reg == c->machine->sp)
		return &s->sp;
	return reg == c->fde->cie.ra ? &s->ra : NULL;
}

static int place(struct cfa *c, uint64_t reg, enum cfa_place where, int64_t offset)
{
	struct cfa_saved *s = saved(c, &c->state, reg);

	if (s)
		*s = (struct cfa_saved){ where, offset };
	return 0;
}

static int factored(const struct cfa *c, int64_t n, int64_t *ret)
{
	return __builtin_mul_overflow(n, c->fde->cie.data_align, ret) ? -EINVAL : 0;
}

static int place_factored(struct cfa *c, uint64_t reg, int64_t n)
{
	int64_t offset;

	return factored(c, n, &offset) ? -EINVAL : place(c, reg, CFA_AT, offset);
}

static int set_cfa(struct cfa *c, uint64_t reg, int64_t offset)
{
	c->state.kind = CFA_OFFSET;
	c->state.reg = reg;
	c->state.offset = offset;
	return 0;
}

/* --- instructions ------------------------------------------------------------------------------- */

static int do_nothing(struct cfa *c, const struct args *x)
{
	return 0;
}

static int do_set_loc(struct cfa *c, const struct args *x)
{
	c->at = x->a;
	return 0;
}

static int do_advance(struct cfa *c, const struct args *x)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(x->a, c->fde->cie.code_align, &bytes) ||
	    __builtin_add_overflow(c->at, bytes, &c->at))
		c->at = UINT64_MAX;
	return 0;
}

static int do_offset(struct cfa *c, const struct args *x)
{
	return place_factored(c, x->a, x->b);
}

static int do_negative_offset(struct cfa *c, const struct args *x)
{
	return place_factored(c, x->a, -x->b);
}

static int do_restore(struct cfa *c, const struct args *x)
{
	struct cfa_saved *now = saved(c, &c->state, x->a), *then = saved(c, &c->initial, x->a);

	if (now)
		*now = *then;
	return 0;
}

static int do_undefined(struct cfa *c, const struct args *x)
{
	return place(c, x->a, CFA_UNDEFINED, 0);
}

static int do_same(struct cfa *c, const struct args *x)
{
	return place(c, x->a, CFA_SAME, 0);
}

/* Of a value, an address or a register that is not followed. */
static int do_elsewhere(struct cfa *c, const struct args *x)
{
	return place(c, x->a, CFA_ELSEWHERE, 0);
}

static int do_remember(struct cfa *c, const struct args *x)
{
	if (c->depth == CFA_DEPTH)
		return -EINVAL;
	c->saved[c->depth++] = c->state;
	return 0;
}

static int do_recall(struct cfa *c, const struct args *x)
{
	if (!c->depth)
		return -EINVAL;
	c->state = c->saved[--c->depth];
	return 0;
}

static int do_cfa(struct cfa *c, const struct args *x)
{
	return set_cfa(c, x->a, x->b);
}

static int do_cfa_sf(struct cfa *c, const struct args *x)
{
	int64_t offset;

	return factored(c, x->b, &offset) ? -EINVAL : set_cfa(c, x->a, offset);
}

static int do_cfa_register(struct cfa *c, const struct args *x)
{
	return set_cfa(c, x->a, c->state.offset);
}

static int do_cfa_offset(struct cfa *c, const struct args *x)
{
	return set_cfa(c, c->state.reg, x->a);
}

static int do_cfa_offset_sf(struct cfa *c, const struct args *x)
{
	int64_t offset;

	return factored(c, x->a, &offset) ? -EINVAL : set_cfa(c, c->state.reg, offset);
}

/* --- expressions -------------------------------------------------------------------------------- */

/* DWARF's operations, as far as they are recognized. */
enum {
	DW_OP_DEREF = 0x06,
	DW_OP_PLUS_UCONST = 0x23,
	DW_OP_BREG0 = 0x70,
	DW_OP_BREG31 = 0x8f,
};

/*
 * What linkers write for the procedure linkage table of x86-64: rsp + 8 + ((rip & 15) >= N) * 8. N is
 * at NTH: 11, or 10 where the entries begin with endbr64.
 */
static const uint8_t plt[] = { 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22 };
enum { NTH = 6, LIT10 = 0x3a };

/* CFA_OTHER: it is not that. */
static enum cfa_kind plt_kind(struct cursor c)
{
	uint8_t code[sizeof(plt)], want;

	if (cursor_left(&c) != sizeof(plt))
		return CFA_OTHER;
	for (size_t i = 0; i < sizeof(plt); i++)
		code[i] = cursor_byte(&c);
	want = code[NTH];
	code[NTH] = plt[NTH];
	if (c.bad || memcmp(code, plt, sizeof(plt)))
		return CFA_OTHER;
	return want == plt[NTH] ? CFA_PLT11 : want == LIT10 ? CFA_PLT10 : CFA_OTHER;
}

/* register + offset, or *(register + offset) + add. */
static void simple_kind(struct cursor c, struct cfa_state *s)
{
	uint8_t op = cursor_byte(&c);
	int64_t offset = cursor_sleb(&c), add = 0;
	bool deref = false;

	if (op < DW_OP_BREG0 || op > DW_OP_BREG31)
		return;
	if (cursor_left(&c)) {
		deref = cursor_byte(&c) == DW_OP_DEREF;
		if (!deref)
			return;
	}
	if (cursor_left(&c)) {
		if (cursor_byte(&c) != DW_OP_PLUS_UCONST)
			return;
		add = cursor_uleb(&c);
	}
	if (c.bad || cursor_left(&c))
		return;
	s->kind = deref ? CFA_DEREF : CFA_OFFSET;
	s->reg = op - DW_OP_BREG0;
	s->offset = offset;
	s->add = add;
}

static int do_cfa_expression(struct cfa *c, const struct args *x)
{
	struct cursor code = cursor_open(c->code.image, x->block, x->block_end);

	c->state.kind = c->machine->ra_in_register ? CFA_OTHER : plt_kind(code);
	if (c->state.kind == CFA_OTHER)
		simple_kind(code, &c->state);
	return 0;
}

/* The frame pointer is in the word it points to: of functions that align the stack. */
static int do_expression(struct cfa *c, const struct args *x)
{
	struct cursor code = cursor_open(c->code.image, x->block, x->block_end);
	uint64_t at_fp = x->a == c->machine->fp && cursor_left(&code) == 2 &&
			 cursor_byte(&code) == (uint64_t)DW_OP_BREG0 + c->machine->fp &&
			 !cursor_byte(&code) && !code.bad;

	return place(c, x->a, at_fp ? CFA_AT_FP : CFA_ELSEWHERE, 0);
}

/* --- the table ---------------------------------------------------------------------------------- */

enum operand { NONE, U1, U2, U4, U8, ULEB, SLEB, BLOCK, ADDRESS };

struct instruction {
	int (*run)(struct cfa *c, const struct args *x);
	enum operand a, b;
};

/* By opcode; those with an operand in their lower bits are below. */
static const struct instruction instructions[0x40] = {
	[0x00] = { do_nothing, NONE, NONE },
	[0x01] = { do_set_loc, ADDRESS, NONE },
	[0x02] = { do_advance, U1, NONE },
	[0x03] = { do_advance, U2, NONE },
	[0x04] = { do_advance, U4, NONE },
	[0x05] = { do_offset, ULEB, ULEB },
	[0x06] = { do_restore, ULEB, NONE },
	[0x07] = { do_undefined, ULEB, NONE },
	[0x08] = { do_same, ULEB, NONE },
	[0x09] = { do_elsewhere, ULEB, ULEB },
	[0x0a] = { do_remember, NONE, NONE },
	[0x0b] = { do_recall, NONE, NONE },
	[0x0c] = { do_cfa, ULEB, ULEB },
	[0x0d] = { do_cfa_register, ULEB, NONE },
	[0x0e] = { do_cfa_offset, ULEB, NONE },
	[0x0f] = { do_cfa_expression, BLOCK, NONE },
	[0x10] = { do_expression, ULEB, BLOCK },
	[0x11] = { do_offset, ULEB, SLEB },
	[0x12] = { do_cfa_sf, ULEB, SLEB },
	[0x13] = { do_cfa_offset_sf, SLEB, NONE },
	[0x14] = { do_elsewhere, ULEB, ULEB },
	[0x15] = { do_elsewhere, ULEB, SLEB },
	[0x16] = { do_elsewhere, ULEB, BLOCK },
	[0x1d] = { do_advance, U8, NONE }, /* of MIPS; GNU assemblers accept it everywhere */
	/*
	 * aarch64: return addresses are signed from here on, or no more. That needs no place in a
	 * rule: the bits of a signature are no part of an address, so a walker always clears them.
	 */
	[0x2c] = { do_nothing, NONE, NONE },
	[0x2d] = { do_nothing, NONE, NONE },
	[0x2e] = { do_nothing, ULEB, NONE }, /* size of a call's arguments */
	[0x2f] = { do_negative_offset, ULEB, ULEB },
};

enum { OP_SIGNED_WITH_PC = 0x2c, OP_SIGNED = 0x2d };

static const struct instruction advance = { .run = do_advance },
				offset = { .run = do_offset, .b = ULEB },
				restore = { .run = do_restore };

/* NULL: unknown. */
static const struct instruction *find_instruction(const struct cfa *c, uint8_t op)
{
	switch (op & 0xc0) {
	case 0x40:
		return &advance;
	case 0x80:
		return &offset;
	case 0xc0:
		return &restore;
	}
	/* On other machines these have other meanings. */
	if ((op == OP_SIGNED || op == OP_SIGNED_WITH_PC) && !c->machine->ra_in_register)
		return NULL;
	return instructions[op].run ? &instructions[op] : NULL;
}

static uint64_t read_operand(struct cfa *c, enum operand kind, struct args *x)
{
	static const uint8_t size[] = { [U1] = 1, [U2] = 2, [U4] = 4, [U8] = 8 };
	uint64_t len;

	switch (kind) {
	case NONE:
		return 0;
	case ULEB:
		return cursor_uleb(&c->code);
	case SLEB:
		return cursor_sleb(&c->code);
	case ADDRESS:
		return cursor_pointer(&c->code, c->fde->cie.encoding, 0);
	case BLOCK:
		len = cursor_uleb(&c->code);
		x->block = cursor_at(&c->code);
		x->block_end = x->block + len;
		cursor_skip(&c->code, len);
		cursor_again(&c->code); /* the instruction reads the expression */
		return 0;
	default:
		return cursor_number(&c->code, size[kind]);
	}
}

/* Runs one instruction. 0 or -EINVAL. */
static int step(struct cfa *c)
{
	uint8_t op = cursor_byte(&c->code);
	const struct instruction *i = find_instruction(c, op);
	struct args x = { .a = op & 0x3f };

	if (!i)
		return -EINVAL;
	if (i->a != NONE)
		x.a = read_operand(c, i->a, &x);
	if (i->b != NONE)
		x.b = read_operand(c, i->b, &x);
	return c->code.bad ? -EINVAL : i->run(c, &x);
}

int cfa_begin(struct cfa *c, const struct cfa_machine *m, const struct image *image,
	      const struct fde *fde)
{
	c->machine = m;
	c->fde = fde;
	c->depth = 0;
	c->done = false;
	c->at = fde->start;
	c->state = c->initial = (struct cfa_state){};
	c->code = cursor_open(image, fde->cie.program, fde->cie.program_end);
	while (cursor_left(&c->code))
		if (step(c))
			return -EINVAL;
	c->initial = c->state;
	c->at = fde->start;
	c->code = cursor_open(image, fde->program, fde->program_end);
	return c->code.bad ? -EINVAL : 0;
}

int cfa_next(struct cfa *c)
{
	if (c->done)
		return 0;
	c->from = c->at;
	while (cursor_left(&c->code)) {
		if (step(c))
			return -EINVAL;
		if (c->at == c->from)
			continue;
		/* An address that goes back, or past the end, is the last one. */
		c->done = c->at < c->from || c->at >= c->fde->end;
		return 1;
	}
	c->done = true;
	return 1;
}
