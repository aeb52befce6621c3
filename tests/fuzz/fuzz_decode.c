/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine code of an interpreter's and a C library's functions, searched for addresses and TLS
 * variables. The input is
 */
#include <elf.h>

#include "fuzz.h"
#include "py/a64.h"
#include "py/decode.h"
#include "py/tlsvar.h"

enum { CODE_MAX = 256 };

static const uint16_t machines[] = { EM_X86_64, EM_AARCH64, EM_RISCV };

static const uint8_t x86[] = {
	0x48, 0x8d, 0x0d, 0x00, 0x10, 0x00, 0x00, /* lea 0x1000(%rip),%rcx */
	0x48, 0x8b, 0x05, 0x00, 0x20, 0x00, 0x00, /* mov 0x2000(%rip),%rax */
	0x64, 0x48, 0x8b, 0x00,                   /* mov %fs:(%rax),%rax */
	0x48, 0x8d, 0x3d, 0x00, 0x20, 0x00, 0x00, /* lea 0x2000(%rip),%rdi */
	0xe8, 0x01, 0x02, 0x03, 0x04, 0x48, 0x8b,
	0x40, 0xf8, /* call; mov -8(%rax),%rax */
	0x64, 0x48, 0x8b, 0x04, 0x25, 0xd8, 0xff,
	0xff, 0xff, /* mov %fs:-0x28,%rax */
	0x48, 0x8d, 0x05, 0x00, 0x20, 0x00, 0x00,
	0xff, 0x10, /* lea 0x2000(%rip),%rax; call *(%rax) */
	0xc3,
};

static const uint32_t a64[] = {
	0xd53bd041, /* mrs x1, tpidr_el0 */
	0xf00025a0, /* adrp x0, +0x4b7000 */
	0xf9417002, /* ldr x2, [x0, #736] */
	0x910b8000, /* add x0, x0, #0x2e0 */
	0xd63f0040, /* blr x2 */
	0xd2a00003, /* movz x3, #0, lsl #16 */
	0xf2800403, /* movk x3, #0x20 */
	0x8b030024, /* add x4, x1, x3 */
	0xf8606820, /* ldr x0, [x1, x0] */
	0xa8c17bfd, /* ldp x29, x30, [sp], #16 */
	0xd65f03c0, /* ret */
	0x10000803, /* adr x3, +0x100 */
	0xd53bd040, /* mrs x0, tpidr_el0 */
	0xd11d0000, /* sub x0, x0, #0x740 */
	0xd65f03c0,
};

static void set_up(void)
{
}

static void make_seed(const char *name, uint8_t machine, const void *code, size_t len)
{
	struct buf seed = {};

	give(&seed, machine, 1);
	give(&seed, 0x401000, 8);
	buf_add(&seed, code, len);
	seed_write(name, &seed);
	buf_done(&seed);
}

/*
 * A seed with all the code, and further ones that start at an instruction where a pattern begins.
 */
static void make_seeds(void)
{
	make_seed("x86", 0, x86, sizeof(x86));
	make_seed("x86-module", 0, x86 + 18, sizeof(x86) - 18);
	make_seed("x86-descriptor", 0, x86 + 43, sizeof(x86) - 43);
	make_seed("a64", 1, a64, sizeof(a64));
	make_seed("a64-self", 1, a64 + 12, sizeof(a64) - 48);
}

/* Every step advances by one instruction and has plausible contents. */
static void walk_line(const uint8_t *code, size_t len, uint64_t address)
{
	struct a64 m = a64_start(code, len, address);
	struct a64_step s;
	size_t pos = 0;

	while (a64_next(&m, &s)) {
		MUST(m.pos == pos + 4 && m.pos <= len);
		MUST(s.count <= COUNT(s.what) && s.size <= 64);
		MUST((s.effect == A64_OTHER) == !s.count);
		pos = m.pos;
	}
	MUST(m.pos == pos);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint16_t machine = machines[take(&in, 1) % COUNT(machines)];
	uint64_t address = take(&in, 8), found[DECODE_ADDRESSES];
	struct tlsvar v;
	size_t len;
	uint8_t *code = take_bytes(&in, CODE_MAX, &len);

	v = tlsvar_find(machine, code, len, address);
	MUST(v.kind <= TLSVAR_DESC);
	MUST(machine != EM_RISCV || v.kind == TLSVAR_NONE);
	MUST(decode_addresses(machine, code, len, address, found) <= DECODE_ADDRESSES);
	decode_variable(machine, code, len, address);
	MUST(decode_self(machine, code, len) < 1 << 16);
	walk_line(code, len, address);
	free(code);
	return 0;
}
