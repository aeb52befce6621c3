/* SPDX-License-Identifier: BSD-2-Clause */
#include "native/gap.h"

#include <elf.h>
#include <string.h>

#include "bpf/native.h"
#include "native/rule.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- x86-64 --------------------------------------------------------------------------------------- */

enum { ANY = -1, MAX_STUB = 16, SIGNAL_DEPTH = 0 };

/*
 * Bytes of stubs. @before is the distance from the stack pointer to the CFA up to byte @split, and
 * @after from there on; SIGNAL_DEPTH: a signal handler returns to here. A stub comes before those
 * that are a part of it.
 */
static const struct {
	int16_t code[MAX_STUB];
	uint8_t len, split, before, after;
} x86[] = {
	/* The first stub: push ADDRESS; [bnd] jmp *ADDRESS. A number and a return address are pushed. */
	{ { 0xff, 0x35, ANY, ANY, ANY, ANY, 0xff, 0x25, ANY, ANY, ANY, ANY }, 12, 6, 16, 24 },
	{ { 0xff, 0x35, ANY, ANY, ANY, ANY, 0xf2, 0xff, 0x25, ANY, ANY, ANY, ANY }, 13, 6, 16, 24 },
	/* jmp *ADDRESS; push NUMBER; jmp FIRST */
	{ { 0xff, 0x25, ANY, ANY, ANY, ANY, 0x68, ANY, ANY, ANY, ANY, 0xe9, ANY, ANY, ANY, ANY },
	  16,
	  11,
	  8,
	  16 },
	/* endbr64; push NUMBER; [bnd] jmp FIRST */
	{ { 0xf3, 0x0f, 0x1e, 0xfa, 0x68, ANY, ANY, ANY, ANY, 0xe9, ANY, ANY, ANY, ANY },
	  14,
	  9,
	  8,
	  16 },
	{ { 0xf3, 0x0f, 0x1e, 0xfa, 0x68, ANY, ANY, ANY, ANY, 0xf2, 0xe9, ANY, ANY, ANY, ANY },
	  15,
	  9,
	  8,
	  16 },
	/* endbr64; [bnd] jmp *ADDRESS */
	{ { 0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25, ANY, ANY, ANY, ANY }, 10, 10, 8, 8 },
	{ { 0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, ANY, ANY, ANY, ANY }, 11, 11, 8, 8 },
	/* jmp *ADDRESS */
	{ { 0xff, 0x25, ANY, ANY, ANY, ANY }, 6, 6, 8, 8 },
	/* mov $15,%rax or %eax; syscall */
	{ { 0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05 }, 9, 9, SIGNAL_DEPTH, SIGNAL_DEPTH },
	{ { 0xb8, 15, 0, 0, 0, 0x0f, 0x05 }, 7, 7, SIGNAL_DEPTH, SIGNAL_DEPTH },
};

static bool x86_matches(const int16_t *pattern, size_t n, const uint8_t *code)
{
	for (size_t i = 0; i < n; i++)
		if (pattern[i] != ANY && pattern[i] != code[i])
			return false;
	return true;
}

static uint16_t x86_rule(uint8_t depth)
{
	return depth == SIGNAL_DEPTH ? NATIVE_SIGNAL : rule_plain(depth);
}

/*
 * A return address is looked up by the byte before it. A handler's is the start of its stub, so the
 * rule begins a byte early.
 */
static bool x86_stub(const uint8_t *code, size_t len, size_t at, struct gap_stub *ret)
{
	for (size_t i = 0; i < COUNT(x86); i++) {
		if (x86[i].len > len - at || !x86_matches(x86[i].code, x86[i].len, code + at))
			continue;
		*ret = (struct gap_stub){
			.from = at - (x86[i].before == SIGNAL_DEPTH && at),
			.split = at + x86[i].split,
			.to = at + x86[i].len,
			.before = x86_rule(x86[i].before),
			.after = x86_rule(x86[i].after),
		};
		return true;
	}
	return false;
}

static bool x86_next(const uint8_t *code, size_t len, size_t *at, struct gap_stub *ret)
{
	for (; *at < len; ++*at) {
		uint8_t b = code[*at];

		/* What no stub begins with is most of the code. */
		if (b != 0xff && b != 0xf3 && b != 0x48 && b != 0xb8)
			continue;
		if (x86_stub(code, len, *at, ret)) {
			*at = ret->to;
			return true;
		}
	}
	return false;
}

/* --- aarch64 -------------------------------------------------------------------------------------- */

enum { INSN = 4, MAX_INSNS = 5 };

#define ADRP_X16  0x90000010, 0x9f00001f
#define LDR_X17   0xf9400211, 0xffc003ff
#define ADD_X16   0x91000210, 0xffc003ff
#define AUTIA1716 0xd503219f, 0xffffffff
#define BR_X17    0xd61f0220, 0xffffffff
#define BR_X16    0xd61f0200, 0xffffffff
#define MOV_X8    0xd2801168, 0xffffffff /* the number of rt_sigreturn */
#define SVC       0xd4000001, 0xffffffff
#define BTI_C     0xd503245f
#define STP_X16   0xa9bf7bf0 /* stp x16, x30, [sp, #-16]!: the first stub */

static const struct {
	struct {
		uint32_t code, mask;
	} insns[MAX_INSNS];
	uint8_t n;
	bool signal;
} a64[] = {
	{ { { ADRP_X16 }, { LDR_X17 }, { ADD_X16 }, { BR_X17 } }, 4, false },
	{ { { ADRP_X16 }, { LDR_X17 }, { ADD_X16 }, { AUTIA1716 }, { BR_X17 } }, 5, false },
	{ { { ADRP_X16 }, { ADD_X16 }, { BR_X16 } }, 3, false },
	{ { { MOV_X8 }, { SVC } }, 2, true },
};

static uint32_t insn(const uint8_t *code, size_t at)
{
	uint32_t v;

	memcpy(&v, code + at, INSN);
	return v;
}

static bool a64_matches(size_t row, const uint8_t *code, size_t len, size_t at)
{
	if (a64[row].n * (size_t)INSN > len - at)
		return false;
	for (size_t i = 0; i < a64[row].n; i++)
		if ((insn(code, at + i * INSN) & a64[row].insns[i].mask) != a64[row].insns[i].code)
			return false;
	return true;
}

static bool a64_stub(const uint8_t *code, size_t len, size_t at, struct gap_stub *ret)
{
	uint32_t before = at ? insn(code, at - INSN) : 0;

	for (size_t i = 0; i < COUNT(a64); i++) {
		if (!a64_matches(i, code, len, at) || before == STP_X16)
			continue;
		ret->from = at - (at && (a64[i].signal || before == BTI_C) ? INSN : 0);
		ret->split = ret->to = at + a64[i].n * INSN;
		ret->before = ret->after = a64[i].signal ? NATIVE_SIGNAL : rule_plain(0);
		return true;
	}
	return false;
}

static bool a64_next(const uint8_t *code, size_t len, size_t *at, struct gap_stub *ret)
{
	for (; *at < len && len - *at >= INSN; *at += INSN)
		if (a64_stub(code, len, *at, ret)) {
			*at = ret->to;
			return true;
		}
	return false;
}

bool gap_next(uint16_t machine, const uint8_t *code, size_t len, size_t *at, struct gap_stub *ret)
{
	return machine == EM_AARCH64 ? a64_next(code, len, at, ret) : x86_next(code, len, at, ret);
}
