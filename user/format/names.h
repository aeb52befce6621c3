/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How things are called, so that what is distinct in a recording reads distinct, and no longer than that takes:
 *
 *	/srv/shop/orders/api/views.py    orders/api/views.py    api/views.py is two files here
 *	/srv/shop/users/api/views.py     users/api/views.py
 *	run of app.py, lines 3 and 8     run:3, run:8           two functions of one name and file
 *	worker-4711, which began twice   worker-4711, worker-4711#2
 *
 * A function is its file, its name and the line at which it begins; a process its host, pid and start; a thread
 * its process, tid and start. What the recording does not know (of older versions) tells nothing apart.
 */
#ifndef KRAIT_FORMAT_NAMES_H
#define KRAIT_FORMAT_NAMES_H

#include "base/buf.h"
#include "model/profile.h"
#include "model/stacks.h"

struct names;

/* @p must outlive it, and may not grow meanwhile. NULL: out of memory. */
struct names *names_new(const struct profile *p, const struct stacks *s);
void names_free(struct names *n);
static inline void names_freep(struct names **n)
{
	names_free(*n);
}

/* The end of @file that no other file of the recording has: path_short(), or more. Not the caller's. */
const char *names_path(struct names *n, const char *file);
/* Whose function it is: its first line, where that tells it from others; else 0. */
int names_function(struct names *n, const struct frame *f);
/* Its name, where that needs it with the line, "run" or "run:41", through text_add(). */
void names_frame(struct names *n, struct buf *b, const struct frame *f);
/* For formats that tell functions by their names: "get", or where others have that name, too, "get (a/b.py)". */
void names_alone(struct names *n, struct buf *b, const struct frame *f);
/* 1, or the number among those that have the same name and id. */
uint32_t names_process(const struct names *n, uint32_t process);
uint32_t names_thread(const struct names *n, uint32_t thread);

#endif
