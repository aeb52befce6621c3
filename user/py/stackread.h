/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the stack of one thread of a running process from outside. The thread is not stopped, so a reading is
 * believed only if nothing moved under it.
 */
#ifndef KRAIT_STACKREAD_H
#define KRAIT_STACKREAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "bpf/pylayout.h"
#include "proc/task.h"

/* The thread to read, as plain bytes that can be passed to another process. */
struct stack_wanted {
	pid_t pid; /* of the process, or any thread of it that still has its memory */
	pid_t tid;
	uint64_t self; /* pthread_self(); 0: the thread has none, so it has no Python stack */
	bool doubtful; /* self is 0, but the thread may have a stack */
	bool leader;   /* the first thread of its process */
	bool locals;   /* read variables, too */
	struct proc_key key;
	struct proc_info info;
	struct py_layout layout;
};

enum stack_proof {
	STACK_RESTED, /* the thread did not run while it was read */
	STACK_AGREED, /* it ran, but two readings in a row were equal */
	STACK_MOVED, /* they never were: only the callers that the last two had in common are there */
};

/*
 * The answer; @count struct wire_frame follow, leaf first, then the address of each frame, then the variables, if
 * wanted: struct local.
 */
struct stack_found {
	struct task_now task; /* when it was read */
	uint32_t proof;       /* enum stack_proof */
	uint32_t end;         /* enum walk_end */
	uint32_t count;
	uint32_t in_gil; /* it sleeps in its GIL, that is, waits for it */
	uint64_t state;  /* its PyThreadState; 0: none */
};

struct stackread;

/* NULL: out of memory. */
struct stackread *stackread_new(void);
void stackread_free(struct stackread *r);

/* Appends a struct stack_found and its frames. 0, -ESRCH (the thread is gone) or -ENOMEM. */
int stackread_thread(struct stackread *r, const struct stack_wanted *w, struct buf *out);

#endif
