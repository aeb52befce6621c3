/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A part of a recording: what fulfils conditions KEY=VALUE. Conditions of one key are alternatives, those of
 * different keys must all be fulfilled.
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

/* Adds "process=web", "time=10s..1m", ... 0, -EINVAL or -ENOMEM with @err. */
int where_add(struct where *w, const char *text, struct err *err);
/* For help: a line of what the key @i takes, NULL past the end. */
const char *where_key(size_t i, const char **ret_help);

/*
 * What of @p fulfils the conditions: a profile with the same processes, threads, states, losses, times and resolver
 * (which @p must outlive), but only those counts. NULL: out of memory.
 */
struct profile *where_apply(const struct where *w, const struct profile *p, const struct stacks *s);

#endif
