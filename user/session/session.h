/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture from open to close: the kernel side, the clock, the processes, and the model that they
 * fill. Whoever owns a session asks it to run and reads the model; it prints nothing.
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
#include "session/chosen.h"
#include "session/procs.h"

/* 0 in a size: chosen from rate and number of CPUs. */
struct session_opts {
	double hz;
	uint32_t filters; /* enum filter */
	uint32_t wall;    /* enum wall_mode; 0: threads on a CPU alone */
	bool visit_all;   /* by a pass over all tasks, also where single ones can be found */
	bool skip_parked; /* threads that wait for work by habit are left out */
	struct kern_chosen chosen;
	struct chosen_opts places; /* BY_CGROUP; must outlive the session */
	uint32_t max_depth, max_procs, max_counts, max_stacks, max_codes;
	uint64_t ring_bytes;
	uint64_t max_memory; /* bytes; 0: a share of what the host has */
	bool journal;        /* all of it is kept a second time, to be written as it comes */
	bool debug;
};

struct session;

/* Loads everything and looks at all processes; nothing is sampled yet. NULL: @err says why. */
struct session *session_new(const struct session_opts *opts, struct err *err);
void session_free(struct session *s);

/* What may end or interrupt a run; each returns 1 to end it, 0 to go on, or -errno. */
struct session_hooks {
	int (*readable)(void *ctx); /* @wake_fd is */
	int (*second)(void *ctx);   /* about once a second */
	void (*started)(void *ctx); /* sampling has begun; NULL: need not be said */
	void *ctx;
};

/* Samples until a hook ends it or @duration_ns (UINT64_MAX: no end) went by. 0 or -errno. */
int session_run(struct session *s, uint64_t duration_ns, int wake_fd,
		const struct session_hooks *hooks, struct err *err);
/* Brings the model up to date with what was sampled until now. 0 or -errno. */
int session_collect(struct session *s);

/* When the counts of the last session_collect() began, ms after the beginning. */
uint64_t session_counted_ms(const struct session *s);
const struct profile *session_profile(const struct session *s);
const struct stacks *session_stacks(const struct session *s);
const struct procs *session_procs(const struct session *s);

/* The books: every tick of every CPU has one fate. Filled by session_collect(). */
struct session_sums {
	double ticks;         /* due, all CPUs */
	double seconds;       /* of the clock on the wall */
	double cpu_seconds;   /* that CPUs were watched */
	int cpus;             /* online now */
	struct err unwatched; /* why one that came online is not watched, code 0: all are */
	uint64_t fate[FATES]; /* FATE_PENDING: only of Python processes; FATE_OTHER: and the rest */
	uint64_t end[WALK_ENDS];
	uint64_t note[NOTES];
	uint64_t not_delivered;
	uint64_t ended_unknown;  /* of processes that ended before it was known what they are */
	uint64_t waiting;        /* samples of threads that were not on a CPU */
	uint32_t stalled;        /* tid whose memory does not answer, 0: none */
	uint64_t parked;         /* left out: of threads that waited for work */
	uint64_t limited;        /* of fate shown: without their stacks, for --max-memory */
	uint64_t unknown_stacks; /* counted, but their stack never arrived */
	uint64_t touched;        /* pages that were brought in for the next sample */
	uint64_t refetched, unresolved_codes, malformed;
};
const struct session_sums *session_sums(const struct session *s);
/* A process that hangs, or did: what of it was not read. */
struct session_hang {
	uint32_t pid;
	uint32_t codes; /* whose names and lines are missing; 0: it could not be looked at at all */
	char comm[WIRE_COMM];
	char served[128]; /* the file system, "": not known */
};
/* Number @i of them; false: there is none. It may ask other processes. */
bool session_hang(struct session *s, size_t i, struct session_hang *ret);
/* False: not in wall-clock mode. */
bool session_ticks(const struct session *s, struct wall_ticks *ret);
/* Why containers may be without their names. */
const struct runtime_refused *session_refused_names(const struct session *s);
/* In wall-clock mode. */
const struct wall_stalls *session_stalls(const struct session *s);

#endif
