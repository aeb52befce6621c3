/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of processes: what the sampler (BPF map procs) and the profile need to know of each. The key is a
 * struct proc_key, because pids are reused; pids are only for display. census.h and inspector.h fill the table.
 */
#ifndef KRAIT_PROCS_H
#define KRAIT_PROCS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/pylayout.h"
#include "bpf/wire.h"
#include "base/err.h"
#include "base/hmap.h"
#include "load/kern.h"
#include "model/profile.h"
#include "py/detect.h"
#include "py/threadname.h"
#include "session/layouts.h"
#include "session/reasons.h"

struct procs;

struct procs_entry {
	enum proc_kind kind;
	uint32_t process; /* index in the profile, PROFILE_NONE: no sample yet, or not Python */
	uint32_t reason;  /* number of the reason why it is not recorded, from 1; 0: none */
	uint32_t doubts;  /* how many results were in doubt */
	uint32_t lives;   /* threads, counted once for each of their names */
	char comm[WIRE_COMM];
	bool unchosen;  /* excluded by the filters: not reported */
	uint64_t ticks; /* CPU time it had used when it was found, in clock ticks */
	struct interps interps;
};

/* Both must outlive it. NULL: out of memory. */
struct procs *procs_new(struct kern *k, struct profile *profile);
void procs_free(struct procs *p);

/* Registers @fn, which is called for each process that is found to be Python from now on. */
void procs_on_python(struct procs *p, void (*fn)(void *ctx, uint32_t tgid), void *ctx);
/* Is a callback registered? */
bool procs_has_listener(const struct procs *p);

/* The entry of a process, valid until the table changes. NULL: unknown. */
const struct procs_entry *procs_get(const struct procs *p, const struct proc_key *key);
/* The latest entry of a pid: every exec of a process makes a new one. */
const struct procs_entry *procs_newest(const struct procs *p, uint32_t tgid);
/* Adds the keys (struct proc_key) of all entries to @ret. 0 or -ENOMEM. */
int procs_keys(const struct procs *p, struct hmap *ret);
/* Is it known what the process is? Not as long as the kernel's entry is PROC_PENDING. */
bool procs_is_settled(const struct procs *p, const struct proc_key *key);

/* Counts a reason why a process, or an interpreter of it, is not recorded. Returns its number, or -ENOMEM. */
int procs_add_reason(struct procs *p, uint32_t pid, const struct err *why);
/* Adds an interpreter to @e and completes its info. 0 or -errno; -ENOSPC: too many different layouts. */
int procs_add_interp(struct procs *p, struct procs_entry *e, struct python *py);
void procs_set_comm(struct procs_entry *e, const char *comm);
/*
 * Adds or replaces an entry, here and in the kernel, and calls the callback for a Python process. If the
 * kernel's map is full, the kernel counts the loss. 0 or -ENOMEM.
 */
int procs_settle(struct procs *p, const struct proc_key *key, const struct procs_entry *e,
		 struct proc_info *info);
/*
 * Adds only the entry here, after the kernel has made its own: for a child of @parent, or for a process that
 * executed a known program (-EBADMSG: no such layout).
 */
int procs_settle_child(struct procs *p, const struct proc_key *key,
		       const struct procs_entry *parent, bool unchosen);
int procs_settle_known(struct procs *p, const struct proc_key *key, const struct interp *interp,
		       bool unchosen);
/* Marks a process as ended; counts for it may still arrive. 0 or -ENOMEM. */
int procs_bury(struct procs *p, const struct proc_key *key);
/*
 * Forgets the processes that had ended by the previous call. Call it after the counts were drained: processes
 * that ended since may still have counts in the live set.
 */
void procs_reap(struct procs *p);

/* Handles a thread record from the kernel. 0 or -errno. */
int procs_thread(struct procs *p, const struct wire_thread *t);
/*
 * What to ask for the name that the program gave to a thread, in interpreter number @interp of its process.
 * False: there is no such interpreter, or the name that the thread has set for itself in the kernel tells more.
 */
bool procs_name_wanted(const struct procs *p, const struct wire_thread *t, uint32_t interp,
		       struct threadname_wanted *ret);
/* Is this thread in the profile already? */
bool procs_has_thread(const struct procs *p, const struct proc_key *key, uint32_t tid,
		      uint64_t life);
/* Index of the thread in the profile, added if new. @life is from its record. PROFILE_NONE: out of memory. */
uint32_t procs_thread_index(struct procs *p, const struct proc_key *key, uint32_t tid,
			    uint64_t life);
/* The layout and code type that codes_add() needs; false: no such process or layout. */
bool procs_layout(const struct procs *p, const struct proc_key *key, uint32_t layout,
		  const struct py_layout **ret, uint64_t *ret_code_type);

/* Samples taken before their process was identified, by its kind; ended: it was never identified. */
struct procs_pending {
	uint64_t python, other, ended;
};
struct procs_pending procs_pending(const struct procs *p);
/* All reasons in the order in which they first occurred. */
const struct reason *procs_reasons(const struct procs *p, size_t *n);
uint32_t procs_python(const struct procs *p); /* number of live Python processes */
/*
 * The number of those that pass the filters; for filters other than --pid, as far as is known. *@ret_cpu_seconds,
 * if not NULL: the CPU time that they have used since they were found.
 */
uint32_t procs_chosen(const struct procs *p, double *ret_cpu_seconds);

#endif
