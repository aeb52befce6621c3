/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The psABI's access models, as gcc and clang compile them for a function that only returns the
 * variable:
 *
 *	local exec	mov  %fs:disp32, %rax
 *	initial exec	mov  got(%rip), %rax;    mov %fs:(%rax), %rax
 *	dynamic		lea  got(%rip), %rdi;    call __tls_get_addr;  mov disp(%rax), %rax
 *	descriptor	lea  got(%rip), %rax;    call *(%rax);         mov %fs:(%rax), %rax
 *
 * The code is searched at every byte up to the first return: different instructions come before the
 * access (endbr64, pushes), but none of them looks like one of these. On aarch64
 *
 *	local exec	mrs x0, tpidr_el0;  add x0, x0, #offset;  ldr x0, [x0]
 *	initial exec	mrs x1, tpidr_el0;  adrp x0, got;  ldr x0, [x0, #got];  ldr x0, [x1, x0]
 *	descriptor	adrp x0, got;  ldr x2, [x0, #got];  add x0, x0, #got;  blr x2;  ldr x0, [x1, x0]
 *
 * in various orders and with any registers, so the registers are followed to the first load through
 * the thread pointer.
 */
#include "py/tlsvar.h"

#include <elf.h>
#include <string.h>

#include "py/a64.h"

struct form {
	uint8_t len;
	uint8_t bytes[5]; /* then a disp32 */
	enum tlsvar_kind kind;
};

static const struct form forms[] = {
	{ 5, { 0x64, 0x48, 0x8b, 0x04, 0x25 }, TLSVAR_OFFSET },
	{ 3, { 0x48, 0x8b, 0x05 }, TLSVAR_GOT },
	{ 3, { 0x48, 0x8d, 0x3d }, TLSVAR_MODULE },
	{ 3, { 0x48, 0x8d, 0x05 }, TLSVAR_DESC },
};

static int32_t disp32(const uint8_t *at)
{
	int32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

/* Finds the load after the call, mov disp(%rax),%rax: disp is added to the module's offset. */
static int load_offset(const uint8_t *code, size_t len, int64_t *ret)
{
	for (size_t i = 0; i + 3 <= len; i++) {
		if (code[i] != 0x48 || code[i + 1] != 0x8b)
			continue;
		if (code[i + 2] == 0x00)
			*ret = 0;
		else if (code[i + 2] == 0x40 && i + 4 <= len)
			*ret = (int8_t)code[i + 3];
		else if (code[i + 2] == 0x80 && i + 7 <= len)
			*ret = disp32(code + i + 3);
		else
			continue;
		return 1;
	}
	return 0;
}

static int contains(const uint8_t *code, size_t len, const void *bytes, size_t n)
{
	return memmem(code, len, bytes, n) != NULL;
}

static int match(const struct form *f, const uint8_t *code, size_t len, uint64_t address,
		 struct tlsvar *ret)
{
	size_t end = f->len + 4;
	int32_t disp;

	if (end > len || memcmp(code, f->bytes, f->len))
		return 0;
	disp = disp32(code + f->len);
	*ret = (struct tlsvar){ .kind = f->kind };
	if (f->kind == TLSVAR_OFFSET)
		ret->offset = disp;
	else
		ret->got = address + end + disp;
	if (f->kind == TLSVAR_DESC && !contains(code + end, len - end, "\xff\x10", 2))
		return 0;
	if (f->kind == TLSVAR_GOT || f->kind == TLSVAR_DESC)
		return contains(code + end, len - end, "\x64\x48\x8b\x00", 4);
	return f->kind != TLSVAR_MODULE || load_offset(code + end, len - end, &ret->offset);
}

static struct tlsvar find_x86(const uint8_t *code, size_t len, uint64_t address)
{
	struct tlsvar found = {};

	for (size_t i = 0; i < len && code[i] != 0xc3; i++)
		for (size_t k = 0; k < sizeof(forms) / sizeof(forms[0]); k++)
			if (match(&forms[k], code + i, len - i, address + i, &found))
				return found;
	return (struct tlsvar){};
}

static struct tlsvar find_a64(const uint8_t *code, size_t len, uint64_t address)
{
	struct a64 m = a64_start(code, len, address);
	struct a64_step s;

	while (a64_next(&m, &s)) {
		if (s.effect != A64_LOAD || s.size != 8)
			continue;
		if (s.at.kind == A64_THREAD)
			return (struct tlsvar){ .kind = TLSVAR_OFFSET, .offset = s.at.value };
		if (s.at.kind == A64_THREAD_WORD)
			return (struct tlsvar){ .kind = TLSVAR_GOT, .got = s.at.value };
		if (s.at.kind == A64_THREAD_RESOLVED)
			return (struct tlsvar){ .kind = TLSVAR_DESC, .got = s.at.value };
	}
	return (struct tlsvar){};
}

struct tlsvar tlsvar_find(uint16_t machine, const uint8_t *code, size_t len, uint64_t address)
{
	if (machine == EM_X86_64)
		return find_x86(code, len, address);
	if (machine == EM_AARCH64)
		return find_a64(code, len, address);
	return (struct tlsvar){};
}
