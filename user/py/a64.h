/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows register contents through straight-line aarch64 code: constants and addresses, stack
 * addresses, the thread pointer, and words loaded through these. Everything else is unknown,
 * including the results of instructions that are not recognized. Nothing is executed.
 */
#ifndef KRAIT_A64_H
#define KRAIT_A64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum a64_kind {
	A64_UNKNOWN,
	A64_PLACE,           /* a number, or an address without the load bias */
	A64_STACK,           /* an offset from the stack pointer at entry */
	A64_THREAD,          /* an offset from the thread pointer */
	A64_WORD,            /* the word loaded from that address */
	A64_RESOLVED,        /* the result of the TLS descriptor at that address */
	A64_THREAD_WORD,     /* thread pointer + A64_WORD */
	A64_THREAD_RESOLVED, /* thread pointer + A64_RESOLVED */
};

struct a64_value {
	enum a64_kind kind;
	uint64_t value; /* wraps around */
};

enum { A64_SP = 31, A64_REGS };

/* A piece of code and the current position in it. */
struct a64 {
	const uint8_t *code;
	size_t len, pos;  /* bytes */
	uint64_t address; /* of code[0], without the load bias */
	struct a64_value reg[A64_REGS];
};

enum a64_effect {
	A64_OTHER,
	A64_SET,   /* what[0] was computed */
	A64_LOAD,  /* what[] was loaded from at */
	A64_STORE, /* what[] was stored to at */
};

/* The effect of one instruction. */
struct a64_step {
	enum a64_effect effect;
	struct a64_value at; /* A64_UNKNOWN: value is the distance from an unknown base */
	unsigned int size;   /* bytes of each of what[] */
	unsigned int count;  /* 1, or 2 adjacent ones */
	struct a64_value what[2];
};

struct a64 a64_start(const uint8_t *code, size_t len, uint64_t address);
/* Steps over one instruction. False: the line ends here (a return, a jump, the end of the code). */
bool a64_next(struct a64 *m, struct a64_step *ret);

#endif
