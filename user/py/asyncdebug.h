/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The section .AsyncioDebug of CPython 3.14 and later: offsets that asyncio publishes for debuggers. It is in
 * _asyncio*.so, or in the interpreter's own file if the module is built in.
 */
#ifndef KRAIT_ASYNCDEBUG_H
#define KRAIT_ASYNCDEBUG_H

#include <stdint.h>
#include <sys/types.h>

/* In the order of the section: offsets and sizes in bytes. */
struct asyncdebug {
	/* TaskObj */
	uint64_t task_size, task_name, awaited_by, is_task, awaited_by_is_set, coro, node;
	/* PyInterpreterState */
	uint64_t interp_size, interp_tasks;
	/* _PyThreadStateImpl */
	uint64_t state_size, running_loop, running_task, state_tasks;
};

/* 0, -ENOENT (no file that the process runs has it), -ENOTSUP (it cannot be true) or -errno. */
int asyncdebug_find(pid_t pid, struct asyncdebug *ret);

#endif
