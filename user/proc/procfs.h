/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc says about one process. All functions return 0 or -errno; -ESRCH means that it is gone. */
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
	bool kthread; /* a thread of the kernel: no program */
	unsigned int threads;
	unsigned long long start_ticks; /* since boot, in USER_HZ */
	unsigned long long utime_ticks, stime_ticks;
};

/* A comm may hold any byte, spaces and parentheses included. */
int procfs_stat(pid_t pid, struct proc_stat *ret);
/* CPU time that it has used, in USER_HZ; 0: not known. */
uint64_t procfs_cpu_ticks(pid_t pid);
/* What only its status tells. */
struct proc_ids {
	uid_t uid;    /* the real one */
	pid_t tgid;   /* the process that it is a thread of */
	pid_t ns_pid; /* its id where it lives: in the innermost pid namespace */
};
int procfs_ids(pid_t pid, struct proc_ids *ret);
/*
 * Its arguments, a NUL behind each but the last, up to @size bytes; NULs that end them are left out.
 * Returns the length (0: it has none), or -errno.
 */
ssize_t procfs_arguments(pid_t pid, char *ret, size_t size);

typedef VEC(pid_t) procfs_pids;
/* The processes that /proc shows, and the threads of one, ascending; added to @ret. */
int procfs_list(procfs_pids *ret);
int procfs_list_threads(pid_t pid, procfs_pids *ret);

/* "/proc/PID/exe" as the kernel prints it, with a possible " (deleted)". */
int procfs_exe(pid_t pid, char *ret, size_t size);
/* Opens the executable itself, whatever happened to its path. A descriptor (O_CLOEXEC) or -errno. */
int procfs_open_exe(pid_t pid);
/* Where in its memory the program headers of what it executes are, as the kernel told its loader. */
int procfs_headers(pid_t pid, uint64_t *ret);
/* Bytes of krait's own that are in memory, 0: not known. */
size_t procfs_resident(void);

#endif
