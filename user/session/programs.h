/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one process tells of all that execute the same file: where the interpreter keeps what the
 * sampler reads, for the kernel's map programs. With that an executed Python is known before its
 * first instruction, without another look.
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

/* Is there a row for what this executes? One that the kernel has pushed out since counts as there. */
bool programs_has(const struct programs *p, const struct wire_exe *exe);
/*
 * Process @key was seen to execute @exe before @program was found in it (its start_code is set here).
 * It becomes a row with the next programs_confirm(), unless there is an equal one. 0 or -ENOMEM.
 */
int programs_learn(struct programs *p, const struct proc_key *key, const struct wire_exe *exe,
		   const struct program *program);
/* Believes what was learned of processes that still execute what they did. 0 or -errno. */
int programs_confirm(struct programs *p);
/* A process that executes this is no Python that can be read: forgets the row. */
void programs_drop(struct programs *p, const struct wire_exe *exe);

#endif
