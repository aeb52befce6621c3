/* SPDX-License-Identifier: BSD-2-Clause */
/* All asyncio tasks that a process has, and where their fields are. */
#ifndef KRAIT_TASKLIST_H
#define KRAIT_TASKLIST_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "bpf/pylayout.h"

/* Fields of the C type _asyncio.Task, in bytes from the object. */
struct task_layout {
	uint16_t state;  /* fut_state, an int: 0 pending, 1 cancelled, 2 finished */
	uint16_t waiter; /* task_fut_waiter */
	uint16_t coro;
	uint16_t name;       /* a str, or the int of "Task-1" (3.12+) */
	uint16_t awaited_by; /* NULL, a future, or a set of them; 0: there is none (up to 3.13) */
	uint16_t is_set;     /* byte: awaited_by is a set */
	uint16_t pad[2];
};

enum {
	TASKS_MAX = 1 << 16, /* of one process */
	TASKS_CUT = 1,       /* there are more */
	TASKS_HIDDEN = 2,    /* asyncio is loaded, but its offsets were not found (3.14+) */
	TASKS_OLD = 4,       /* asyncio is loaded, but older than 3.8, whose tasks have no names */
};

/* The process to examine, as plain bytes that can be passed to another process. */
struct tasklist_wanted {
	pid_t pid;
	struct proc_info info;
	struct py_layout layout;
};

/* The answer; @count addresses of objects that are, or were a moment ago, tasks follow. */
struct tasklist {
	struct task_layout layout;
	uint32_t count;
	uint32_t flags; /* TASKS_* */
};

/* Where _asyncio.Task has its fields in a build up to 3.13. */
struct task_layout tasklist_layout(const struct py_layout *l);

/* Appends a struct tasklist. 0 or -ENOMEM. */
int tasklist_read(const struct tasklist_wanted *w, struct buf *out);

#endif
