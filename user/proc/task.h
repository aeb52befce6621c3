/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread as /proc/PID/task/TID shows it at one moment: what it waits for, where its user code stopped, and
 * how often it was switched out. Memory that only the thread itself changes is consistent if it was read while the
 * thread rested.
 */
#ifndef KRAIT_TASK_H
#define KRAIT_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { TASK_NO_CALL = -1 };

/* Plain bytes: it is passed between processes. */
struct task_now {
	uint64_t switches;  /* voluntary and involuntary */
	int64_t call;       /* number of the system call that it is in, or TASK_NO_CALL */
	uint64_t first;     /* first argument of that call */
	uint64_t sp, pc;    /* of user code; 0: unknown, as while the thread runs */
	uint64_t stack_len; /* bytes of the stack that execve made */
	pid_t ns_tid;       /* its id in its own pid namespace */
	char state;         /* R S D T t Z X */
	bool parked;        /* the kernel had switched it out when sp and pc were read */
	bool frozen;        /* by a cgroup freezer */
};

/* 0, or -ESRCH: the thread is gone. What may not be read stays unknown. */
int task_read(pid_t pid, pid_t tid, struct task_now *ret);
/* Has the thread not run since it was read? */
bool task_rested(pid_t pid, pid_t tid, const struct task_now *since);

/* Parsers of the files; they leave fields alone that the text does not have. Pure. */
void task_parse_status(const char *text, struct task_now *ret);
void task_parse_syscall(const char *text, struct task_now *ret);

#endif
