/* SPDX-License-Identifier: BSD-2-Clause */
/* A format is a row here, a file beside it (or a folder), and a row of ending.c. */
#include "format/format.h"

#include <string.h>

static const struct out_ops *const formats[] = {
	&out_table, &out_folded, &out_html, &out_speedscope, &out_pprof, &out_jsonl, &out_krait,
};

#define NFORMATS (sizeof(formats) / sizeof(formats[0]))

const struct out_ops *out_find(const char *name)
{
	for (size_t i = 0; i < NFORMATS; i++)
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	return NULL;
}

const struct out_ops *out_at(size_t i)
{
	return i < NFORMATS ? formats[i] : NULL;
}

void out_names(struct buf *b)
{
	for (size_t i = 0; i < NFORMATS; i++) {
		buf_str(b, i ? ", " : "");
		buf_str(b, formats[i]->name);
	}
}
