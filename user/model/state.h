/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a thread was doing when it was sampled: running, or waiting for something. A recording of running
 * threads alone has a single kind of state, STATE_RUNNING.
 */
#ifndef KRAIT_STATE_H
#define KRAIT_STATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "model/leaf.h"

/* Ordered from running to off-CPU. */
enum state_kind {
	STATE_RUNNING,
	STATE_RUNNABLE,  /* waits for a CPU */
	STATE_THROTTLED, /* has used up its cgroup's quota of CPU time */
	STATE_GIL_WAIT,  /* waits for the GIL */
	STATE_FUTEX,     /* waits for a lock, perhaps the GIL */
	STATE_SLEEPING,  /* interruptible sleep, in a system call */
	STATE_DISK,      /* uninterruptible sleep */
	STATE_STOPPED,   /* by a signal, a debugger, or the freezer */
	STATE_UNKNOWN,   /* off-CPU, nothing else is known */
	STATE_KINDS,
};

/* States grouped for the columns of a table. */
enum state_class {
	STATE_CLASS_RUN,  /* running, or waiting for nothing but a CPU (runnable, throttled) */
	STATE_CLASS_WAIT, /* asleep, blocked or stopped */
	STATE_CLASS_GIL,  /* waits for the GIL */
	STATE_CLASSES,
};

struct state {
	enum state_kind kind;
	bool holds_gil;
	enum leaf_kind leaf; /* of a running thread */
	const char *call;    /* the system call that it is in, NULL: unknown or none */
	const char *
		module; /* of LEAF_NATIVE: the program or library, without its folder; NULL: unknown */
	const char *task; /* the asyncio task that it runs, NULL: none, or not asked for */
};

/* "running", "gil wait": as options, labels and messages spell it. */
const char *state_name(enum state_kind kind);
enum state_class state_class(enum state_kind kind);
/* Appends the leaf frame "[sleep: epoll_wait]"; nothing for a running thread. */
void state_frame(struct buf *b, const struct state *s);
/*
 * Appends the kind of a running thread's leaf, "python", "kernel: read", "native: libz.so.1" or "[kind unknown]"; else
 * the state.
 */
void state_leaf(struct buf *b, const struct state *s);

#endif
