/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of hottest functions, which the page shows if scripts are disabled. */
#ifndef KRAIT_FORMAT_HTML_TOP_H
#define KRAIT_FORMAT_HTML_TOP_H

#include "base/buf.h"
#include "format/html/graph.h"

/* Appends @s, escaped for HTML. */
void html_text(struct buf *b, const char *s);
/* Appends a table of at most 50 functions, sorted by self weight. 0 or -ENOMEM. */
int html_top(struct buf *b, const struct graph *g, const struct format_opts *o);

#endif
