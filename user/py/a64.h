/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What do the registers hold while a piece of aarch64 code runs? Constants and addresses, places on
 * the stack, the thread pointer and what was loaded by way of them are followed along a straight
 * line; everything else is unknown. Nothing is run, and what is not understood is unknown, too.
 */
#ifndef KRAIT_A64_H
#define KRAIT_A64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum a64_kind {
	A64_UNKNOWN,
	A64_PLACE,           /* an address, in the addresses of the file, or a number */
	A64_STACK,           /* so far from where the stack pointer stood at entry */
	A64_THREAD,          /* so far from the thread pointer */
	A64_WORD,            /* the word that stands at that address */
	A64_RESOLVED,        /* what the TLS descriptor at that address says */
	A64_THREAD_WORD,     /* the thread pointer and A64_WORD */
	A64_THREAD_RESOLVED, /* the thread pointer and A64_RESOLVED */
};

struct a64_value {
	enum a64_kind kind;
	uint64_t value; /* wraps around */
};

enum { A64_SP = 31, A64_REGS };

/* A piece of code, and where in it we are. */
struct a64 {
	const uint8_t *code;
	size_t len, pos;  /* bytes */
	uint64_t address; /* of code[0], in the addresses of the file */
	struct a64_value reg[A64_REGS];
};

enum a64_effect {
	A64_OTHER,
	A64_SET,   /* what[0] was computed */
	A64_LOAD,  /* from at */
	A64_STORE, /* of what[], to at */
};

/* What one instruction did. */
struct a64_step {
	enum a64_effect effect;
	struct a64_value at; /* A64_UNKNOWN: value is the distance from an unknown base */
	unsigned int size;   /* bytes of each of what[] */
	unsigned int count;  /* 1, or 2 that lie one behind the other */
	struct a64_value what[2];
};

struct a64 a64_start(const uint8_t *code, size_t len, uint64_t address);
/* The next instruction; m->pos is then behind it. False: the line ends (a return, a jump, the code's end). */
bool a64_next(struct a64 *m, struct a64_step *ret);

#endif
