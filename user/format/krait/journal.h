/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a recording to its file while it is made. The file is called FILE.part, which `krait report` can read,
 * and is renamed at the end. After a crash, FILE.part has everything up to the last flush.
 */
#ifndef KRAIT_FORMAT_JOURNAL_H
#define KRAIT_FORMAT_JOURNAL_H

#include "format/file.h"

struct journal;

/*
 * @f: a regular file (need not exist yet) after out_file_check(); must outlive the journal. NULL: @err says why.
 */
struct journal *journal_new(const struct out_file *f, struct err *err);
/* Without journal_end(), FILE.part stays, unless it is empty. */
void journal_free(struct journal *j);

/*
 * Appends what is new, counted since @ms after the start. If that fails, the file is unchanged, and the next call
 * appends everything that is missing.
 */
int journal_add(struct journal *j, const struct profile *p, const struct stacks *s, uint64_t ms,
		struct err *err);
/* Completes the file and renames it; can be retried. */
int journal_end(struct journal *j, struct err *err);

#endif
