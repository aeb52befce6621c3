/* SPDX-License-Identifier: BSD-2-Clause */
/* Who holds the GIL of a process, as its interpreters have it at one moment. */
#ifndef KRAIT_GIL_H
#define KRAIT_GIL_H

#include <stdint.h>
#include <sys/types.h>

#include "bpf/pylayout.h"

enum { GIL_MAX = 16 }; /* GILs of one process: subinterpreters may have their own (3.12+) */

/* Plain bytes that can be passed to another process. */
struct gil_wanted {
	pid_t pid;
	struct proc_info info;
	struct py_layout layout;
};

struct gil_now {
	uint64_t gil;    /* its address; 0: unknown (3.6) */
	uint64_t holder; /* the PyThreadState that holds it; 0: nobody */
	uint64_t self;   /* pthread_self() of the thread that made that state */
};

/* The number of GILs; 0: a build without one, or nothing could be read. */
size_t gil_read(const struct gil_wanted *w, struct gil_now ret[GIL_MAX]);

#endif
