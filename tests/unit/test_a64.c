/* SPDX-License-Identifier: BSD-2-Clause */
/* py/a64: every instruction that is followed, and that unknown ones do no harm. */
#include <string.h>

#include "py/a64.h"
#include "tap.h"

enum { AT = 0x401000 };

/* Runs to the end; stores what the last instruction did in @last unless it is NULL. */
static struct a64 run(const uint32_t *insns, size_t size, struct a64_step *last)
{
	struct a64 m = a64_start((const uint8_t *)insns, size, AT);
	struct a64_step s = {}, next;

	while (a64_next(&m, &next))
		s = next;
	if (last)
		*last = s;
	return m;
}

#define RUN(last, ...)                                                                             \
	run((const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }), last)

static int holds(const struct a64 *m, int reg, enum a64_kind kind, uint64_t value)
{
	return m->reg[reg].kind == kind && m->reg[reg].value == value;
}

TEST(addresses)
{
	struct a64 m = RUN(NULL, 0xd0000000, /* adrp x0, +2 pages */
			   0x91404000,       /* add x0, x0, #0x10, lsl #12 */
			   0x10000803,       /* adr x3, +0x100 */
			   0xf0ffffe4,       /* adrp x4, -1 page */
			   0xd1000484);      /* sub x4, x4, #1 */

	CHECK(holds(&m, 0, A64_PLACE, AT + 0x12000));
	CHECK(holds(&m, 3, A64_PLACE, AT + 8 + 0x100));
	CHECK(holds(&m, 4, A64_PLACE, AT - 0x1000 - 1));
}

TEST(numbers)
{
	struct a64 m = RUN(NULL, 0xd2a00242, /* mov x2, #0x120000 */
			   0xf2868ac2,       /* movk x2, #0x3456 */
			   0xaa0203e5,       /* mov x5, x2 */
			   0x8b0500a6,       /* add x6, x5, x5 */
			   0xaa1f03e7,       /* mov x7, xzr */
			   0xf2868ac9);      /* movk x9, #0x3456: x9 is unknown */

	CHECK(holds(&m, 2, A64_PLACE, 0x123456));
	CHECK(holds(&m, 5, A64_PLACE, 0x123456));
	CHECK(holds(&m, 6, A64_PLACE, 2 * 0x123456));
	CHECK(holds(&m, 7, A64_PLACE, 0));
	CHECK_EQ(m.reg[9].kind, A64_UNKNOWN);
}

TEST(stack)
{
	struct a64_step s;
	struct a64 m = RUN(&s, 0xa9aa7bfd, /* stp x29, x30, [sp, #-352]! */
			   0x910003fd,     /* mov x29, sp */
			   0x9102a3a4,     /* add x4, x29, #0xa8 */
			   0xa9090be4);    /* stp x4, x2, [sp, #144] */

	CHECK(holds(&m, A64_SP, A64_STACK, -352));
	CHECK(holds(&m, 29, A64_STACK, -352));
	CHECK_EQ(s.effect, A64_STORE);
	CHECK_EQ(s.at.kind, A64_STACK);
	CHECK_EQ(s.at.value, -352 + 144);
	CHECK_EQ(s.count, 2);
	CHECK_EQ(s.size, 8);
	CHECK_EQ(s.what[0].kind, A64_STACK);
	CHECK_EQ(s.what[0].value, -352 + 0xa8);
	CHECK_EQ(s.what[1].kind, A64_UNKNOWN);
	m = RUN(NULL, 0xa9aa7bfd, 0xa8c17bfd); /* ldp x29, x30, [sp], #16 */
	CHECK(holds(&m, A64_SP, A64_STACK, -352 + 16));
}

static void check_store(const uint32_t insn, uint64_t at, unsigned int size, unsigned int count)
{
	struct a64_step s;

	RUN(&s, insn);
	CHECK_EQ(s.effect, A64_STORE);
	CHECK_EQ(s.at.kind, A64_UNKNOWN);
	CHECK_EQ(s.at.value, at);
	CHECK_EQ(s.size, size);
	CHECK_EQ(s.count, count);
}

TEST(stores)
{
	check_store(0xf9001c08, 56, 8, 1);            /* str x8, [x0, #56] */
	check_store(0x39011323, 68, 1, 1);            /* strb w3, [x25, #68] */
	check_store(0xb9000801, 8, 4, 1);             /* str w1, [x0, #8] */
	check_store(0xf81c83a1, (uint64_t)-56, 8, 1); /* stur x1, [x29, #-56] */
	check_store(0x3d800400, 16, 16, 1);           /* str q0, [x0, #16] */
	check_store(0x3ca368a0, UINT64_MAX, 16, 1);   /* str q0, [x5, x3] */
	check_store(0xad010920, 32, 16, 2);           /* stp q0, q2, [x9, #32] */
	check_store(0x29010801, 8, 4, 2);             /* stp w1, w2, [x0, #8] */
	check_store(0xf8010421, 0, 8, 1);             /* str x1, [x1], #16 */
}

TEST(loads)
{
	struct a64_step s;
	struct a64 m = RUN(&s, 0xd0000000, 0xf9400801); /* adrp x0; ldr x1, [x0, #16] */

	CHECK_EQ(s.effect, A64_LOAD);
	CHECK(holds(&m, 1, A64_WORD, AT + 0x2010));
	m = RUN(&s, 0xd0000000, 0xa9410801); /* ldp x1, x2, [x0, #16] */
	CHECK(holds(&m, 1, A64_WORD, AT + 0x2010));
	CHECK(holds(&m, 2, A64_WORD, AT + 0x2018));
	m = RUN(&s, 0xd0000000, 0xb9401001, /* ldr w1, [x0, #16] */
		0xfd400800);                /* ldr d0, [x0, #16] */
	CHECK_EQ(m.reg[1].kind, A64_UNKNOWN);
	CHECK(holds(&m, 0, A64_PLACE, AT + 0x2000));
	/* The base is a loaded word, so the address is unknown. */
	RUN(&s, 0xd0000000, 0xf9400801, 0xf9400422); /* ldr x2, [x1, #8] */
	CHECK_EQ(s.at.kind, A64_UNKNOWN);
	CHECK_EQ(s.at.value, 8);
}

TEST(calls)
{
	struct a64 m = RUN(NULL, 0xd2800020, 0xd2800033, 0x94000001); /* mov x0, x19, #1; bl */

	CHECK_EQ(m.reg[0].kind, A64_UNKNOWN);
	CHECK(holds(&m, 19, A64_PLACE, 1));
	m = RUN(NULL, 0xd2800021, 0xd63f0120); /* mov x1, #1; blr x9 */
	CHECK_EQ(m.reg[1].kind, A64_UNKNOWN);
	/* A call through a TLS descriptor keeps x1. */
	m = RUN(NULL, 0xd2800021, 0xd0000000, 0xf9400802, 0x91004000, 0xd63f0040);
	CHECK(holds(&m, 1, A64_PLACE, 1));
	CHECK(holds(&m, 0, A64_RESOLVED, AT + 0x2010));
	/* Not a descriptor call: x0 does not point to the word that x2 was loaded from. */
	m = RUN(NULL, 0xd2800021, 0xd0000000, 0xf9400802, 0x91006000, 0xd63f0040);
	CHECK_EQ(m.reg[0].kind, A64_UNKNOWN);
}

TEST(instructions_that_end_a_path)
{
	static const uint32_t ends[] = { 0xd65f03c0, 0xd65f0bff, 0xd61f00c0, 0x14000001 },
			      stays[] = { 0xd503201f, 0xd503233f, 0xb4000000,
					  0x54000001, 0x36000000, 0xd4000001 };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		CHECK_EQ(RUN(NULL, ends[i], 0xd503201f).pos, 0);
	for (size_t i = 0; i < sizeof(stays) / sizeof(stays[0]); i++)
		CHECK_EQ(RUN(NULL, stays[i], 0xd503201f).pos, 8);
}

TEST(results_of_other_instructions_are_unknown)
{
	struct a64 m = RUN(NULL, 0xd2800020, 0x9b017c00, /* mov x0, #1; mul x0, x0, x1 */
			   0xd2800021, 0x11000421,       /* mov x1, #1; add w1, w1, #1 */
			   0xd2800023, 0xd53b0023,       /* mov x3, #1; mrs x3, ctr_el0 */
			   0xeb01001f);                  /* cmp x0, x1: leaves sp alone */

	CHECK_EQ(m.reg[0].kind, A64_UNKNOWN);
	CHECK_EQ(m.reg[1].kind, A64_UNKNOWN);
	CHECK_EQ(m.reg[3].kind, A64_UNKNOWN);
	CHECK(holds(&m, A64_SP, A64_STACK, 0));
}
