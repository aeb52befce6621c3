/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asyncio tasks of a running process, read from outside. The process is not stopped, so what is read of a task is
 * believed only once three readings in a row were equal.
 */
#ifndef KRAIT_ASYNCTASK_H
#define KRAIT_ASYNCTASK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "bpf/pylayout.h"
#include "py/tasklist.h"

enum { TASK_BATCH = 32 }; /* tasks of one request */

/* The tasks to read, as plain bytes that can be passed to another process. */
struct task_wanted {
	pid_t pid;
	uint32_t count;
	struct proc_key key;
	uint64_t code_type;
	struct py_layout layout;
	struct task_layout task;
	uint64_t at[TASK_BATCH];
};

enum task_state {
	TASK_RUNNING,
	TASK_WAITING, /* for a future */
	TASK_READY,   /* its loop will run it; it may not have begun yet */
	TASK_DONE,
	TASK_UNKNOWN, /* its coroutine is of a type that cannot be read, and it waits for no future */
	TASK_STATES,
};

enum {
	TASK_CHANGED = 1, /* readings were never equal; frames and the two lists are missing */
	TASK_DEEP = 2,    /* the innermost frames are missing: there are more than TASK_FRAMES */
	TASK_TORN = 4,    /* a frame could not be read: it and the inner ones are missing */
	TASK_FRAMES = 1024,
	TASK_LINKS = 4096, /* of each of the two lists */
	TASK_NAME = 256,   /* code points of a name */
};

/*
 * A task. Its frames follow, innermost first: struct wire_frame; then the addresses of futures that it is awaited by
 * and of those that it awaits through gather(); then the texts, which are hostile bytes. Records are padded to a
 * multiple of 8 bytes; a buffer of them begins aligned.
 */
struct task_found {
	uint64_t at, loop;
	uint64_t frame;  /* of its coroutine; while it runs, in the stack of a thread */
	uint64_t waiter; /* the future that it waits for, perhaps a task; 0: none */
	uint64_t self;   /* pthread_self() of the thread that runs the loop; 0: unknown, or none */
	uint32_t state;  /* enum task_state */
	uint32_t flags;  /* TASK_* */
	uint32_t frames; /* 0 while it runs */
	uint32_t awaited_by, children;
	uint32_t name_len, waiter_len, loop_len; /* its name, the types of waiter and loop */
};

struct taskread;

/* NULL: out of memory. */
struct taskread *taskread_new(void);
void taskread_free(struct taskread *t);

/* Appends a struct task_found for each wanted object that is a task. 0 or -ENOMEM. */
int taskread_tasks(struct taskread *t, const struct task_wanted *w, struct buf *out);

/* The parts of a record. */
struct task_parts {
	const struct wire_frame *frames;
	const uint64_t *awaited_by, *children;
	const char *name, *waiter, *loop; /* not NUL-terminated */
};

/* The record at *@at in @len bytes, and moves *@at behind it. NULL: there is none, or the rest is malformed. */
const struct task_found *task_next(const char *data, size_t len, size_t *at,
				   struct task_parts *ret);

#endif
