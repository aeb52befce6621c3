/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns and title that the tables of functions and of source lines share. */
#ifndef KRAIT_FORMAT_TABLE_COLUMNS_H
#define KRAIT_FORMAT_TABLE_COLUMNS_H

#include "format/table/tally.h"

/* Appends "  38.53   36.6..40.4   ": a share and its interval. */
void columns_share(struct buf *b, const struct share_interval *s);
/*
 * Which columns divide a share: RUN, WAIT and GIL in a recording that counts off-CPU threads, else PY, C and SYS if
 * it tells what kind of code ran. TALLY_WHOLE: none.
 */
enum tally_classes columns_classes(const struct profile *p, const struct format_opts *o);
/* Appends " 12.30  26.23   0.00": how @e's share divides. Nothing for TALLY_WHOLE. */
void columns_divide(struct buf *b, enum tally_classes by, const struct tally_entry *e,
		    uint64_t weight);
/* The heading of these columns; "" for TALLY_WHOLE. */
const char *columns_heads(enum tally_classes by);
/* Appends a legend of these columns; @of: "SELF" or "TOTAL", the column that they divide. */
void columns_explain(struct buf *b, enum tally_classes by, const char *of, const struct profile *p);
/* Appends lines about the recording and its losses. */
void columns_title(struct buf *b, const struct profile *p);

#endif
