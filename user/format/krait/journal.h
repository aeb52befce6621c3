/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording that reaches its file while it is made. It grows under the name FILE.part, which `krait report`
 * reads too, and gets its own name at the end; after a crash, FILE.part has what was there at the last flush.
 */
#ifndef KRAIT_FORMAT_JOURNAL_H
#define KRAIT_FORMAT_JOURNAL_H

#include "format/file.h"

struct journal;

/* For a checked regular file (which need not be there); @f must outlive it. NULL: @err says why. */
struct journal *journal_new(const struct out_file *f, struct err *err);
/* Without an end FILE.part stays, unless nothing is in it. */
void journal_free(struct journal *j);

/*
 * Appends what is new, counted since @ms after the beginning. Where that fails, the file is as before, and the next
 * call appends all that is missing.
 */
int journal_add(struct journal *j, const struct profile *p, const struct stacks *s, uint64_t ms,
		struct err *err);
/* Ends it and gives it its name; can be tried again. */
int journal_end(struct journal *j, struct err *err);

#endif
