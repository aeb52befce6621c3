/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unambiguous names that are as short as possible: what differs in a recording must read differently.
 *
 *	/srv/shop/orders/api/views.py    orders/api/views.py    api/views.py is two files here
 *	/srv/shop/users/api/views.py     users/api/views.py
 *	run of app.py, lines 3 and 8     run:3, run:8           two functions of one name and file
 *	worker-4711, which began twice   worker-4711, worker-4711#2
 *
 * A function is identified by its file, name and first line; a process by host, pid and start time; a thread by
 * process, tid and start time. Fields that a recording of an older version lacks are taken as equal.
 */
#ifndef KRAIT_FORMAT_NAMES_H
#define KRAIT_FORMAT_NAMES_H

#include "base/buf.h"
#include "model/profile.h"
#include "model/stacks.h"

struct names;

/* @p must outlive it and must not grow during that time. NULL: out of memory. */
struct names *names_new(const struct profile *p, const struct stacks *s);
void names_free(struct names *n);
static inline void names_freep(struct names **n)
{
	names_free(*n);
}

/* The shortest unambiguous end of path @file: path_short(), or more. Owned by @n. */
const char *names_path(struct names *n, const char *file);
/* The first line of the frame's function if it is needed to tell the function from others; else 0. */
int names_function(struct names *n, const struct frame *f);
/* Appends the function's name, if needed with its first line: "run" or "run:41", through text_add(). */
void names_frame(struct names *n, struct buf *b, const struct frame *f);
/*
 * For formats that identify functions by name alone: appends "get", or "get (a/b.py)" if other files have a
 * "get".
 */
void names_alone(struct names *n, struct buf *b, const struct frame *f);
/* The number among processes or threads with the same name and id, from 1. */
uint32_t names_process(const struct names *n, uint32_t process);
uint32_t names_thread(const struct names *n, uint32_t thread);

#endif
