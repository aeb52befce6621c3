/* SPDX-License-Identifier: BSD-2-Clause */
/* The format for terminals: a table of functions, or a source file with the share of each line. */
#include "base/cleanup.h"
#include "format/format.h"
#include "format/stream.h"
#include "format/table/functions.h"
#include "format/table/source.h"

static int write_table(const struct profile *p, const struct stacks *s, const struct format_opts *o,
		       FILE *to, struct err *err)
{
	_cleanup_(buf_done) struct buf b = {};
	int code =
		o->source ? source_write(p, s, o, &b, err) : functions_write(p, s, o, to, &b, err);

	if (!code)
		code = stream_put(&b, to, true);
	if (!code)
		code = stream_flush(to);
	if (!code || (err && err->code))
		return code;
	return stream_failed(err, "table", code);
}

const struct format_ops format_table = {
	.name = "table",
	.extension = "report",
	.help = "hottest functions with their shares, as text",
	.write = write_table,
};
