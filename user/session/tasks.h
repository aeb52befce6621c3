/* SPDX-License-Identifier: BSD-2-Clause */
/* The asyncio tasks of a process at one moment, and which of them awaits which. */
#ifndef KRAIT_TASKS_H
#define KRAIT_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strpool.h"
#include "py/asynctask.h"
#include "session/frames.h"
#include "session/reader.h"

struct task_loop {
	uint64_t id;      /* address of the object */
	const char *type; /* hostile bytes */
	uint64_t self;    /* pthread_self() of its thread; 0: unknown, or it does not run */
};

struct task {
	uint64_t id;      /* address of the object */
	const char *name; /* hostile bytes; "": none, or unreadable */
	enum task_state state;
	bool changed; /* while it was read: there are neither frames nor links */
	struct task_loop loop;
	uint64_t waiter;         /* address of the future that it waits for; 0: none */
	const char *waiter_type; /* hostile bytes */
	uint64_t frame;          /* address of its coroutine's frame */
	uint32_t thread;         /* tid of the thread that runs it; 0: none, or unknown */
	uint32_t first,
		frames; /* for tasks_frame(), innermost first, a marker where some are missing */
	/* Numbers of tasks, ascending. */
	const uint32_t *awaits, *awaited_by;
	uint32_t nawaits, nawaited_by;
};

struct tasks;

/* NULL: out of memory. */
struct tasks *tasks_new(void);
void tasks_free(struct tasks *ts);
void tasks_clear(struct tasks *ts);

struct tasks_source {
	pid_t pid;
	struct reader *reader;
	struct frames frames;
	struct strpool *texts; /* where texts are kept; must outlive the tasks */
};

/* Adds the tasks of one interpreter. 0 or -errno. */
int tasks_read(struct tasks *ts, const struct tasks_source *from, const struct python *py);
/* After all were read: orders them by loop and name, and finds out who awaits whom. 0 or -ENOMEM. */
int tasks_link(struct tasks *ts);
/* All tasks; valid until tasks_clear(). */
struct task *tasks_all(const struct tasks *ts, size_t *ret_n);
/* Why some or all tasks are missing; NULL: none is. */
const char *tasks_missing(const struct tasks *ts);
/* Gives a running task the frames @ids, innermost first. 0 or -ENOMEM. */
int tasks_set_frames(struct tasks *ts, struct task *t, const uint32_t *ids, uint32_t n);
/* Frame @i of a task, for sym_resolve(). */
uint32_t tasks_frame(const struct tasks *ts, const struct task *t, uint32_t i);

#endif
