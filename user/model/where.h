/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters a recording by conditions KEY=VALUE. Of conditions with the same key any may match; conditions with
 * different keys must all match.
 */
#ifndef KRAIT_WHERE_H
#define KRAIT_WHERE_H

#include "base/err.h"
#include "model/profile.h"
#include "model/stacks.h"

struct where;

/* NULL: out of memory. */
struct where *where_new(void);
void where_free(struct where *w);
static inline void where_freep(struct where **w)
{
	where_free(*w);
}

/* Adds a condition such as "process=web" or "time=10s..1m". 0, -EINVAL or -ENOMEM with @err. */
int where_add(struct where *w, const char *text, struct err *err);
/* Adds the condition that the thread's name matches @pattern; its key is that of thread=. 0 or -ENOMEM with @err. */
int where_add_name(struct where *w, const char *pattern, struct err *err);
/* For help: the name of key number @i, and a line about its values. NULL past the last key. */
const char *where_key(size_t i, const char **ret_help);

/*
 * A profile with the matching counts of @p only. It has the same processes, threads, states, losses, times and
 * resolver, and @p must outlive it. NULL: out of memory.
 */
struct profile *where_apply(const struct where *w, const struct profile *p, const struct stacks *s);

#endif
