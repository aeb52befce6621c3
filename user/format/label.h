/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of frames and root frames, as in a box of a flame graph and in a folded line. */
#ifndef KRAIT_FORMAT_LABEL_H
#define KRAIT_FORMAT_LABEL_H

#include "base/buf.h"
#include "format/format.h"
#include "format/names.h"

/*
 * Appends "qualname (short/path.py:LINE)", each part through text_add(). If the file has several functions of that
 * name, the function's first line FIRST tells them apart: "qualname:FIRST (short/path.py:LINE)", without lines
 * "qualname (short/path.py:FIRST)".
 */
void label_frame(struct buf *b, const struct frame *f, const struct format_opts *o,
		 struct names *n);
/* Appends the root frame of @dim for @row's thread and state, through text_add(). */
void label_root(struct buf *b, const struct profile *p, const struct profile_row *row, enum dim dim,
		const struct names *n);

#endif
