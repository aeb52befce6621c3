/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of functions, lines, callers or callees, as the options ask. */
#ifndef KRAIT_FORMAT_TABLE_FUNCTIONS_H
#define KRAIT_FORMAT_TABLE_FUNCTIONS_H

#include <stdio.h>

#include "format/format.h"

/* Appends the table to @b, which is written to @to from time to time. 0 or -errno. */
int functions_write(const struct profile *p, const struct stacks *s, const struct format_opts *o,
		    FILE *to, struct buf *b, struct err *err);

#endif
