/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides whether a process is a Python that krait can record. Examines it repeatedly until that is certain, and
 * enters the result in the table of processes.
 */
#ifndef KRAIT_INSPECTOR_H
#define KRAIT_INSPECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "load/kern.h"
#include "session/procs.h"
#include "session/retries.h"

struct inspector;
struct reader;

/* All three must outlive it. NULL: out of memory. */
struct inspector *inspector_new(struct kern *k, struct reader *r, struct procs *p);
void inspector_free(struct inspector *i);
/* From now on only interpreters with a GIL are recorded; others count as unsupported, with that reason. */
void inspector_need_gil(struct inspector *i);

/* Examines a process for the @look-th time (LAST_LOOK: a "no" is final), unless it is settled. 0 or -errno. */
int inspector_look(struct inspector *i, const struct subject *who, int look);
/*
 * Examines a settled process again: it may have loaded an interpreter since, or the result was in doubt. The old
 * result stays until it is known to be wrong. 0 or -errno.
 */
int inspector_look_anew(struct inspector *i, const struct subject *who);
/* After some looks: confirms what they found about executables (programs_confirm()). 0 or -errno. */
int inspector_confirm(struct inspector *i);
/* Examines the processes that are due again. Returns ns until the next look, -1: none. */
int64_t inspector_retry(struct inspector *i);

/* Iterates, like hmap_each(), over chosen processes that could not be examined yet because they hang. */
bool inspector_hanging(const struct inspector *i, size_t *pos, uint32_t *ret_pid);
/*
 * The kind of process @tgid, which is examined unless it is known to be Python. For PROC_UNSUPPORTED @why is
 * filled in; *@doubt: the result may be temporary. A process that has ended is PROC_OTHER.
 */
enum proc_kind inspector_kind(const struct inspector *i, uint32_t tgid, struct err *why,
			      bool *doubt);

#endif
