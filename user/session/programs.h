/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one process tells of all that execute the same file, for the kernel's map programs: where the
 * interpreter keeps what the sampler reads, or that there is none. With that an executed Python is known
 * before its first instruction, and what lives for a moment is known to be none, without another look.
 */
#ifndef KRAIT_PROGRAMS_H
#define KRAIT_PROGRAMS_H

#include <stdbool.h>

#include "bpf/wire.h"
#include "load/kern.h"

struct programs;

/* @k must outlive it. NULL: out of memory. */
struct programs *programs_new(struct kern *k);
void programs_free(struct programs *p);

/* Is there a row with an interpreter for what this executes? One that the kernel has pushed out since
 * counts as there. */
bool programs_has(const struct programs *p, const struct wire_exe *exe);
/*
 * Process @key was seen to execute @exe before @program was found in it (its start_code is set here).
 * It becomes a row with the next programs_confirm(), unless there is an equal one. 0 or -ENOMEM.
 */
int programs_learn(struct programs *p, const struct proc_key *key, const struct wire_exe *exe,
		   const struct program *program);
/*
 * The same where no interpreter was found. A row that has one is not replaced but goes: one of both
 * processes is no witness.
 */
int programs_learn_other(struct programs *p, const struct proc_key *key,
			 const struct wire_exe *exe);
/* Believes what was learned of processes that still execute what they did. 0 or -errno. */
int programs_confirm(struct programs *p);
/* A process that executes this is not what the row says: forgets it. */
void programs_drop(struct programs *p, const struct wire_exe *exe);

#endif
