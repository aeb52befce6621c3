/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells the BPF programs where each process keeps its running asyncio tasks. They ask by EVENT_TASKS, at the first
 * sample of a process that runs coroutines, and again now and then until asyncio is loaded.
 */
#ifndef KRAIT_TASKPLACES_H
#define KRAIT_TASKPLACES_H

#include "bpf/wire.h"
#include "load/kern.h"

struct procs;
struct reader;
struct taskplaces;

/* All three must outlive it. NULL: out of memory. */
struct taskplaces *taskplaces_new(struct kern *k, struct reader *r, const struct procs *procs);
void taskplaces_free(struct taskplaces *t);

/* Handles an event. 0 or -ENOMEM. */
int taskplaces_event(struct taskplaces *t, const struct wire_event *event);
/* Once a second: forgets processes that have ended. */
void taskplaces_second(struct taskplaces *t);

#endif
