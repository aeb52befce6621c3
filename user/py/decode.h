/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds data without a symbol through the code that uses it: the constants that a function passes
 * on, the variable that it returns. @machine is EM_X86_64 or EM_AARCH64 (others give nothing),
 * @address is the address of code[0]. It and the results are addresses in the file, without load
 * bias.
 */
#ifndef KRAIT_DECODE_H
#define KRAIT_DECODE_H

#include <stddef.h>
#include <stdint.h>

enum { DECODE_ADDRESSES = 64 }; /* as many as 256 bytes of code can name */

/*
 * Fills @ret with up to DECODE_ADDRESSES addresses that the code computes, in order, and returns
 * their number. Some of them may be false matches.
 */
size_t decode_addresses(uint16_t machine, const uint8_t *code, size_t len, uint64_t address,
			uint64_t ret[DECODE_ADDRESSES]);
/* Address of the first 8-byte variable that a function loads before it returns. 0: it loads none. */
uint64_t decode_variable(uint16_t machine, const uint8_t *code, size_t len, uint64_t address);
/* Distance of pthread_self() below the thread pointer, from its code. 0: the code was not understood. */
uint32_t decode_self(uint16_t machine, const uint8_t *code, size_t len);

#endif
