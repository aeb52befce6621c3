/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads /proc/PID of a process. Functions return 0 or -errno unless their comment says otherwise;
 * -ESRCH: the process is gone.
 */
#ifndef KRAIT_PROCFS_H
#define KRAIT_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/vec.h"

struct proc_stat {
	pid_t ppid;
	char state; /* R S D Z T t X I */
	char comm[16];
	bool kthread;       /* a kernel thread */
	unsigned int flags; /* PF_* of the kernel */
	unsigned int threads;
	unsigned long long start_ticks; /* since boot, in USER_HZ */
	unsigned long long utime_ticks, stime_ticks;
	unsigned long long start_stack; /* where execve began the stack; 0: not permitted */
};

/* A comm may hold any byte, spaces and parentheses included. */
int procfs_stat(pid_t pid, struct proc_stat *ret);
/* The same of one thread: its own name, state, start and times. */
int procfs_thread_stat(pid_t pid, pid_t tid, struct proc_stat *ret);
/* Does the process have this thread now? */
bool procfs_has_thread(pid_t pid, pid_t tid);
/* Its CPU time in USER_HZ ticks; 0: unknown. */
uint64_t procfs_cpu_ticks(pid_t pid);
/* Fields of /proc/PID/status. */
struct proc_ids {
	uid_t uid;    /* real uid */
	pid_t tgid;   /* its process, if @pid is a thread */
	pid_t ns_pid; /* its id in the innermost pid namespace */
};
int procfs_ids(pid_t pid, struct proc_ids *ret);
/*
 * Its arguments, separated by NULs, cut to @size - 1 bytes; trailing NULs are stripped. Returns the
 * length (0: no arguments), or -errno.
 */
ssize_t procfs_arguments(pid_t pid, char *ret, size_t size);

typedef VEC(pid_t) procfs_pids;
/* Append the processes in /proc, or the threads of a process, in ascending order. */
int procfs_list(procfs_pids *ret);
int procfs_list_threads(pid_t pid, procfs_pids *ret);

/* "/proc/PID/exe" as the kernel prints it, with a possible " (deleted)". */
int procfs_exe(pid_t pid, char *ret, size_t size);
/* Opens the executable, even if its path was deleted or replaced. A descriptor (O_CLOEXEC) or -errno. */
int procfs_open_exe(pid_t pid);
/* Address of the executable's program headers in memory (AT_PHDR); -ENOENT: there is none. */
int procfs_headers(pid_t pid, uint64_t *ret);
/* krait's own resident memory in bytes; 0: unknown. */
size_t procfs_resident(void);

#endif
