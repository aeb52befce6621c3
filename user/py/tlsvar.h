/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locates a thread-local variable without a symbol, from the code of a function that returns it.
 * The code has the variable's offset from the thread pointer, or the GOT words in which the dynamic
 * linker stores it.
 */
#ifndef KRAIT_TLSVAR_H
#define KRAIT_TLSVAR_H

#include <stddef.h>
#include <stdint.h>

enum { TLSVAR_CODE = 64 }; /* bytes of the function that are enough */

enum tlsvar_kind {
	TLSVAR_NONE,   /* the code was not understood */
	TLSVAR_OFFSET, /* @offset from the thread pointer */
	TLSVAR_GOT,    /* the word at @got holds the offset from the thread pointer */
	TLSVAR_MODULE, /* two words at @got: module and offset in its block; @offset is added */
	TLSVAR_DESC,   /* a TLS descriptor at @got; its second word tells where the variable is */
};

struct tlsvar {
	enum tlsvar_kind kind;
	int64_t offset;
	uint64_t got; /* address in the file, without load bias */
};

/*
 * @code is the first @len bytes of the function, @address its address in the file. @machine is
 * EM_X86_64 or EM_AARCH64; others give TLSVAR_NONE.
 */
struct tlsvar tlsvar_find(uint16_t machine, const uint8_t *code, size_t len, uint64_t address);

#endif
