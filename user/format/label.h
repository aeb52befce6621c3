/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands in the box of a flame graph, and in a line of text: how a frame reads, and a root frame. */
#ifndef KRAIT_FORMAT_LABEL_H
#define KRAIT_FORMAT_LABEL_H

#include "base/buf.h"
#include "format/format.h"
#include "format/names.h"

/*
 * Appends "qualname (short/path.py:LINE)", each part through text_add(). Where its file has others of that name, the
 * line FIRST at which it begins is in it: "qualname:FIRST (short/path.py:LINE)", without lines
 * "qualname (short/path.py:FIRST)".
 */
void label_frame(struct buf *b, const struct frame *f, const struct format_opts *o,
		 struct names *n);
/* Appends the root frame of @dim for @row's thread and state, through text_add(). */
void label_root(struct buf *b, const struct profile *p, const struct profile_row *row, enum dim dim,
		const struct names *n);

#endif
