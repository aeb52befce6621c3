/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where is a thread-local variable that no symbol names? In a function that returns it: the code says
 * how far from the thread pointer it lies, or in which words of the GOT the dynamic linker has put
 * that.
 */
#ifndef KRAIT_TLSVAR_H
#define KRAIT_TLSVAR_H

#include <stddef.h>
#include <stdint.h>

enum { TLSVAR_CODE = 64 }; /* bytes of the function worth giving */

enum tlsvar_kind {
	TLSVAR_NONE,   /* the code was not understood */
	TLSVAR_OFFSET, /* offset: from the thread pointer */
	TLSVAR_GOT,    /* got: of a word that holds the distance from the thread pointer */
	TLSVAR_MODULE, /* got: of two words, module and offset in its block; then @offset behind that */
	TLSVAR_DESC, /* got: of a TLS descriptor, whose second word says where the variable is */
};

struct tlsvar {
	enum tlsvar_kind kind;
	int64_t offset;
	uint64_t got; /* in the addresses of the file */
};

/*
 * For the first @len bytes of the function, which is at @address in the addresses of its file. @machine
 * is the code's: EM_X86_64 or EM_AARCH64, others give TLSVAR_NONE.
 */
struct tlsvar tlsvar_find(uint16_t machine, const uint8_t *code, size_t len, uint64_t address);

#endif
