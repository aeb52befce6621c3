/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One self-contained HTML file: html/page.html, in which names between "@@" are replaced by the recording, styles
 * and scripts. The page makes no network requests.
 *
 * Names come from other processes and may be hostile. They are in two places: in a block of JSON, where every '<'
 * is written as \u003c, so that no name can end the block; and in HTML, escaped. The scripts insert them as text
 * only.
 */
#include "format/format.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsonwrite.h"
#include "base/utf8.h"
#include "format/html/graph.h"
#include "format/html/top.h"
#include "format/text.h"
#include "format/stream.h"

enum { FLUSH = 65536 }; /* size of the output buffer in bytes */

/* The files of html/, which the Makefile converts to lists of bytes. */
static const unsigned char page_html[] = {
#include "format/html/page.html.inc"
};
static const unsigned char page_css[] = {
#include "format/html/page.css.inc"
};
static const unsigned char scripts[] = {
#include "format/html/profile.js.inc"
#include "format/html/tree.js.inc"
#include "format/html/colours.js.inc"
#include "format/html/graph.js.inc"
#include "format/html/panel.js.inc"
#include "format/html/page.js.inc"
};

struct page {
	const struct profile *profile;
	const struct format_opts *opts;
	struct graph graph;
	FILE *to;
	struct buf text; /* output not written yet */
	struct jsonwrite json;
	int err; /* the first error */
};

static void page_done(struct page *p)
{
	graph_done(&p->graph);
	buf_done(&p->text);
}

/* --- writing to the stream -------------------------------------------------------------------- */

static void put(struct page *p, const void *data, size_t len)
{
	errno = 0;
	if (!p->err && len && fwrite(data, 1, len, p->to) != len)
		p->err = errno ? -errno : -EIO;
}

static void flush_text(struct page *p)
{
	if (p->text.err && !p->err)
		p->err = p->text.err;
	put(p, p->text.data, p->text.len);
	buf_clear(&p->text);
}

/* Escapes '<', which occurs only in strings of JSON. */
static void flush_json(struct page *p)
{
	const char *at = p->text.data, *end = at + p->text.len, *next;

	if (p->text.err && !p->err)
		p->err = p->text.err;
	for (; at < end && (next = memchr(at, '<', end - at)); at = next + 1) {
		put(p, at, next - at);
		put(p, "\\u003c", 6);
	}
	if (at < end)
		put(p, at, end - at);
	buf_clear(&p->text);
}

static void put_number(struct page *p, uint64_t v)
{
	jsonwrite_uint(&p->json, NULL, v);
	if (p->text.len > FLUSH)
		flush_json(p);
}

static void put_string(struct page *p, const char *s)
{
	jsonwrite_str(&p->json, NULL, s);
	if (p->text.len > FLUSH)
		flush_json(p);
}

/* Writes a path of the recording, which is not cleaned yet. */
static void put_path(struct page *p, const char *path)
{
	_cleanup_(buf_done) struct buf clean = {};

	text_add(&clean, path, strlen(path));
	if (clean.err && !p->err)
		p->err = clean.err;
	put_string(p, clean.data);
}

/* --- the recording ---------------------------------------------------------------------------- */

static void put_decimal(struct page *p, const char *key, double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.1f", v);
	jsonwrite_str(&p->json, key, text);
}

static void put_meta(struct page *p)
{
	const struct profile_meta *m = profile_meta(p->profile);
	struct jsonwrite *j = &p->json;

	jsonwrite_object(j, "meta");
	jsonwrite_str(j, "host", m->host);
	jsonwrite_str(j, "mode", m->mode);
	jsonwrite_str(j, "event", m->event);
	jsonwrite_str(j, "unit", m->unit);
	put_decimal(p, "hz", m->asked_hz);
	put_decimal(p, "achieved", m->achieved_hz);
	put_decimal(p, "seconds", m->seconds);
	jsonwrite_uint(j, "started", m->started.tv_sec > 0 ? m->started.tv_sec : 0);
	jsonwrite_str(j, "krait", m->krait);
	jsonwrite_bool(j, "lines", p->opts->lines);
	jsonwrite_bool(j, "fullPaths", p->opts->full_paths);
	jsonwrite_object_end(j);
}

static void put_losses(struct page *p)
{
	size_t n;
	const struct profile_loss *losses = profile_losses(p->profile, &n);
	struct jsonwrite *j = &p->json;

	jsonwrite_array(j, "losses");
	for (size_t i = 0; i < n; i++) {
		jsonwrite_object(j, NULL);
		jsonwrite_str(j, "name", losses[i].name);
		jsonwrite_str(j, "text", losses[i].text);
		jsonwrite_uint(j, "count", losses[i].count);
		jsonwrite_object_end(j);
	}
	jsonwrite_array_end(j);
}

/* Writes an array: @fn writes the item for each key of the table. */
static void put_keys(struct page *p, const char *key, const struct hmap *m,
		     void (*fn)(struct page *p, const void *key))
{
	const void *k;

	jsonwrite_array(&p->json, key);
	for (size_t pos = 0; hmap_each(m, &pos, &k, NULL);)
		fn(p, k);
	jsonwrite_array_end(&p->json);
}

static const char *text_of(const struct page *p, uint32_t text)
{
	return strpool_str(p->graph.texts, text);
}

static void put_file_path(struct page *p, const void *key)
{
	put_path(p, text_of(p, ((const struct graph_file *)key)->path));
}

static void put_file_short(struct page *p, const void *key)
{
	const struct graph_file *file = key;
	const char *path = text_of(p, file->path), *slash = strrchr(path, '/');

	if (file->module)
		put_path(p, slash ? slash + 1 : path);
	else
		put_path(p, names_path(p->graph.names, path));
}

static void put_func_name(struct page *p, const void *key)
{
	put_string(p, text_of(p, ((const struct graph_func *)key)->name));
}

static void put_func_file(struct page *p, const void *key)
{
	put_number(p, ((const struct graph_func *)key)->file);
}

static void put_func_kind(struct page *p, const void *key)
{
	put_number(p, ((const struct graph_func *)key)->kind);
}

static void put_frame_func(struct page *p, const void *key)
{
	put_number(p, ((const struct graph_frame *)key)->func);
}

static void put_frame_place(struct page *p, const void *key)
{
	put_number(p, ((const struct graph_frame *)key)->place);
}

static void put_value(struct page *p, const void *key)
{
	put_string(p, text_of(p, *(const uint32_t *)key));
}

/* Each table is an object with an array for each column. */
static void put_tables(struct page *p)
{
	const struct graph *g = &p->graph;
	struct jsonwrite *j = &p->json;

	jsonwrite_object(j, "files");
	put_keys(p, "path", g->files, put_file_path);
	put_keys(p, "short", g->files, put_file_short);
	jsonwrite_object_end(j);
	jsonwrite_object(j, "funcs");
	put_keys(p, "name", g->funcs, put_func_name);
	put_keys(p, "file", g->funcs, put_func_file);
	put_keys(p, "kind", g->funcs, put_func_kind);
	jsonwrite_object_end(j);
	jsonwrite_object(j, "frames");
	put_keys(p, "func", g->frames, put_frame_func);
	put_keys(p, "place", g->frames, put_frame_place);
	jsonwrite_object_end(j);
}

/* Writes a node's parent as a distance, which is usually 1 and so has few digits. */
static void put_nodes(struct page *p)
{
	const struct stacks *s = p->graph.nodes;
	struct jsonwrite *j = &p->json;

	jsonwrite_object(j, "nodes");
	jsonwrite_array(j, "up");
	for (uint32_t i = 0; i < stacks_count(s); i++)
		put_number(p, i - stacks_parent(s, i));
	jsonwrite_array_end(j);
	jsonwrite_array(j, "frame");
	for (uint32_t i = 0; i < stacks_count(s); i++)
		put_number(p, stacks_frame(s, i));
	jsonwrite_array_end(j);
	jsonwrite_object_end(j);
}

static void put_dims(struct page *p)
{
	struct jsonwrite *j = &p->json;
	const uint32_t *value;

	jsonwrite_array(j, "dims");
	for (size_t i = 0; i < DIM_MAX; i++) {
		jsonwrite_object(j, NULL);
		jsonwrite_str(j, "name", graph_dims[i].name);
		jsonwrite_str(j, "title", graph_dims[i].title);
		put_keys(p, "values", p->graph.values[i], put_value);
		jsonwrite_array(j, "of");
		vec_each (&p->graph.groups[i], value)
			put_number(p, *value);
		jsonwrite_array_end(j);
		jsonwrite_object_end(j);
	}
	jsonwrite_array_end(j);
}

/* The initial grouping. */
static void put_by(struct page *p)
{
	jsonwrite_array(&p->json, "by");
	for (size_t i = 0; i < p->opts->ndims; i++)
		put_string(p, graph_dims[p->opts->dims[i]].name);
	jsonwrite_array_end(&p->json);
}

static void put_axis(struct page *p)
{
	struct jsonwrite *j = &p->json;

	jsonwrite_object(j, "bins");
	jsonwrite_uint(j, "ns", profile_bin_ns(p->profile));
	jsonwrite_uint(j, "count", profile_bins(p->profile));
	jsonwrite_object_end(j);
}

/* Writes an array with one field of each element of @vec. */
#define PUT_COLUMN(page, name, vec, field)                                                         \
	do {                                                                                       \
		const __typeof__(*(vec)->at) *element;                                             \
                                                                                                   \
		jsonwrite_array(&(page)->json, name);                                              \
		vec_each (vec, element)                                                            \
			put_number(page, element->field);                                          \
		jsonwrite_array_end(&(page)->json);                                                \
	} while (0)

static void put_rows(struct page *p)
{
	jsonwrite_object(&p->json, "rows");
	PUT_COLUMN(p, "node", &p->graph.rows, node);
	PUT_COLUMN(p, "group", &p->graph.rows, group);
	PUT_COLUMN(p, "weight", &p->graph.rows, weight);
	if (profile_bins(p->profile) > 1) {
		PUT_COLUMN(p, "bins", &p->graph.rows, nbins);
		PUT_COLUMN(p, "bin", &p->graph.bins, bin);
		PUT_COLUMN(p, "binWeight", &p->graph.bins, weight);
	}
	jsonwrite_object_end(&p->json);
}

static void put_data(struct page *p)
{
	static void (*const parts[])(struct page *) = {
		put_meta, put_losses, put_tables, put_nodes, put_dims, put_by, put_axis, put_rows
	};

	p->json = (struct jsonwrite){ .out = &p->text };
	jsonwrite_object(&p->json, NULL);
	jsonwrite_uint(&p->json, "version", 1);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		parts[i](p);
	jsonwrite_object_end(&p->json);
	flush_json(p);
}

/* --- the page --------------------------------------------------------------------------------- */

static void put_style(struct page *p)
{
	put(p, page_css, sizeof(page_css));
}

static void put_scripts(struct page *p)
{
	put(p, scripts, sizeof(scripts));
}

static void put_top(struct page *p)
{
	if (!p->err)
		p->err = html_top(&p->text, &p->graph, p->opts);
	flush_text(p);
}

/* Writes a text from the file's own meta, which may be hostile. */
static void put_shown(struct page *p, const char *s)
{
	_cleanup_(buf_done) struct buf clean = {};

	utf8_show(&clean, s, strlen(s));
	html_text(&p->text, clean.data ? clean.data : "");
}

static void put_version(struct page *p)
{
	put_shown(p, profile_meta(p->profile)->krait);
	flush_text(p);
}

static uint64_t lost(const struct profile *p)
{
	size_t n;
	const struct profile_loss *losses = profile_losses(p, &n);
	uint64_t ret = 0;

	for (size_t i = 0; i < n; i++)
		ret += losses[i].count;
	return ret;
}

static void put_summary(struct page *p)
{
	const struct profile_meta *m = profile_meta(p->profile);
	struct tm tm = {};
	char when[40] = "";

	if (m->started.tv_sec > 0 && gmtime_r(&m->started.tv_sec, &tm))
		strftime(when, sizeof(when), ", started %F %T UTC", &tm);
	buf_printf(&p->text, "%" PRIu64 " ", p->graph.total);
	put_shown(p, m->unit[0] ? m->unit : "samples");
	if (m->seconds > 0)
		buf_printf(&p->text, " in %.1f s at %.1f Hz", m->seconds, m->achieved_hz);
	buf_str(&p->text, when);
	buf_str(&p->text, m->host[0] ? ", on " : "");
	put_shown(p, m->host);
	flush_text(p);
}

static void put_lost(struct page *p)
{
	buf_printf(&p->text, "%" PRIu64, lost(p->profile));
	flush_text(p);
}

static const struct part {
	const char *name; /* as between "@@" in page.html */
	void (*put)(struct page *p);
} parts[] = {
	{ "version", put_version }, { "style", put_style }, { "summary", put_summary },
	{ "lost", put_lost },       { "top", put_top },     { "data", put_data },
	{ "script", put_scripts },
};

static void put_part(struct page *p, const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strlen(parts[i].name) == len && !memcmp(parts[i].name, name, len))
			parts[i].put(p);
}

static void put_page(struct page *p)
{
	const char *at = (const char *)page_html, *end = at + sizeof(page_html), *mark, *close;

	while ((mark = memmem(at, end - at, "@@", 2))) {
		put(p, at, mark - at);
		mark += 2;
		close = memmem(mark, end - mark, "@@", 2);
		if (!close)
			return;
		put_part(p, mark, close - mark);
		at = close + 2;
	}
	put(p, at, end - at);
}

static int write_html(const struct profile *profile, const struct stacks *s,
		      const struct format_opts *o, FILE *to, struct err *err)
{
	_cleanup_(page_done) struct page p = { .profile = profile, .opts = o, .to = to };

	p.err = graph_init(&p.graph, profile, s, o);
	if (!p.err)
		put_page(&p);
	if (!p.err)
		p.err = stream_flush(to);
	return p.err ? stream_failed(err, "html", p.err) : 0;
}

const struct format_ops format_html = {
	.name = "html",
	.extension = "html",
	.help = "interactive flame graph: one self-contained page for a browser",
	.write = write_html,
};
