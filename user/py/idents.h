/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pthread_self() has each thread of a process? The kernel tells a BPF program the thread pointer; to another
 * process it does not, unless that stops the thread.
 */
#ifndef KRAIT_IDENTS_H
#define KRAIT_IDENTS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "bpf/pylayout.h"

/* The process to examine, as plain bytes that can be passed to another process. */
struct idents_wanted {
	pid_t pid;
	uint64_t interps; /* address of the list of interpreters, 0 unknown */
	struct py_layout layout;
};

struct ident {
	uint32_t tid;
	/* The interpreter has a state of a thread that could be any of those whose ident is 0. */
	uint32_t doubtful;
	uint64_t self; /* pthread_self(); 0: unknown */
};

/* Appends a struct ident for each thread, by ascending tid. 0 or -errno (-ESRCH: the process is gone). */
int idents_read(const struct idents_wanted *w, struct buf *out);

#endif
