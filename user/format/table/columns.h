/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns and title that the tables of functions and of source lines share. */
#ifndef KRAIT_FORMAT_TABLE_COLUMNS_H
#define KRAIT_FORMAT_TABLE_COLUMNS_H

#include "format/table/tally.h"

/* Appends "  38.53   36.6..40.4   ": a share and its interval. */
void columns_share(struct buf *b, const struct share_interval *s);
/* Appends " 12.30  26.23   0.00": how @e's share divides into RUN, WAIT and GIL. Below, the heading. */
void columns_classes(struct buf *b, const struct tally_entry *e, uint64_t weight);
extern const char columns_class_heads[];
/* Are there such columns? Not in a recording of running threads only, where all but RUN would be 0. */
bool columns_have_classes(const struct profile *p, const struct format_opts *o);
/* Appends a legend of these columns; @of: "SELF" or "TOTAL", the column that they divide. */
void columns_explain_classes(struct buf *b, const char *of);
/* Appends lines about the recording and its losses. */
void columns_title(struct buf *b, const struct profile *p);

#endif
