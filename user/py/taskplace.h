/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a process keeps the asyncio task that each of its threads runs. */
#ifndef KRAIT_TASKPLACE_H
#define KRAIT_TASKPLACE_H

#include <stdint.h>
#include <sys/types.h>

#include "bpf/pylayout.h"
#include "bpf/wire.h"

/* The process to examine, as plain bytes that can be passed to another process. */
struct taskplace_wanted {
	pid_t pid;
	uint64_t interps; /* address of the list of interpreters */
	struct py_layout layout;
};

/* Fills *@ret but for wait_ms and asked. */
void taskplace_read(const struct taskplace_wanted *w, struct task_place *ret);

#endif
