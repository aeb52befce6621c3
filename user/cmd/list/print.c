/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A survey as text. Each column of the table is a row here: a heading and a function that writes a cell. Cells
 * are made twice, the first time to measure the columns. Texts from processes are made safe for terminals.
 */
#include "cmd/list/list.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsonwrite.h"
#include "base/utf8.h"
#include "cmd/process.h"

enum { WHOLE_ID = 64, SHORT_ID = 12, GAP = 2 };

static const char *const links[] = {
	[SURVEY_UNKNOWN] = "?",
	[SURVEY_STATIC] = "static",
	[SURVEY_SHARED] = "shared",
};

/* --- fields as text --------------------------------------------------------------------------- */

/* The arguments separated by blanks, or the process name if there are none. */
static void add_command(const struct survey_process *p, struct buf *out)
{
	const char *at = p->arguments, *end = at + p->arguments_len;

	if (at == end)
		buf_printf(out, "[%s]", p->comm);
	while (at < end) {
		size_t len = strnlen(at, end - at);

		buf_add(out, at, len);
		at += len + 1;
		if (at < end)
			buf_char(out, ' ');
	}
}

/* --- table ------------------------------------------------------------------------------------ */

static void cell_pid(const struct survey_process *p, struct buf *out)
{
	buf_printf(out, "%" PRIu32, p->pid);
}

static void cell_ns_pid(const struct survey_process *p, struct buf *out)
{
	if (p->ns_pid != p->pid)
		buf_printf(out, "%" PRIu32, p->ns_pid);
}

static void cell_version(const struct survey_process *p, struct buf *out)
{
	if (p->hex)
		process_add_version(p->hex, out);
	else
		buf_char(out, '?');
	for (size_t i = 0; i < SURVEY_MORE && p->more[i]; i++) {
		buf_str(out, " + ");
		process_add_version(p->more[i], out);
	}
}

static void cell_build(const struct survey_process *p, struct buf *out)
{
	buf_str(out, survey_build(p) ?: "?");
}

static void cell_link(const struct survey_process *p, struct buf *out)
{
	const char *slash = strrchr(p->library, '/');

	if (p->embedded)
		buf_str(out, "embedded, ");
	buf_str(out, p->link == SURVEY_SHARED && slash ? slash + 1 : links[p->link]);
}

static void cell_threads(const struct survey_process *p, struct buf *out)
{
	buf_printf(out, "%" PRIu32, p->threads);
}

static void cell_container(const struct survey_process *p, struct buf *out)
{
	if (*p->pod)
		buf_printf(out, "%s/%s/", p->ns, p->pod);
	if (*p->name)
		buf_str(out, p->name);
	else
		buf_printf(out, "%.*s", strlen(p->container) == WHOLE_ID ? SHORT_ID : INT_MAX,
			   p->container);
}

static void cell_comm(const struct survey_process *p, struct buf *out)
{
	buf_str(out, p->comm);
}

static void cell_reason(const struct survey_process *p, struct buf *out)
{
	buf_str(out, p->reason ?: "yes");
}

static const struct column {
	const char *heading;
	void (*cell)(const struct survey_process *p, struct buf *out); /* not yet escaped */
	bool right;
} columns[] = {
	{ "PID", cell_pid, true },
	{ "NSPID", cell_ns_pid, true },
	{ "VERSION", cell_version, false },
	{ "BUILD", cell_build, false },
	{ "LINKED", cell_link, false },
	{ "THREADS", cell_threads, true },
	{ "CONTAINER", cell_container, false },
	{ "COMM", cell_comm, false },
	{ "SUPPORTED", cell_reason, false },
	{ "COMMAND", add_command, false },
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

/* The escaped text of a cell, "-" if it is empty; @p NULL: the heading. */
static void make_cell(const struct column *c, const struct survey_process *p, struct buf *ret)
{
	_cleanup_(buf_done) struct buf raw = {};

	buf_clear(ret);
	if (p)
		c->cell(p, &raw);
	else
		buf_str(&raw, c->heading);
	if (raw.len)
		utf8_show(ret, raw.data, raw.len);
	else
		buf_char(ret, '-');
	if (raw.err)
		ret->err = raw.err;
}

static void measure(const struct survey_process *p, size_t widths[COLUMNS], struct buf *cell)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		make_cell(&columns[i], p, cell);
		if (!cell->err && utf8_count(cell->data) > widths[i])
			widths[i] = utf8_count(cell->data);
	}
}

/* The length in bytes of the first @max characters. */
static size_t prefix(const char *s, size_t max)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if ((s[i] & 0xc0) != 0x80 && !max--)
			break;
	return i;
}

static void print_line(const struct survey_process *p, const size_t widths[COLUMNS], size_t left,
		       struct buf *cell, struct buf *out)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];
		size_t fill;

		make_cell(c, p, cell);
		if (cell->err) {
			out->err = cell->err;
			return;
		}
		fill = widths[i] - utf8_count(cell->data);
		buf_printf(out, "%*s", c->right ? (int)fill : 0, "");
		if (i == COLUMNS - 1)
			buf_add(out, cell->data, prefix(cell->data, left));
		else
			buf_printf(out, "%s%*s", cell->data, GAP + (c->right ? 0 : (int)fill), "");
	}
	buf_char(out, '\n');
}

void list_print_table(const struct survey_process *p, size_t n, size_t width, struct buf *out)
{
	_cleanup_(buf_done) struct buf cell = {};
	size_t widths[COLUMNS] = {}, left = SIZE_MAX, used = 0, i;

	measure(NULL, widths, &cell);
	for (i = 0; i < n; i++)
		measure(&p[i], widths, &cell);
	for (i = 0; i < COLUMNS - 1; i++)
		used += widths[i] + GAP;
	if (width)
		left = width > used ? width - used : 0;
	print_line(NULL, widths, left, &cell, out);
	for (i = 0; i < n; i++)
		print_line(&p[i], widths, left, &cell, out);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_more(struct jsonwrite *j, const struct survey_process *p)
{
	jsonwrite_array(j, "more_versions");
	for (size_t i = 0; i < SURVEY_MORE && p->more[i]; i++)
		process_json_version(j, NULL, p->more[i]);
	jsonwrite_array_end(j);
}

static void json_process(struct jsonwrite *j, const struct survey_process *p)
{
	jsonwrite_object(j, NULL);
	process_json_who(j, p);
	process_json_version(j, "version", p->hex);
	json_more(j, p);
	jsonwrite_str(j, "build", survey_build(p));
	jsonwrite_str(j, "linked", p->link == SURVEY_UNKNOWN ? NULL : links[p->link]);
	jsonwrite_str(j, "library", *p->library ? p->library : NULL);
	jsonwrite_bool(j, "embedded", p->embedded);
	jsonwrite_uint(j, "threads", p->threads);
	process_json_place(j, p);
	jsonwrite_bool(j, "supported", !p->reason);
	jsonwrite_str(j, "reason", p->reason);
	jsonwrite_object_end(j);
}

void list_print_json(const struct survey_process *p, size_t n, uint32_t refused, struct buf *out)
{
	struct jsonwrite j = { .out = out };

	jsonwrite_object(&j, NULL);
	jsonwrite_array(&j, "processes");
	for (size_t i = 0; i < n; i++)
		json_process(&j, &p[i]);
	jsonwrite_array_end(&j);
	jsonwrite_uint(&j, "not_permitted", refused);
	jsonwrite_object_end(&j);
	buf_char(out, '\n');
}
