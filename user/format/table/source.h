/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KRAIT_FORMAT_TABLE_SOURCE_H
#define KRAIT_FORMAT_TABLE_SOURCE_H

#include "format/format.h"

/* Appends the lines of the source file that the options name, each with its share. 0 or -errno. */
int source_write(const struct profile *p, const struct stacks *s, const struct format_opts *o,
		 struct buf *b, struct err *err);

#endif
