/* SPDX-License-Identifier: BSD-2-Clause */
/* To add a format: a row here, a file or folder beside this one, and a row in ending.c. */
#include "format/format.h"

#include <string.h>

static const struct format_ops *const formats[] = {
	&format_table, &format_folded, &format_html,  &format_speedscope,
	&format_pprof, &format_jsonl,  &format_krait,
};

#define NFORMATS (sizeof(formats) / sizeof(formats[0]))

const struct format_ops *format_find(const char *name)
{
	for (size_t i = 0; i < NFORMATS; i++)
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	return NULL;
}

const struct format_ops *format_at(size_t i)
{
	return i < NFORMATS ? formats[i] : NULL;
}

void format_names(struct buf *b)
{
	for (size_t i = 0; i < NFORMATS; i++) {
		buf_str(b, i ? ", " : "");
		buf_str(b, formats[i]->name);
	}
}
