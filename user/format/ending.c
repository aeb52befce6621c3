/* SPDX-License-Identifier: BSD-2-Clause */
#include "format/ending.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/*
 * Includes the extensions that other profilers and viewers use for the same formats. A longer extension comes
 * before one that it ends with.
 */
static const struct row {
	const char *ending;
	const struct format_ops *ops;
	bool plain;
} rows[] = {
	{ "report", &format_table, false },
	{ "folded", &format_folded, false },
	{ "collapsed", &format_folded, false },
	{ "txt", &format_folded, false },
	{ "html", &format_html, false },
	{ "htm", &format_html, false },
	{ "speedscope.json", &format_speedscope, false },
	{ "speedscope", &format_speedscope, false },
	{ "json", &format_speedscope, false },
	{ "pprof", &format_pprof, false },
	{ "pb", &format_pprof, true },
	{ "jsonl", &format_jsonl, false },
	{ "ndjson", &format_jsonl, false },
	{ "krait", &format_krait, false },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Removes ".@ending" from the end of @name (@len bytes), unless nothing would be left. */
static bool cut(const char *name, size_t *len, const char *ending)
{
	size_t n = strlen(ending);

	if (*len < n + 2 || name[*len - n - 1] != '.' ||
	    strncasecmp(name + *len - n, ending, n) != 0)
		return false;
	*len -= n + 1;
	return true;
}

/* True for "profile.svg"; false for "profile", "python-3.12" and ".profile". */
static bool has_ending(const char *name, size_t len)
{
	size_t i = len;

	while (i && isalnum((unsigned char)name[i - 1]))
		i--;
	return i > 1 && i < len && name[i - 1] == '.' && isalpha((unsigned char)name[i]);
}

bool ending_is(const char *path, const char *ending)
{
	size_t len = strlen(path);

	cut(path, &len, "gz");
	return cut(path, &len, ending);
}

struct ending ending_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(name);
	struct ending ret = { .gzip = cut(name, &len, "gz") };

	for (size_t i = 0; i < ROWS && !ret.ops; i++) {
		if (!cut(name, &len, rows[i].ending))
			continue;
		ret.ops = rows[i].ops;
		ret.plain = rows[i].plain && !ret.gzip;
	}
	ret.unknown = !ret.ops && has_ending(name, len);
	return ret;
}

bool ending_gzips(const struct ending *e, const struct format_ops *ops)
{
	return e->gzip || (ops->gzipped && !(e->plain && e->ops == ops));
}

void ending_list(struct buf *b)
{
	const struct format_ops *ops;

	for (size_t i = 0; (ops = format_at(i)); i++)
		buf_printf(b, "%s.%s (%s)", i ? ", " : "", ops->extension, ops->name);
}
