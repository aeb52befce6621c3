/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/rows.h"

#include <string.h>

#include "base/cleanup.h"

const struct cli_opt *rows_next(const struct cli_opt *o)
{
	if (o == &cli_help_row)
		return NULL;
	return o[1].name ? o + 1 : &cli_help_row;
}

bool rows_takes_value(const struct cli_opt *o)
{
	return o->kind && o->kind->value;
}

bool rows_takes_list(const struct cli_opt *o)
{
	return rows_takes_value(o) && o->kind->done;
}

/* Appends the default: the text o->zero if the value is 0 or empty, else the value. */
static void add_default(const struct cli_opt *o, const void *defaults, struct buf *out)
{
	_cleanup_(buf_done) struct buf value = {};

	if (!defaults || !rows_takes_value(o))
		return;
	if (o->kind->show)
		o->kind->show(o, (const char *)defaults + o->at, &value);
	if (o->zero && (!value.len || !strcmp(value.data, "0")))
		buf_printf(out, "; default: %s", o->zero);
	else if (value.len)
		buf_printf(out, "; default: %s", value.data);
}

void rows_facts(const struct cli_opt *o, const void *defaults, struct buf *out)
{
	if (rows_takes_value(o) && o->kind->bounds) {
		buf_str(out, "; ");
		o->kind->allowed(o, out);
	}
	add_default(o, defaults, out);
}

const char *rows_first_fact(const struct buf *facts)
{
	return facts->data + strlen("; ");
}
