/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes named with --pid: do they exist, and are they Python? If not, what are they, and which Python
 * descendant may be meant?
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

/* @descendants: processes that they start are recorded, too. NULL: out of memory. */
struct named *named_new(const uint64_t *pids, size_t n, bool descendants);
void named_free(struct named *n);

/* Is each pid a running process? 0, -ESRCH with @err saying what it is instead, or -ENOMEM. */
int named_check(struct named *n, struct err *err);
/* Examines those that still run; for others the last result stays. 0 or -ENOMEM. */
int named_look(struct named *n, const struct inspector *inspector);
/* Does one of them still run? */
bool named_run(const struct named *n);
/* Was one of them Python at the last look, or a descendant if those are recorded? */
bool named_python(const struct named *n);
/* Is krait not permitted to read any of them? */
bool named_refused(const struct named *n);
/*
 * Writes a message for each process that is not Python, with what to do about it, between @before and @after.
 * Safe for terminals. @ended: the recording has ended, so results are final.
 */
void named_say(const struct named *n, bool ended, const char *before, const char *after,
	       struct buf *out);

#endif
