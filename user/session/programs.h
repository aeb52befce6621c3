/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BPF map "programs": what krait learned from one process holds for all that execute the same file: where
 * the interpreter keeps the data that the sampler reads, or that there is no interpreter. So the kernel knows a
 * new Python before its first instruction, and short-lived other processes need not be examined.
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

/* Is there a row with an interpreter for this executable? A row that the kernel has evicted still counts. */
bool programs_has(const struct programs *p, const struct wire_exe *exe);
/*
 * @program was found in process @key, which executed @exe before that (start_code is set here). The next
 * programs_confirm() makes it a row, unless there is an equal one. 0 or -ENOMEM.
 */
int programs_learn(struct programs *p, const struct proc_key *key, const struct wire_exe *exe,
		   const struct program *program);
/*
 * The same for a process without an interpreter. If there is a row with one, it is removed and not replaced,
 * because one of the two results must be wrong.
 */
int programs_learn_other(struct programs *p, const struct proc_key *key,
			 const struct wire_exe *exe);
/* Makes rows of what was learned, if the process still executes the same file. 0 or -errno. */
int programs_confirm(struct programs *p);
/* Removes the row of an executable because a process that executes it contradicts the row. */
void programs_drop(struct programs *p, const struct wire_exe *exe);

#endif
