/* SPDX-License-Identifier: BSD-2-Clause */
/* py/tlsvar: the code of real interpreters, and other code that compilers emit. */
#include <elf.h>
#include <string.h>

#include "py/tlsvar.h"
#include "tap.h"

enum { AT = 0x1000 };

static struct tlsvar find(const char *code, size_t len)
{
	return tlsvar_find(EM_X86_64, (const uint8_t *)code, len, AT);
}

#define FIND(bytes) find(bytes, sizeof(bytes) - 1)

/* The same for aarch64; @size is in bytes. */
static struct tlsvar find_a64(const uint32_t *insns, size_t size)
{
	return tlsvar_find(EM_AARCH64, (const uint8_t *)insns, size, AT);
}

#define FIND_A64(...)                                                                              \
	find_a64((const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }))

/* Debian's 3.15.2: endbr64; mov %fs:-0x28,%rax; ret. */
TEST(executable)
{
	struct tlsvar v = FIND("\xf3\x0f\x1e\xfa\x64\x48\x8b\x04\x25\xd8\xff\xff\xff\xc3");

	CHECK_EQ(v.kind, TLSVAR_OFFSET);
	CHECK_EQ(v.offset, -0x28);
}

/* mov 0x2000(%rip),%rax; mov %fs:(%rax),%rax; ret. */
TEST(initial_exec)
{
	struct tlsvar v = FIND("\x48\x8b\x05\x00\x20\x00\x00\x64\x48\x8b\x00\xc3");

	CHECK_EQ(v.kind, TLSVAR_GOT);
	CHECK_EQ(v.got, AT + 7 + 0x2000);
}

/* push; [66] lea 0x2000(%rip),%rdi; call; mov DISP(%rax),%rax; pop; ret. */
TEST(library)
{
	static const char plain[] = "\x55\x66\x48\x8d\x3d\x00\x20\x00\x00\x66\x66\x48\xe8"
				    "\x01\x02\x03\x04\x48\x8b\x00\x5d\xc3",
			  near[] = "\x55\x66\x48\x8d\x3d\x00\x20\x00\x00\x66\x66\x48\xe8"
				   "\x01\x02\x03\x04\x48\x8b\x40\xf8\x5d\xc3",
			  far[] = "\x55\x48\x8d\x3d\x00\x20\x00\x00\xe8\x01\x02\x03\x04"
				  "\x48\x8b\x80\x00\x01\x00\x00\x5d\xc3";
	struct tlsvar v = FIND(plain);

	CHECK_EQ(v.kind, TLSVAR_MODULE);
	CHECK_EQ(v.got, AT + 9 + 0x2000);
	CHECK_EQ(v.offset, 0);
	CHECK_EQ(FIND(near).offset, -8);
	CHECK_EQ(FIND(far).offset, 0x100);
	CHECK_EQ(FIND(far).got, AT + 8 + 0x2000);
}

/*
 * gcc -mtls-dialect=gnu2: sub; lea 0x2000(%rip),%rax; call *(%rax); mov %fs:(%rax),%rax; add; ret.
 */
TEST(descriptor)
{
	struct tlsvar v = FIND("\x48\x83\xec\x08\x48\x8d\x05\x00\x20\x00\x00\xff\x10"
			       "\x64\x48\x8b\x00\x48\x83\xc4\x08\xc3");

	CHECK_EQ(v.kind, TLSVAR_DESC);
	CHECK_EQ(v.got, AT + 11 + 0x2000);
	/* Nothing is called through that address. */
	CHECK_EQ(FIND("\x48\x8d\x05\x00\x20\x00\x00\x64\x48\x8b\x00\xc3").kind, TLSVAR_NONE);
}

/* Debian's 3.15.2 for arm64: mrs x0, tpidr_el0; ... add x0, x0, #0x20; ... ldr x0, [x0]. */
TEST(executable_a64)
{
	struct tlsvar v =
		FIND_A64(0xd503245f, 0xd53bd040, 0xd503233f, 0xa9bf7bfd, 0xd503201f, 0x91008000,
			 0x910003fd, 0xa8c17bfd, 0xd50323bf, 0xf9400000, 0xd65f03c0);

	CHECK_EQ(v.kind, TLSVAR_OFFSET);
	CHECK_EQ(v.offset, 0x20);
	/* By clang: add x8, x8, #1, lsl #12; add x8, x8, #8; ldr x0, [x8, #16]. */
	v = FIND_A64(0xd53bd048, 0x91400508, 0x91002108, 0xf9400900, 0xd65f03c0);
	CHECK_EQ(v.kind, TLSVAR_OFFSET);
	CHECK_EQ(v.offset, 0x1018);
	/* A descriptor, relaxed by the linker: movz, movk; mrs; ldr x0, [x1, x0]. */
	v = FIND_A64(0xd53bd041, 0xd2a00000, 0xf2800400, 0xd503201f, 0xf8606820, 0xd65f03c0);
	CHECK_EQ(v.kind, TLSVAR_OFFSET);
	CHECK_EQ(v.offset, 0x20);
}

/* adrp x0, 2 pages; ldr x0, [x0, #0x28]; mrs x1, tpidr_el0; ldr x0, [x1, x0]; ret. */
TEST(initial_exec_a64)
{
	struct tlsvar v = FIND_A64(0xd0000000, 0xf9401400, 0xd53bd041, 0xf8606820, 0xd65f03c0);

	CHECK_EQ(v.kind, TLSVAR_GOT);
	CHECK_EQ(v.got, AT + 0x2000 + 0x28);
	/* add x0, x1, x0; ldr x0, [x0] */
	v = FIND_A64(0xd0000000, 0xf9401400, 0xd53bd041, 0x8b000020, 0xf9400000, 0xd65f03c0);
	CHECK_EQ(v.kind, TLSVAR_GOT);
	CHECK_EQ(v.got, AT + 0x2000 + 0x28);
}

/*
 * Debian's libpython3.15 for arm64: paciasp; mrs x1; stp; mov; adrp x0, +0x4b7000; ldr x2, [x0,
 * #736]; add x0, x0, #0x2e0; blr x2; ldr x0, [x1, x0]; ldp; autiasp; ret. Then clang's, with mrs
 * after the call.
 */
TEST(library_a64)
{
	struct tlsvar v =
		FIND_A64(0xd503233f, 0xd53bd041, 0xa9bf7bfd, 0x910003fd, 0xf00025a0, 0xf9417002,
			 0x910b8000, 0xd63f0040, 0xf8606820, 0xa8c17bfd, 0xd50323bf, 0xd65f03c0);

	CHECK_EQ(v.kind, TLSVAR_DESC);
	CHECK_EQ(v.got, AT + 0x4b7000 + 0x2e0);
	CHECK_EQ(v.offset, 0);
	v = FIND_A64(0xa9bf7bfd, 0x910003fd, 0xd0000000, 0xf9401401, 0x9100a000, 0xd63f0020,
		     0xd53bd048, 0xf8606900, 0xa8c17bfd, 0xd65f03c0);
	CHECK_EQ(v.kind, TLSVAR_DESC);
	CHECK_EQ(v.got, AT + 0x2000 + 0x28);
}

TEST(other_code_a64)
{
	/* Debian's 3.14.10 uses a key, and jumps to another function for it. */
	CHECK_EQ(FIND_A64(0xd503245f, 0xf00039a0, 0xb9468000, 0x34000080, 0xf00039a0, 0x911a0000,
			  0x14023df6, 0xd2800000, 0xd65f03c0)
			 .kind,
		 TLSVAR_NONE);
	/* A call of another function in between: the registers after it are unknown. */
	CHECK_EQ(FIND_A64(0xd53bd041, 0x94000001, 0xf9400020, 0xd65f03c0).kind, TLSVAR_NONE);
	/* A load of 4 bytes; code after the return; another machine. */
	CHECK_EQ(FIND_A64(0xd53bd040, 0xb9400000, 0xd65f03c0).kind, TLSVAR_NONE);
	CHECK_EQ(FIND_A64(0xd65f03c0, 0xd53bd040, 0xf9400000).kind, TLSVAR_NONE);
	CHECK_EQ(find_a64(NULL, 0).kind, TLSVAR_NONE);
	CHECK_EQ(tlsvar_find(EM_RISCV, (const uint8_t *)"", 1, AT).kind, TLSVAR_NONE);
}

/* 3.14 looks up a key: no thread variable is read here. */
TEST(other_code)
{
	CHECK_EQ(FIND("\xf3\x0f\x1e\xfa\x83\x3d\x3b\x49\x77\x00\x00\x74\x0a\xbf\xe0\x10"
		      "\xba\x00\xe9\x7f\x2e\x11\x00\x31\xc0\xc3")
			 .kind,
		 TLSVAR_NONE);
	CHECK_EQ(find("", 0).kind, TLSVAR_NONE);
	CHECK_EQ(FIND("\xc3\x64\x48\x8b\x04\x25\xd8\xff\xff\xff").kind, TLSVAR_NONE);
	/* A load through a global is not a load through the GOT. */
	CHECK_EQ(FIND("\x48\x8b\x05\x00\x20\x00\x00\x48\x8b\x00\xc3").kind, TLSVAR_NONE);
}

TEST(cut_code)
{
	static const char whole[] = "\x55\x48\x8d\x3d\x00\x20\x00\x00\xe8\x01\x02\x03\x04"
				    "\x48\x8b\x80\x00\x01\x00\x00\x5d\xc3";

	for (size_t len = 0; len < sizeof(whole) - 3; len++) {
		char *copy = malloc(len + 1);

		memcpy(copy, whole, len);
		CHECK_EQ(find(copy, len).kind, TLSVAR_NONE);
		free(copy);
	}
}
