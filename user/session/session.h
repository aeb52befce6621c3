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
#include "session/books.h"
#include "session/chosen.h"
#include "session/hang.h"
#include "session/inspector.h"
#include "session/limits.h"
#include "session/procs.h"

struct session_opts {
	double hz;
	uint32_t filters; /* enum filter */
	uint32_t wall;    /* enum wall_mode; 0: threads on a CPU alone */
	bool visit_all;   /* by a pass over all tasks, also where single ones can be found */
	bool skip_parked; /* threads that wait for work by habit are left out */
	struct kern_chosen chosen;
	struct chosen_opts places; /* BY_CGROUP; must outlive the session */
	struct limits limits;
	bool journal; /* all of it is kept a second time, to be written as it comes */
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
const struct inspector *session_inspector(const struct session *s);

/* The books, as of the last session_collect(). */
const struct books_sums *session_sums(const struct session *s);
/* Number @i of the processes that hang; false: there is none. It may ask other processes. */
bool session_hang(const struct session *s, size_t i, struct hang *ret);
/* False: not in wall-clock mode. */
bool session_ticks(const struct session *s, struct wall_ticks *ret);
/* Why containers may be without their names. */
const struct runtime_refused *session_refused_names(const struct session *s);
/* In wall-clock mode. */
const struct wall_stalls *session_stalls(const struct session *s);

#endif
