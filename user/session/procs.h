/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes of a recording: what is known of each, for the sampler (map procs) and for the profile. Processes are
 * known by key (struct proc_key); a pid is only shown. census.h and inspector.h fill the table.
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
#include "session/layouts.h"
#include "session/reasons.h"

struct procs;

struct procs_entry {
	enum proc_kind kind;
	uint32_t process; /* in the profile, PROFILE_NONE: no sample yet, or not Python */
	uint32_t
		reason; /* why it is not recorded: its number, from 1; 0: none was counted for it */
	uint32_t doubts; /* answers that were in doubt */
	uint32_t lives;  /* threads, by each of their names */
	char comm[WIRE_COMM];
	bool unchosen;  /* the filters leave it out: nothing is said of it */
	uint64_t ticks; /* of CPU that it had used when it was found */
	struct interps interps;
};

/* Both must outlive it. NULL: out of memory. */
struct procs *procs_new(struct kern *k, struct profile *profile);
void procs_free(struct procs *p);

/* Calls @fn for each process that is known to be Python from now on. */
void procs_on_python(struct procs *p, void (*fn)(void *ctx, uint32_t tgid), void *ctx);
/* Does anybody want to be called? */
bool procs_has_listener(const struct procs *p);

/* Valid until the table changes; NULL: not known. */
const struct procs_entry *procs_get(const struct procs *p, const struct proc_key *key);
/* Of a process that executed something else meanwhile: what it is now. */
const struct procs_entry *procs_newest(const struct procs *p, uint32_t tgid);
/* Adds the keys of all to @ret, of struct proc_key. 0 or -ENOMEM. */
int procs_keys(const struct procs *p, struct hmap *ret);
/* Is there an answer for it? One that is looked at early may be looked at again for its first sample. */
bool procs_is_settled(const struct procs *p, const struct proc_key *key);

/* For what is not recorded, a process or a part of one. The number of the reason, or -ENOMEM. */
int procs_add_reason(struct procs *p, uint32_t pid, const struct err *why);
/* One more interpreter of @e. Completes its info. 0 or -errno; -ENOSPC: too many different ones. */
int procs_add_interp(struct procs *p, struct procs_entry *e, struct python *py);
void procs_set_comm(struct procs_entry *e, const char *comm);
/*
 * Makes or replaces an entry, here and in the kernel, and tells of a Python. A full table is the kernel's to
 * count. 0 or -ENOMEM.
 */
int procs_settle(struct procs *p, const struct proc_key *key, const struct procs_entry *e,
		 struct proc_info *info);
/* The kernel has made the entry of a child of @parent, or of a program that it knows (-EBADMSG: it does not). */
int procs_settle_child(struct procs *p, const struct proc_key *key,
		       const struct procs_entry *parent, bool unchosen);
int procs_settle_known(struct procs *p, const struct proc_key *key, const struct interp *interp,
		       bool unchosen);
/* It has ended, and counts may come. 0 or -ENOMEM. */
int procs_bury(struct procs *p, const struct proc_key *key);
/*
 * Forgets what had ended at the call before this one; call after the counts were drained. (What ended
 * just now may have counts in the set that is live.)
 */
void procs_reap(struct procs *p);

/* A record from the kernel. 0 or -errno. */
int procs_thread(struct procs *p, const struct wire_thread *t);
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
const struct reason *procs_reasons(const struct procs *p, size_t *n);
uint32_t procs_python(const struct procs *p); /* Python processes alive */
/*
 * Those of them that the filters let through; of a filter but --pid, as far as is known. *@ret_cpu_seconds,
 * if it is not NULL: the CPU time that they have used since they were found.
 */
uint32_t procs_chosen(const struct procs *p, double *ret_cpu_seconds);

#endif
