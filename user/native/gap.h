/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules for code that no function covers: stubs that a linker or the kernel made without unwind
 * information. Each is recognized by its instructions, and what they do to the stack is known.
 *
 *	x86-64   jmp *ADDRESS            a stub of the procedure linkage table, and its lazy forms
 *	         mov $15,%eax; syscall   a signal handler returns to here
 *	aarch64  adrp x16 ...; br x17    a stub of the procedure linkage table
 *	         mov x8, #139; svc #0    a signal handler returns to here
 */
#ifndef KRAIT_GAP_H
#define KRAIT_GAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gap_stub {
	size_t from, split, to; /* in the code; @after holds from @split on */
	uint16_t before, after; /* rules of bpf/native.h */
};

/*
 * The next stub in @code that begins at or after *@at, which moves behind it. False: no more.
 * @machine: EM_X86_64, EM_AARCH64; @code of aarch64 begins at an instruction.
 */
bool gap_next(uint16_t machine, const uint8_t *code, size_t len, size_t *at, struct gap_stub *ret);

#endif
