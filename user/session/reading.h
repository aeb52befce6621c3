/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper process behind a reader: a row for each kind of request. Requests and answers are passed as bytes
 * (base/aside.h).
 */
#ifndef KRAIT_READING_H
#define KRAIT_READING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/aside.h"
#include "base/err.h"
#include "proc/runtime.h"
#include "py/detect.h"

enum reading_op {
	/* request; answer */
	READING_LOOK, /* struct reading_who; struct reading_looked, or nothing if the number says it all */
	READING_INTERPRETER, /* the same */
	READING_BUILD,       /* struct reading_who; struct python_build */
	READING_ARGUMENTS,   /* struct reading_who; the bytes */
	READING_NAMES,       /* struct reading_container; struct reading_named */
	READING_CODE,        /* struct code_wanted; codefetch_read() */
	READING_TOUCH,       /* struct reading_who; nothing */
	READING_THREAD,      /* struct threadname_wanted; a NUL-terminated name */
	READING_SERVED,      /* struct reading_who; a NUL-terminated text */
	READING_IDENTS,      /* struct idents_wanted; idents_read() */
	READING_GIL,         /* struct gil_wanted; gil_read() */
	READING_STACK,       /* struct stack_wanted; stackread_thread() */
	READING_SOURCE,      /* struct source_wanted; source_read() */
	READING_TASKLIST,    /* struct tasklist_wanted; tasklist_read() */
	READING_TASKS,       /* struct task_wanted; taskread_tasks() */
	READING_PLACE,       /* struct taskplace_wanted; struct task_place */
	READING_OPS
};

struct reading_who {
	pid_t pid, tid;
	uint32_t index;
	uint64_t addr, size;
};

struct reading_container {
	char root[64], id[RUNTIME_NAME];
};

struct reading_looked {
	int kind;
	struct python py;
	struct err why;
};

struct reading_named {
	struct runtime_names names;
	struct runtime_refused refused;
};

extern const struct aside_ops reading_ops;
/* Size of the request in bytes. */
size_t reading_size(enum reading_op op);

#endif
