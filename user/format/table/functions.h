/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions, lines, callers or callees, whatever the options ask for. */
#ifndef KRAIT_FORMAT_TABLE_FUNCTIONS_H
#define KRAIT_FORMAT_TABLE_FUNCTIONS_H

#include <stdio.h>

#include "format/format.h"

/* Appends to @b, and writes that to @to now and then. 0 or -errno. */
int functions_write(const struct profile *p, const struct stacks *s, const struct format_opts *o,
		    FILE *to, struct buf *b, struct err *err);

#endif
