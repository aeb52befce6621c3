/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions that ran most: what the page says where its scripts do not run. */
#ifndef KRAIT_FORMAT_HTML_TOP_H
#define KRAIT_FORMAT_HTML_TOP_H

#include "base/buf.h"
#include "format/html/graph.h"

/* Appends @s as text of HTML. */
void html_text(struct buf *b, const char *s);
/* Appends a table of at most 50 functions, those with most weight of their own first. 0 or -ENOMEM. */
int html_top(struct buf *b, const struct graph *g, const struct format_opts *o);

#endif
