/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture from open to close: owns the BPF programs, the timers, the table of processes, and the model
 * that they fill. The owner of a session runs it and reads the model; a session prints nothing.
 */
#ifndef KRAIT_SESSION_H
#define KRAIT_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "base/err.h"
#include "load/kern.h"
#include "load/wall.h"
#include "model/profile.h"
#include "model/stacks.h"
#include "proc/runtime.h"
#include "session/books.h"
#include "session/chosen.h"
#include "session/hang.h"
#include "session/inspector.h"
#include "session/limits.h"
#include "session/natives.h"
#include "session/procs.h"

struct session_opts {
	double hz;
	uint32_t filters; /* enum filter */
	uint32_t wall;    /* enum wall_mode; 0: on-CPU threads only */
	bool visit_all; /* wall-clock mode: iterate over all tasks even if the kernel can look up single ones */
	bool kernel;         /* kernel frames, too */
	unsigned int native; /* 1: native frames, too; 2: also the interpreter's own plumbing */
	bool tasks;          /* the asyncio task of each sample, too (CPython 3.12+) */
	bool skip_parked;    /* leave out parked threads (sym/parked.h) */
	struct kern_chosen chosen;
	struct chosen_opts places; /* BY_CGROUP; its lists must outlive the session */
	struct limits limits;
	bool journal; /* the model is also written to a file during the recording, which takes memory */
	bool debug;
};

struct session;

/* Loads everything and examines all processes; sampling does not start yet. NULL: @err says why. */
struct session *session_new(const struct session_opts *opts, struct err *err);
void session_free(struct session *s);

/* Callbacks during a run. Those that return a value return 1 to end the run, 0 to continue, or -errno. */
struct session_hooks {
	int (*readable)(void *ctx); /* @wake_fd is readable */
	int (*second)(void *ctx);   /* about once a second */
	void (*started)(void *ctx); /* sampling has started; may be NULL */
	void *ctx;
};

/* Samples until a hook ends the run or @duration_ns have passed (UINT64_MAX: no limit). 0 or -errno. */
int session_run(struct session *s, uint64_t duration_ns, int wake_fd,
		const struct session_hooks *hooks, struct err *err);
/* Adds everything sampled until now to the model. 0 or -errno. */
int session_collect(struct session *s);

/* Start of the period whose counts the last session_collect() added, in ms after the start of sampling. */
uint64_t session_counted_ms(const struct session *s);
const struct profile *session_profile(const struct session *s);
const struct stacks *session_stacks(const struct session *s);
const struct procs *session_procs(const struct session *s);
const struct inspector *session_inspector(const struct session *s);

/* The accounting, as of the last session_collect(). */
const struct books_sums *session_sums(const struct session *s);
/* Why kernel functions have no names: 0 (they have, or none are recorded), or as kallsyms_error(). */
int session_kernel_names(const struct session *s);
/* False: native frames were not asked for. */
bool session_natives(const struct session *s, struct natives_sums *ret);
/* How many CPUs are sampled. */
int session_cpus(const struct session *s);
/* Process number @i that hangs, see hang_find(). */
bool session_hang(const struct session *s, size_t i, struct hang *ret);
/* False: not in wall-clock mode. */
bool session_ticks(const struct session *s, struct wall_ticks *ret);
/* Answers of container engines that could not be parsed, so names may be missing. */
const struct runtime_refused *session_refused_names(const struct session *s);
/* Threads whose memory did not respond, in wall-clock mode. */
const struct wall_stalls *session_stalls(const struct session *s);

#endif
