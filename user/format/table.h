/* SPDX-License-Identifier: BSD-2-Clause */
/* What the views of the terminal's format have in common. */
#ifndef KRAIT_OUT_TABLE_H
#define KRAIT_OUT_TABLE_H

#include "format/tally.h"

/* "  38.53   36.6..40.4   ": a share and its interval. */
void table_share(struct buf *b, const struct share_interval *s);
/* What was recorded, and what was lost. */
void table_head(struct buf *b, const struct profile *p);

/* format/source.c: each line of the file that the options name, with its share beside its text. 0 or -errno. */
int source_write(const struct profile *p, const struct stacks *s, const struct out_opts *o,
		 struct buf *b, struct err *err);

#endif
