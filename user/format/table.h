/* SPDX-License-Identifier: BSD-2-Clause */
/* What the views of the terminal's format have in common. */
#ifndef KRAIT_OUT_TABLE_H
#define KRAIT_OUT_TABLE_H

#include "format/tally.h"

/* "  38.53   36.6..40.4   ": a share and its interval. */
void table_share(struct buf *b, const struct share_interval *s);
/* " 12.30  26.23   0.00": the parts of @e's share for which threads run, wait, and wait for the GIL; and the heading. */
void table_classes(struct buf *b, const struct tally_entry *e, uint64_t weight);
extern const char table_class_heads[];
/* Are there such columns? Not in a recording of running threads, which would have one value. */
bool table_has_classes(const struct profile *p, const struct out_opts *o);
/* What the columns say, @of "SELF" or "TOTAL". */
void table_explain_classes(struct buf *b, const char *of);
/* What was recorded, and what was lost. */
void table_head(struct buf *b, const struct profile *p);

/* format/source.c: each line of the file that the options name, with its share beside its text. 0 or -errno. */
int source_write(const struct profile *p, const struct stacks *s, const struct out_opts *o,
		 struct buf *b, struct err *err);

#endif
