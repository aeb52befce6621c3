/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a thread was doing when it was counted: the words of recordings that tell running from waiting.
 * One that counts running threads alone has one state, STATE_RUNNING.
 */
#ifndef KRAIT_STATE_H
#define KRAIT_STATE_H

#include <stdbool.h>

#include "base/buf.h"

/* In the order of a thread's way from its CPU. */
enum state_kind {
	STATE_RUNNING,
	STATE_RUNNABLE,  /* wants a CPU */
	STATE_THROTTLED, /* has used up its quota of CPU time */
	STATE_GIL_WAIT,  /* for the GIL */
	STATE_FUTEX,     /* for a lock, perhaps the GIL */
	STATE_SLEEPING,  /* in a system call that can be interrupted */
	STATE_DISK,      /* uninterruptible */
	STATE_STOPPED,   /* by a signal, a debugger, or the freezer */
	STATE_UNKNOWN,   /* not on a CPU, and no more is known */
	STATE_KINDS,
};

/* The same, as coarse as a table has room for. */
enum state_class {
	STATE_CLASS_RUN, /* on a CPU, or ready for one: runnable and throttled threads wait for nothing else */
	STATE_CLASS_WAIT, /* asleep, blocked or stopped */
	STATE_CLASS_GIL,  /* waits for the GIL */
	STATE_CLASSES,
};

struct state {
	enum state_kind kind;
	bool holds_gil;
	const char *call; /* the system call it is in, NULL: not known, or none */
};

/* "running", "gil wait": for options, labels and people. */
const char *state_name(enum state_kind kind);
enum state_class state_class(enum state_kind kind);
/* Appends the leaf frame "[sleep: epoll_wait]"; nothing for a running thread. */
void state_frame(struct buf *b, const struct state *s);

#endif
