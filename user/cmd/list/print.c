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
#include "model/labels.h"

enum { WHOLE_ID = 64, SHORT_ID = 12, GAP = 2 };

static const char *const links[] = {
	[SURVEY_UNKNOWN] = "?",
	[SURVEY_STATIC] = "static",
	[SURVEY_SHARED] = "shared",
};

/* --- fields as text --------------------------------------------------------------------------- */

/* "3.13.0rc2". A pre-release of unknown number is "3.9.0pre". */
static void add_version(uint32_t hex, struct buf *out)
{
	uint32_t level = hex >> 4 & 0xf, serial = hex & 0xf;

	buf_printf(out, "%u.%u.%u", hex >> 24, hex >> 16 & 0xff, hex >> 8 & 0xff);
	if (level == 0xf)
		return;
	buf_str(out, !serial ? "pre" : level == 0xa ? "a" : level == 0xb ? "b" : "rc");
	if (serial)
		buf_printf(out, "%u", serial);
}

static const char *build(const struct survey_process *p)
{
	static const char *const words[2][2] = {
		{ "release", "debug" },
		{ "free-threaded", "free-threaded debug" },
	};

	return p->link == SURVEY_UNKNOWN ? NULL : words[p->free_threaded][p->debug];
}

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
		add_version(p->hex, out);
	else
		buf_char(out, '?');
	for (size_t i = 0; i < SURVEY_MORE && p->more[i]; i++) {
		buf_str(out, " + ");
		add_version(p->more[i], out);
	}
}

static void cell_build(const struct survey_process *p, struct buf *out)
{
	buf_str(out, build(p) ?: "?");
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

static const char *or_null(const char *s)
{
	return *s ? s : NULL;
}

static void json_arguments(struct jsonwrite *j, const struct survey_process *p)
{
	const char *at = p->arguments, *end = at + p->arguments_len;

	jsonwrite_array(j, "command");
	while (at < end) {
		size_t len = strnlen(at, end - at);

		jsonwrite_strn(j, NULL, at, len);
		at += len + 1;
	}
	jsonwrite_array_end(j);
}

static void json_version(struct jsonwrite *j, const char *key, uint32_t hex)
{
	_cleanup_(buf_done) struct buf text = {};

	add_version(hex, &text);
	jsonwrite_str(j, key, hex ? text.data : NULL);
	if (text.err)
		j->out->err = text.err;
}

static void json_more(struct jsonwrite *j, const struct survey_process *p)
{
	jsonwrite_array(j, "more_versions");
	for (size_t i = 0; i < SURVEY_MORE && p->more[i]; i++)
		json_version(j, NULL, p->more[i]);
	jsonwrite_array_end(j);
}

static void json_labels(struct jsonwrite *j, const char *labels)
{
	struct label label;

	jsonwrite_object(j, "labels");
	while (label_next(&labels, &label)) {
		_free_ char *key = strndup(label.key, label.key_len);

		if (key)
			jsonwrite_strn(j, key, label.value, label.value_len);
		else
			j->out->err = -ENOMEM;
	}
	jsonwrite_object_end(j);
}

static void json_container(struct jsonwrite *j, const struct survey_process *p)
{
	if (!*p->container) {
		jsonwrite_null(j, "container");
		return;
	}
	jsonwrite_object(j, "container");
	jsonwrite_str(j, "id", p->container);
	jsonwrite_str(j, "engine", p->engine);
	jsonwrite_str(j, "name", or_null(p->name));
	jsonwrite_str(j, "image", or_null(p->image));
	jsonwrite_str(j, "pod", or_null(p->pod));
	jsonwrite_str(j, "namespace", or_null(p->ns));
	jsonwrite_str(j, "pod_uid", or_null(p->pod_uid));
	json_labels(j, p->labels);
	jsonwrite_object_end(j);
}

static void json_process(struct jsonwrite *j, const struct survey_process *p)
{
	jsonwrite_object(j, NULL);
	jsonwrite_uint(j, "pid", p->pid);
	jsonwrite_uint(j, "ns_pid", p->ns_pid);
	jsonwrite_uint(j, "uid", p->uid);
	jsonwrite_str(j, "comm", p->comm);
	json_arguments(j, p);
	json_version(j, "version", p->hex);
	json_more(j, p);
	jsonwrite_str(j, "build", build(p));
	jsonwrite_str(j, "linked", p->link == SURVEY_UNKNOWN ? NULL : links[p->link]);
	jsonwrite_str(j, "library", or_null(p->library));
	jsonwrite_bool(j, "embedded", p->embedded);
	jsonwrite_uint(j, "threads", p->threads);
	json_container(j, p);
	jsonwrite_str(j, "unit", or_null(p->unit));
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
