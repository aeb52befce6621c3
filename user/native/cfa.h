/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a function's call frame instructions (DWARF 5, section 6.4). The result is a list of rows:
 * from which address on the caller's registers are where. Only the three registers that a walk needs
 * are followed: stack pointer, frame pointer and return address.
 */
#ifndef KRAIT_CFA_H
#define KRAIT_CFA_H

#include <stdbool.h>
#include <stdint.h>

#include "native/cursor.h"
#include "native/ehframe.h"

/* How the CFA (the stack pointer before the call) is computed. */
enum cfa_kind {
	CFA_NONE,   /* not said yet */
	CFA_OFFSET, /* reg + offset */
	CFA_DEREF,  /* *(reg + offset) + add */
	CFA_PLT11,  /* sp + 8, from byte 11 of each 16 bytes of code on sp + 16 */
	CFA_PLT10,
	CFA_OTHER, /* by an expression that is none of these */
};

/* Where the caller's value of a register is. */
enum cfa_place {
	CFA_SAME,      /* still in the register */
	CFA_AT,        /* at CFA + offset */
	CFA_AT_FP,     /* in the word that the frame pointer points to */
	CFA_UNDEFINED, /* nowhere; for the return address: there is no caller */
	CFA_ELSEWHERE, /* somewhere that is not followed */
};

struct cfa_saved {
	enum cfa_place place;
	int64_t offset;
};

struct cfa_state {
	enum cfa_kind kind;
	uint64_t reg; /* DWARF's number */
	int64_t offset, add;
	struct cfa_saved fp, ra;
	struct cfa_saved sp; /* CFA_SAME: it is the CFA, as usual */
};

/* DWARF's numbers of a machine's registers. */
struct cfa_machine {
	uint16_t machine; /* EM_X86_64, EM_AARCH64 */
	uint8_t sp, fp;
	bool ra_in_register; /* a call leaves the return address in a register, not on the stack */
};

/* NULL: a machine without native frames. */
const struct cfa_machine *cfa_machine(uint16_t machine);

enum { CFA_DEPTH = 16 }; /* states remembered at once; compilers use one or two */

/* A running program. @state holds from address @from up to the next row. */
struct cfa {
	struct cfa_state state;
	uint64_t from;
	/* Of cfa.c alone. */
	const struct cfa_machine *machine;
	const struct fde *fde;
	struct cfa_state initial, saved[CFA_DEPTH];
	unsigned int depth;
	uint64_t at; /* where the next row begins */
	struct cursor code;
	bool done;
};

/* @fde and @image must live longer. 0 or -EINVAL: the CIE's part is absurd. */
int cfa_begin(struct cfa *c, const struct cfa_machine *m, const struct image *image,
	      const struct fde *fde);
/*
 * 1: the next row is in @c; 0: the function has no more; -EINVAL: the rest cannot be understood. Rows
 * have ascending addresses inside of the function.
 */
int cfa_next(struct cfa *c);

#endif
