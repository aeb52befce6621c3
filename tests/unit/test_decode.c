/* SPDX-License-Identifier: BSD-2-Clause */
/* py/decode: functions of real interpreters and C libraries, for both machines. */
#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "py/decode.h"
#include "tap.h"

enum { AT = 0x58dcf0 };

/* Debian's 3.9.2 for arm64: Py_GetVersion. */
static const uint32_t get_version_a64[] = {
	0xa9be7bfd, 0x910003fd, 0xf9000bf3, 0x94000069, 0xf0001c53, /* adrp x19, 918000 */
	0x91220261,                                                 /* add x1, x19, #0x880 */
	0x91108033, 0xaa0003e4, 0xd2801f41, 0xaa1303e0, 0x90000865, /* adrp x5, 699000 */
	0x90000863,                                                 /* adrp x3, 699000 */
	0x911fe0a5, 0x911d6063, /* add x3, x3, #0x758: the version */
	0x90000862, 0x91204042, 0x97fb9700, 0xaa1303e0, 0xf9400bf3, 0xa8c27bfd, 0xd65f03c0,
};

static bool names(const uint64_t *list, size_t n, uint64_t address)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == address)
			return true;
	return false;
}

TEST(addresses_a64)
{
	uint64_t found[DECODE_ADDRESSES];
	size_t n = decode_addresses(EM_AARCH64, (const uint8_t *)get_version_a64,
				    sizeof(get_version_a64), AT, found);

	CHECK(names(found, n, 0x699758));
	CHECK(names(found, n, 0x6997f8));
	CHECK(names(found, n, 0x918000 + 0x880 + 0x420));
}

/* ret; adr x3, +0x100. Then more addresses than the result can hold. */
TEST(code_after_a_return_a64)
{
	uint32_t insns[2 + 2 * DECODE_ADDRESSES] = { 0xd65f03c0, 0x10000803 };
	uint64_t found[DECODE_ADDRESSES];

	CHECK_EQ(decode_addresses(EM_AARCH64, (const uint8_t *)insns, 8, AT, found), 1);
	CHECK_EQ(found[0], AT + 4 + 0x100);
	for (size_t i = 0; i < sizeof(insns) / sizeof(insns[0]); i++)
		insns[i] = 0x10000803;
	CHECK_EQ(decode_addresses(EM_AARCH64, (const uint8_t *)insns, sizeof(insns), AT, found),
		 DECODE_ADDRESSES);
}

/* lea 0x1000(%rip),%rcx; mov $0x401000,%esi; lea 0x10(%rip),%r8 */
TEST(addresses_x86)
{
	static const uint8_t code[] = "\x48\x8d\x0d\x00\x10\x00\x00\xbe\x00\x10\x40\x00\x4c"
				      "\x8d\x05\x10\x00\x00\x00\xc3\x90\x90\x90\x90";
	uint64_t found[DECODE_ADDRESSES];
	size_t n = decode_addresses(EM_X86_64, code, sizeof(code), AT, found);

	CHECK(names(found, n, AT + 7 + 0x1000));
	CHECK(names(found, n, 0x401000));
	CHECK(names(found, n, AT + 19 + 0x10));
	CHECK_EQ(decode_addresses(EM_X86_64, code, 7, AT, found), 0);
	CHECK_EQ(decode_addresses(EM_RISCV, code, sizeof(code), AT, found), 0);
}

static uint64_t variable(uint16_t machine, const void *code, size_t len)
{
	return decode_variable(machine, code, len, AT);
}

/*
 * PyInterpreterState_Head of 3.6: mov interp_head(%rip),%rax; with an absolute address; adrp, ldr.
 */
TEST(variables)
{
	static const char relative[] = "\xf3\x0f\x1e\xfa\x48\x8b\x05\x00\x20\x00\x00\xc3",
			  absolute[] = "\x48\x8b\x04\x25\x00\x20\x40\x00\xc3",
			  none[] = "\x31\xc0\xc3\x48\x8b\x05\x00\x20\x00\x00\xc3";
	static const uint32_t a64[] = { 0xd0000000, 0xf9400800, 0xd65f03c0 },
			      none_a64[] = { 0xd2800000, 0xd65f03c0, 0xd0000000, 0xf9400800 };

	CHECK_EQ(variable(EM_X86_64, relative, sizeof(relative)), AT + 11 + 0x2000);
	CHECK_EQ(variable(EM_X86_64, absolute, sizeof(absolute)), 0x402000);
	CHECK_EQ(variable(EM_X86_64, none, sizeof(none)), 0);
	CHECK_EQ(variable(EM_AARCH64, a64, sizeof(a64)), (AT & ~0xfffULL) + 0x2010);
	CHECK_EQ(variable(EM_AARCH64, none_a64, sizeof(none_a64)), 0);
	CHECK_EQ(variable(EM_AARCH64, a64, 7), 0);
	CHECK_EQ(variable(EM_RISCV, a64, sizeof(a64)), 0);
}

static uint32_t self(const uint32_t *code, size_t size)
{
	return decode_self(EM_AARCH64, (const uint8_t *)code, size);
}

/*
 * pthread_self() from Debian's arm64 packages (glibc 2.36, 2.43, musl 1.2.3), and other functions.
 */
TEST(thread_itself)
{
	static const uint32_t glibc_2_36[] = { 0xd53bd040, 0xd11d0000, 0xd65f03c0 },
			      glibc_2_43[] = { 0xd503245f, 0xd53bd040, 0xd11c8000, 0xd65f03c0 },
			      musl[] = { 0xd53bd040, 0xd1032000, 0xd65f03c0 },
			      pointer[] = { 0xd53bd040, 0xd65f03c0 },
			      above[] = { 0xd53bd040, 0x91032000, 0xd65f03c0 },
			      other[] = { 0xd53bd041, 0xd1032021, 0x94000001, 0xd65f03c0 };

	CHECK_EQ(self(glibc_2_36, sizeof(glibc_2_36)), 1856);
	CHECK_EQ(self(glibc_2_43, sizeof(glibc_2_43)), 1824);
	CHECK_EQ(self(musl, sizeof(musl)), 200);
	CHECK_EQ(self(pointer, sizeof(pointer)), 0);
	CHECK_EQ(self(above, sizeof(above)), 0);
	CHECK_EQ(self(other, sizeof(other)), 0);
	CHECK_EQ(decode_self(EM_X86_64, (const uint8_t *)musl, sizeof(musl)), 0);
}
