/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is this process one to record? Looks at it as often as it takes to know, and enters the answer in the table of
 * processes.
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
/* Only interpreters that have a GIL are recorded; others are refused with that reason. */
void inspector_need_gil(struct inspector *i);

/* Looks at a process for the @look-th time (LAST_LOOK: a "no" is final), unless it is settled. 0 or -errno. */
int inspector_look(struct inspector *i, const struct subject *who, int look);
/*
 * Looks at one that is settled: it may have loaded an interpreter, or the answer was in doubt. It stays what
 * it was said to be until that is known to be wrong. 0 or -errno.
 */
int inspector_look_anew(struct inspector *i, const struct subject *who);
/* After some looks: believes what they told of programs. 0 or -errno. */
int inspector_confirm(struct inspector *i);
/* Looks again at those whose time has come. Returns ns until the next look, -1: none. */
int64_t inspector_retry(struct inspector *i);

/* Those of the chosen that could not be looked at yet, because their memory or files do not answer; as hmap_each(). */
bool inspector_hanging(const struct inspector *i, size_t *pos, uint32_t *ret_pid);
/*
 * What is known of process @tgid, which is looked at if that is nothing. For PROC_UNSUPPORTED @why is filled,
 * and *@doubt says that it came from a moment and is looked at again. It is PROC_OTHER also where it has ended.
 */
enum proc_kind inspector_kind(const struct inspector *i, uint32_t tgid, struct err *why,
			      bool *doubt);

#endif
