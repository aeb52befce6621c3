/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that --pid names: whether there are such, whether they are Python, and if not, what they are
 * and which of their descendants is what was meant.
 */
#ifndef KRAIT_NAMED_H
#define KRAIT_NAMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "session/inspector.h"

struct named;

/* @descendants: what they start is recorded, too. NULL: out of memory. */
struct named *named_new(const uint64_t *pids, size_t n, bool descendants);
void named_free(struct named *n);

/* Is each of them a process that runs? 0, -ESRCH with what it is else, or -ENOMEM. */
int named_check(struct named *n, struct err *err);
/* Looks at those that still run; of others stays what was known. 0 or -ENOMEM. */
int named_look(struct named *n, const struct inspector *inspector);
/* Does one of them still run? */
bool named_run(const struct named *n);
/* Was one of them Python at the last look, or what it started, where that is recorded? */
bool named_python(const struct named *n);
/* May none of them be looked at? */
bool named_refused(const struct named *n);
/*
 * A line, without its end, of each that is not Python and what to do about it. Safe for terminals, @before
 * each of them and @after. @ended: of a recording that has ended, where no answer changes any more.
 */
void named_say(const struct named *n, bool ended, const char *before, const char *after,
	       struct buf *out);

#endif
