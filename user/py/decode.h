/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a function refers to, for what no symbol names: the constants that it passes on, the variable
 * that it returns. @machine is the code's (EM_X86_64, EM_AARCH64; others give nothing), @address
 * that of code[0]; both it and the answers are in the addresses of the file.
 */
#ifndef KRAIT_DECODE_H
#define KRAIT_DECODE_H

#include <stddef.h>
#include <stdint.h>

enum { DECODE_ADDRESSES = 64 }; /* as many as 256 bytes of code can name */

/*
 * Fills @ret with up to DECODE_ADDRESSES addresses that the code makes, in its order, and returns how
 * many: all that it makes, and some that only look so.
 */
size_t decode_addresses(uint16_t machine, const uint8_t *code, size_t len, uint64_t address,
			uint64_t ret[DECODE_ADDRESSES]);
/* Of the variable of 8 bytes that a function loads first, up to its return. 0: it loads none. */
uint64_t decode_variable(uint16_t machine, const uint8_t *code, size_t len, uint64_t address);
/* How far below the thread pointer pthread_self() is, by its code. 0: the code was not understood. */
uint32_t decode_self(uint16_t machine, const uint8_t *code, size_t len);

#endif
