/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of formats, and the text that formats have in common. Names and paths come out of
 * other processes: whatever bytes they hold, what leaves here is one line of valid UTF-8.
 */
#include "format/format.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "format/names.h"

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

/* --- bytes to text ------------------------------------------------------------------------ */

/* Well-formed UTF-8 by its first byte (Unicode, table 3-7); later bytes are 80..bf. */
static const struct lead {
	unsigned char first, last;
	unsigned char second_first, second_last;
	unsigned char len;
} leads[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static const struct lead *find_lead(unsigned char c)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (c >= leads[i].first && c <= leads[i].last)
			return &leads[i];
	return NULL;
}

/* Bytes of the first character; if it is broken, of as much as could have begun one. */
static size_t char_len(const unsigned char *s, size_t len, bool *valid)
{
	const struct lead *lead = find_lead(s[0]);
	size_t i = 1;

	*valid = s[0] < 0x80;
	if (!lead || len < 2 || s[1] < lead->second_first || s[1] > lead->second_last)
		return 1;
	for (i = 2; i < lead->len; i++)
		if (i >= len || s[i] < 0x80 || s[i] > 0xbf)
			return i;
	*valid = true;
	return i;
}

/* One character, or what stands for it. */
static void add_char(struct buf *b, const char *s, size_t len, bool valid, enum out_text how)
{
	char text[UTF8_ESCAPE];
	uint32_t c;

	if (!valid || !utf8_next(s, len, &c))
		buf_str(b, "\xef\xbf\xbd");
	else if (how == OUT_SHOWN ? utf8_is_control(c) : how == OUT_PRINTED && utf8_acts(c))
		buf_add(b, text, utf8_escape(text, c));
	else
		buf_add(b, s, len);
}

void out_text_as(struct buf *b, const char *s, size_t len, enum out_text how)
{
	const char *end = s + len;
	size_t start = b->len, n;
	bool valid;

	for (; s < end; s += n) {
		n = char_len((const unsigned char *)s, end - s, &valid);
		add_char(b, s, n, valid, how);
	}
	if (b->len == start)
		buf_char(b, '?');
}

void out_text(struct buf *b, const char *s, size_t len)
{
	for (; len && *s == ' '; len--)
		s++;
	while (len && s[len - 1] == ' ')
		len--;
	out_text_as(b, s, len, OUT_SHOWN);
}

static void add_text(struct buf *b, const char *s)
{
	out_text(b, s, strlen(s));
}

/* --- paths -------------------------------------------------------------------------------- */

static bool component_is(const char *s, size_t len, const char *name)
{
	return len == strlen(name) && !memcmp(s, name, len);
}

/* "python3.13", "python3.13t" and "python3.13d" below lib, lib64...; "python313.zip" anywhere. */
static bool is_stdlib(const char *s, size_t len, bool in_lib)
{
	size_t i = strlen("python3");

	if (len <= i || memcmp(s, "python3", i))
		return false;
	if (s[i] != '.') {
		while (i < len && isdigit((unsigned char)s[i]))
			i++;
		return component_is(s + i, len - i, ".zip");
	}
	for (i++; i < len && isdigit((unsigned char)s[i]); i++)
		;
	return in_lib && i > strlen("python3.") && (i == len || strchr("td", s[i]));
}

/* Whose modules a directory holds, OUT_OWN: those of nobody in particular. */
static enum out_origin module_dir(const char *s, size_t len, bool in_lib)
{
	if (component_is(s, len, "site-packages") || component_is(s, len, "dist-packages"))
		return OUT_SITE;
	return is_stdlib(s, len, in_lib) ? OUT_STDLIB : OUT_OWN;
}

/* What follows the last directory that modules are imported from, NULL if there is none. */
static const char *in_module_dir(const char *path, enum out_origin *origin)
{
	const char *slash = strchr(path, '/'), *next, *ret = NULL;
	bool in_lib = false;

	*origin = OUT_OWN;
	for (; slash && (next = strchr(slash + 1, '/')); slash = next) {
		const char *s = slash + 1;
		size_t len = next - s;
		enum out_origin here = module_dir(s, len, in_lib);

		if (next[1] && here != OUT_OWN) {
			*origin = here;
			ret = next + 1;
		}
		in_lib = len >= 3 && !memcmp(s, "lib", 3);
	}
	return ret;
}

static const char *last_two(const char *path)
{
	const char *s = strrchr(path, '/');

	if (!s)
		return path;
	if (s == path)
		return s + 1;
	while (s > path && s[-1] == '/')
		s--;
	while (s > path && s[-1] != '/')
		s--;
	return s;
}

const char *out_short_path(const char *path)
{
	enum out_origin origin;
	const char *ret;

	if (path[0] == '<')
		return path;
	ret = in_module_dir(path, &origin);
	return ret ? ret : last_two(path);
}

enum out_origin out_origin(const char *path)
{
	enum out_origin ret;

	if (path[0] == '<')
		return !strncmp(path, "<frozen ", 8) ? OUT_STDLIB : OUT_OWN;
	in_module_dir(path, &ret);
	return ret;
}

/* --- frames ------------------------------------------------------------------------------- */

void out_frame(struct buf *b, const struct frame *f, const struct out_opts *o, struct names *n)
{
	int first = names_function(n, f);

	add_text(b, f->name);
	if (first && o->lines)
		buf_printf(b, ":%d", first);
	if (f->kind != FRAME_PYTHON || !f->file)
		return;
	buf_str(b, " (");
	add_text(b, o->full_paths ? f->file : names_path(n, f->file));
	if (first && !o->lines)
		buf_printf(b, ":%d", first);
	if (o->lines && f->line > 0)
		buf_printf(b, ":%s%d", f->approximate ? "~" : "", f->line);
	buf_char(b, ')');
}

static void add_container(struct buf *b, const struct container *c)
{
	enum { ID = 64, SHORT_ID = 12 };
	size_t len = strlen(c->id);

	if (*c->name)
		add_text(b, c->name);
	else if (len)
		out_text(b, c->id, len == ID ? SHORT_ID : len);
	else
		buf_str(b, "host");
}

/* A pod that has no name has its uid. */
static void add_pod(struct buf *b, const struct container *c)
{
	if (*c->pod && *c->ns) {
		add_text(b, c->ns);
		buf_char(b, '/');
	}
	if (*c->pod || *c->pod_uid)
		add_text(b, *c->pod ? c->pod : c->pod_uid);
	else
		buf_str(b, "[no pod]");
}

static void add_place(struct buf *b, const struct profile *p, uint32_t container, enum out_dim dim)
{
	const struct container *c = profile_container(p, container);

	if (!container)
		buf_str(b, "[unknown]");
	else if (dim == OUT_DIM_CONTAINER)
		add_container(b, c);
	else if (dim == OUT_DIM_POD)
		add_pod(b, c);
	else if (*c->unit)
		add_text(b, c->unit);
	else
		buf_str(b, "[no unit]");
}

/* "-4711", and for the second that is called so "-4711#2". */
static void add_number(struct buf *b, uint32_t id, uint32_t which)
{
	buf_printf(b, "-%u", id);
	if (which > 1)
		buf_printf(b, "#%u", which);
}

void out_root(struct buf *b, const struct profile *p, const struct profile_row *row,
	      enum out_dim dim, const struct names *n)
{
	const struct thread *t = profile_thread(p, row->thread);
	const struct process *process = profile_process(p, t->process);

	if (dim == OUT_DIM_CONTAINER || dim == OUT_DIM_POD || dim == OUT_DIM_UNIT) {
		add_place(b, p, process->container, dim);
		return;
	}
	if (dim == OUT_DIM_STATE) {
		add_text(b, state_name(profile_state(p, row->state)->kind));
		return;
	}
	add_text(b, dim == OUT_DIM_THREAD ? t->comm : process->comm);
	if (dim == OUT_DIM_THREAD)
		add_number(b, t->tid, names_thread(n, row->thread));
	else if (dim == OUT_DIM_PROCESS)
		add_number(b, process->pid, names_process(n, t->process));
}

/* --- streams ------------------------------------------------------------------------------ */

int out_put(struct buf *b, FILE *to, bool all)
{
	enum { GROWN = 65536 };
	int err = b->err;

	if (!err && (all || b->len >= GROWN)) {
		errno = 0;
		if (b->len && fwrite(b->data, 1, b->len, to) != b->len)
			err = errno ? -errno : -EIO;
		buf_clear(b);
	}
	return err;
}

int out_flush(FILE *to)
{
	errno = 0;
	if (fflush(to) || ferror(to))
		return errno ? -errno : -EIO;
	return 0;
}

static const struct advice {
	int code;
	const char *text;
} advices[] = {
	{ -ENOSPC, "free some space there, or write elsewhere" },
	{ -EDQUOT, "free some of the quota, or write elsewhere" },
	{ -EPIPE, "its reader ended before all was written" },
	{ -ENOMEM, "record for a shorter time, or fewer processes" },
};

int out_failed(struct err *err, const char *format, int code)
{
	const char *text = "what was written is not complete";

	if (!code)
		code = -EIO;
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (advices[i].code == code)
			text = advices[i].text;
	return err_set(err, code, "%s: 'output': %s; %s", format, strerror(-code), text);
}
