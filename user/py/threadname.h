/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name that a Python program gave to a thread: threading.Thread(name=...). Before 3.14 the
 * kernel does not know it, and later it knows only the first 15 bytes.
 */
#ifndef KRAIT_THREADNAME_H
#define KRAIT_THREADNAME_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "bpf/pylayout.h"

/* The thread to name, as plain bytes that can be passed to another process. */
struct threadname_wanted {
	pid_t pid, tid;
	uint64_t started;        /* of the thread, CLOCK_BOOTTIME, ns */
	uint64_t interps;        /* address of the list of interpreters */
	uint64_t thread_pointer; /* of the thread */
	char start[16];          /* bytes that the name must start with, "": any */
	struct py_layout layout;
};

enum { THREADNAME_MAX = 64 }; /* code points of a name that are read */

struct threadnames;

/* Keeps the lists of threads of some processes for a second. NULL: out of memory. */
struct threadnames *threadnames_new(void);
void threadnames_free(struct threadnames *t);

/* Appends the name as UTF-8. 0, -ENOENT (threading knows no such thread), -ESRCH (it has ended) or -ENOMEM. */
int threadnames_read(struct threadnames *t, const struct threadname_wanted *w, struct buf *out);

#endif
