/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tables of functions and of lines have in common: columns, and what stands above them. */
#ifndef KRAIT_FORMAT_TABLE_COLUMNS_H
#define KRAIT_FORMAT_TABLE_COLUMNS_H

#include "format/table/tally.h"

/* "  38.53   36.6..40.4   ": a share and its interval. */
void columns_share(struct buf *b, const struct share_interval *s);
/* " 12.30  26.23   0.00": the parts of @e's share for which threads run, wait, and wait for the GIL; and the heading. */
void columns_classes(struct buf *b, const struct tally_entry *e, uint64_t weight);
extern const char columns_class_heads[];
/* Are there such columns? Not in a recording of running threads, which would have one value. */
bool columns_have_classes(const struct profile *p, const struct format_opts *o);
/* What the columns say, @of "SELF" or "TOTAL". */
void columns_explain_classes(struct buf *b, const char *of);
/* What was recorded, and what was lost. */
void columns_title(struct buf *b, const struct profile *p);

#endif
