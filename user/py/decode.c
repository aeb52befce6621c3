/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64 code is searched at every byte for a few instruction encodings:
 *
 *	lea  address(%rip),%reg		mov  $address,%reg		an address
 *	mov  address(%rip),%rax		mov  address,%rax		a variable
 *
 * aarch64 code computes addresses in two or more steps (adrp, add), so its registers are followed.
 */
#include "py/decode.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "py/a64.h"

enum { LONGEST = 8 }; /* bytes of the longest encoding */

static int32_t disp32(const uint8_t *at)
{
	int32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static bool address_x86(const uint8_t *code, uint64_t at, uint64_t *ret)
{
	if ((code[0] & 0xfb) == 0x48 && code[1] == 0x8d && (code[2] & 0xc7) == 0x05)
		*ret = at + 7 + disp32(code + 3);
	else if ((code[0] & 0xf8) == 0xb8)
		*ret = (uint32_t)disp32(code + 1);
	else
		return false;
	return true;
}

static size_t addresses_x86(const uint8_t *code, size_t len, uint64_t address, uint64_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i + LONGEST <= len && n < DECODE_ADDRESSES; i++)
		n += address_x86(code + i, address + i, &ret[n]);
	return n;
}

/* After a return or a jump, continues with unknown registers. */
static size_t addresses_a64(const uint8_t *code, size_t len, uint64_t address, uint64_t *ret)
{
	enum { INSN = 4 };
	struct a64 m = a64_start(code, len, address);
	struct a64_step s;
	size_t n = 0;

	while (m.pos + INSN <= len && n < DECODE_ADDRESSES) {
		if (!a64_next(&m, &s)) {
			size_t pos = m.pos + INSN;

			m = a64_start(code, len, address);
			m.pos = pos;
		} else if (s.effect == A64_SET && s.what[0].kind == A64_PLACE) {
			ret[n++] = s.what[0].value;
		}
	}
	return n;
}

size_t decode_addresses(uint16_t machine, const uint8_t *code, size_t len, uint64_t address,
			uint64_t ret[DECODE_ADDRESSES])
{
	if (machine == EM_X86_64)
		return addresses_x86(code, len, address, ret);
	return machine == EM_AARCH64 ? addresses_a64(code, len, address, ret) : 0;
}

static uint64_t variable_x86(const uint8_t *code, size_t len, uint64_t address)
{
	static const uint8_t relative[] = { 0x48, 0x8b, 0x05 },
			     absolute[] = { 0x48, 0x8b, 0x04, 0x25 };

	for (size_t i = 0; i + LONGEST <= len && code[i] != 0xc3; i++) {
		if (!memcmp(code + i, relative, sizeof(relative)))
			return address + i + 7 + disp32(code + i + 3);
		if (!memcmp(code + i, absolute, sizeof(absolute)))
			return (uint32_t)disp32(code + i + 4);
	}
	return 0;
}

static uint64_t variable_a64(const uint8_t *code, size_t len, uint64_t address)
{
	struct a64 m = a64_start(code, len, address);
	struct a64_step s;

	while (a64_next(&m, &s))
		if (s.effect == A64_LOAD && s.size == 8 && s.at.kind == A64_PLACE)
			return s.at.value;
	return 0;
}

uint64_t decode_variable(uint16_t machine, const uint8_t *code, size_t len, uint64_t address)
{
	if (machine == EM_X86_64)
		return variable_x86(code, len, address);
	return machine == EM_AARCH64 ? variable_a64(code, len, address) : 0;
}

uint32_t decode_self(uint16_t machine, const uint8_t *code, size_t len)
{
	enum { FARTHEST = 1 << 16 };
	struct a64 m = a64_start(code, len, 0);
	struct a64_step s;
	uint64_t below;

	if (machine != EM_AARCH64)
		return 0;
	while (a64_next(&m, &s))
		;
	below = -m.reg[0].value;
	return m.reg[0].kind == A64_THREAD && below < FARTHEST ? (uint32_t)below : 0;
}
