/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes of a recording: what the kernel tells of them, what detection says, and the entry
 * that the sampler reads. Processes are known by key (struct proc_key); a pid is only shown.
 */
#ifndef KRAIT_PROCS_H
#define KRAIT_PROCS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/pylayout.h"
#include "bpf/wire.h"
#include "base/err.h"
#include "load/kern.h"
#include "model/profile.h"
#include "session/reader.h"

struct procs;

/* What is said of a process that is not shown. */
struct procs_reason {
	const char *text;
	uint32_t count;   /* processes; 0: of all of them something else is known by now */
	uint32_t example; /* pid of the first */
	bool refused;     /* it may not be read; else krait cannot */
};

/* All three must outlive it. NULL: out of memory. */
struct procs *procs_new(struct kern *k, struct reader *r, struct profile *profile);
void procs_free(struct procs *p);

/* Calls @fn for each process that is known to be Python from now on, also when a fork or exec tells. */
void procs_on_python(struct procs *p, void (*fn)(void *ctx, uint32_t tgid), void *ctx);
/* Which filters there are (enum filter): what they leave out is not spoken of. */
void procs_set_filters(struct procs *p, uint32_t filters);
/* Only interpreters that have a GIL are recorded; others are refused with that reason. */
void procs_need_gil(struct procs *p);

/* Looks at everything that runs. 0 or -errno. */
int procs_fill(struct procs *p);
/* Adds to the pid filter what descends from @pids now; fork adds what comes later. 0 or -errno. */
int procs_follow(struct procs *p, const uint32_t *pids, size_t n);
/* After events were lost: finds what is new and what is gone. 0 or -errno. */
int procs_resync(struct procs *p);
/* Records from the kernel. 0 or -errno. */
int procs_event(struct procs *p, const struct wire_event *e);
int procs_thread(struct procs *p, const struct wire_thread *t);

/* Looks again at processes that were too young to tell. Returns ns until the next look, -1: none. */
int64_t procs_retry(struct procs *p);
/*
 * Forgets what had ended at the call before this one; call after the counts were drained. (What ended
 * just now may have counts in the set that is live.)
 */
void procs_reap(struct procs *p);

/* Was this thread counted before? */
bool procs_has_thread(const struct procs *p, const struct proc_key *key, uint32_t tid,
		      uint64_t life);
/* Index of the thread in the profile (@life: of its record), PROFILE_NONE: out of memory. */
uint32_t procs_thread_index(struct procs *p, const struct proc_key *key, uint32_t tid,
			    uint64_t life);
/* What codes_add() needs; false: no such process or layout. */
bool procs_layout(const struct procs *p, const struct proc_key *key, uint32_t layout,
		  const struct py_layout **ret, uint64_t *ret_code_type);

/* Samples that came before their process was known, by what it was; ended: nobody knows. */
struct procs_pending {
	uint64_t python, other, ended;
};
struct procs_pending procs_pending(const struct procs *p);
/* Reasons in order of first sight. */
const struct procs_reason *procs_reasons(const struct procs *p, size_t *n);
/* Those of the chosen that could not be looked at yet, because their memory or files do not answer; as hmap_each(). */
bool procs_hanging(const struct procs *p, size_t *pos, uint32_t *ret_pid);
uint32_t procs_python(const struct procs *p); /* Python processes alive */
/*
 * Those of them that the filters let through; of a filter but --pid, as far as is known. *@ret_cpu_seconds,
 * if it is not NULL: the CPU time that they have used since they were found.
 */
uint32_t procs_chosen(const struct procs *p, double *ret_cpu_seconds);
/*
 * What is known of process @tgid, which is looked at if that is nothing. For PROC_UNSUPPORTED @why is filled,
 * and *@doubt says that it came from a moment and is looked at again. It is PROC_OTHER also where it has ended.
 */
enum proc_kind procs_kind(const struct procs *p, uint32_t tgid, struct err *why, bool *doubt);

#endif
