/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All threads of one Python process at one moment: their names, states and stacks, who holds the GIL, and the
 * asyncio tasks. It is read from /proc and process memory, without BPF; the process is neither stopped nor changed. Each thread is read
 * at a moment of its own, a few microseconds after the one before.
 */
#ifndef KRAIT_SNAPSHOT_H
#define KRAIT_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "model/frame.h"
#include "model/state.h"
#include "py/stackread.h"
#include "session/tasks.h"

struct snapshot_thread {
	uint32_t tid, ns_tid; /* in krait's pid namespace, and in the thread's own */
	const char *name;     /* hostile bytes */
	bool named;           /* the name is Python's own, else the kernel's */
	bool shown;           /* its name was asked for: it was read */
	bool ended;           /* while it was read; nothing else is known */
	struct state state;
	enum stack_proof proof;
	bool unread; /* it may have a Python stack that could not be read, or not whole */
	uint32_t first, frames; /* for snapshots_frame(), markers among them */
};

/* A GIL: subinterpreters may have their own. */
struct snapshot_gil {
	bool steady; /* both readings, before and after those of the threads, had the same holder */
	bool held;
	const struct snapshot_thread *holder; /* NULL: nobody, or not a thread of the list */
};

/* Valid until the next snapshot. */
struct snapshot {
	struct timespec taken;                 /* CLOCK_REALTIME */
	double seconds;                        /* from the first to the last reading */
	const struct snapshot_thread *threads; /* the first thread of the process, then by tid */
	size_t nthreads;
	const struct snapshot_gil *gils;
	size_t ngils; /* 0: built without a GIL, or unknown */
	/* By event loop, then by name. */
	const struct task *tasks;
	size_t ntasks;
	const char *tasks_missing; /* why some or all are; NULL: none is */
};

struct snapshots;

struct snapshots_opts {
	const char *const
		*names; /* patterns: only threads whose name matches one are read; none: all */
	size_t nnames;
	bool locals; /* read arguments and local variables */
	bool tasks;  /* read asyncio tasks */
};

/* The patterns must outlive it. NULL: out of memory. */
struct snapshots *snapshots_new(const struct snapshots_opts *o);
void snapshots_free(struct snapshots *s);
static inline void snapshots_freep(struct snapshots **s)
{
	snapshots_free(*s);
}

/* Takes one. NULL: @err says why (-ESRCH: the process has ended). */
const struct snapshot *snapshots_take(struct snapshots *s, pid_t pid, struct err *err);
/* Frame @i of a thread of the last snapshot, leaf first. Texts are valid until the next snapshot. */
void snapshots_frame(const struct snapshots *s, const struct snapshot_thread *t, uint32_t i,
		     struct frame *ret);
/* Frame @i of a task, innermost first, likewise. */
void snapshots_task_frame(const struct snapshots *s, const struct task *t, uint32_t i,
			  struct frame *ret);
/* The thread that runs an event loop; NULL: none does, or it is unknown. */
const struct snapshot_thread *snapshots_loop_thread(const struct snapshots *s,
						    const struct task_loop *l);
/* A variable of a frame. Texts are printable UTF-8, not NUL-terminated. */
struct snapshot_local {
	const char *name, *type, *value;
	size_t name_len, type_len, value_len;
	bool argument;
	bool changed; /* while it was read: there is neither type nor value */
	bool rest;    /* stands for further variables, which were not read */
};

/* The next variable of frame @i; start with *@pos = 0. False: there is none. */
bool snapshots_local(const struct snapshots *s, const struct snapshot_thread *t, uint32_t i,
		     size_t *pos, struct snapshot_local *ret);
/*
 * The source line of such a frame, hostile bytes, valid until the next snapshot. NULL: there is none. *@ret_newer:
 * the file was changed after the process started, so the line may be another one.
 */
const char *snapshots_source(struct snapshots *s, const struct frame *f, bool *ret_newer);

#endif
