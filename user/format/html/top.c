/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self is the weight of stacks whose leaf is the function, total the weight of stacks that contain it; a
 * recursive function counts once per stack. So the tree is walked depth first, and the weight below a node is
 * added to its function only if the walk is not inside that function already:
 *
 *	main -- fib -- fib -- fib		total of fib: the weight below the first one
 *
 * The walk needs no stack: from a node it goes to the first child, else to the next sibling of the node or of
 * its nearest ancestor that has one.
 */
#include "format/html/top.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/text.h"

enum { TOP = 50 };

struct count {
	uint64_t self;
	uint64_t total;
	uint32_t inside; /* how many nodes on the current path are in the function */
	uint32_t func;
};

struct top {
	const struct graph *g;
	const struct graph_func **funcs; /* the keys of g->funcs, by index */
	const struct graph_frame **frames;
	const struct graph_file **files;
	struct count *counts; /* by function; finally sorted by weight */
	uint64_t *below;      /* weight of a node and everything below it */
	uint32_t *child;      /* first child, 0: none */
	uint32_t *sibling;    /* next sibling, 0: none */
};

static void top_done(struct top *t)
{
	free(t->funcs);
	free(t->frames);
	free(t->files);
	free(t->counts);
	free(t->below);
	free(t->child);
	free(t->sibling);
}

/* Lists the keys of a table by index. */
static void list_keys(const struct hmap *m, const void **ret)
{
	for (size_t pos = 0, i = 0; hmap_each(m, &pos, &ret[i], NULL); i++)
		;
}

static int top_init(struct top *t)
{
	const struct graph *g = t->g;
	uint32_t nodes = stacks_count(g->nodes);

	t->funcs = calloc(hmap_count(g->funcs) + 1, sizeof(*t->funcs));
	t->frames = calloc(hmap_count(g->frames) + 1, sizeof(*t->frames));
	t->files = calloc(hmap_count(g->files) + 1, sizeof(*t->files));
	t->counts = calloc(hmap_count(g->funcs) + 1, sizeof(*t->counts));
	t->below = calloc(nodes, sizeof(*t->below));
	t->child = calloc(nodes, sizeof(*t->child));
	t->sibling = calloc(nodes, sizeof(*t->sibling));
	if (!t->funcs || !t->frames || !t->files || !t->counts || !t->below || !t->child ||
	    !t->sibling)
		return -ENOMEM;
	list_keys(g->funcs, (const void **)t->funcs);
	list_keys(g->frames, (const void **)t->frames);
	list_keys(g->files, (const void **)t->files);
	for (uint32_t i = 0; i < hmap_count(g->funcs); i++)
		t->counts[i].func = i;
	return 0;
}

static struct count *count_of(const struct top *t, uint32_t node)
{
	return &t->counts[t->frames[stacks_frame(t->g->nodes, node)]->func];
}

static void add_weights(struct top *t)
{
	const struct graph_row *row;

	vec_each (&t->g->rows, row) {
		t->below[row->node] += row->weight;
		if (row->node != STACKS_ROOT)
			count_of(t, row->node)->self += row->weight;
	}
	for (uint32_t i = stacks_count(t->g->nodes) - 1; i; i--) {
		uint32_t parent = stacks_parent(t->g->nodes, i);

		t->below[parent] += t->below[i];
		t->sibling[i] = t->child[parent];
		t->child[parent] = i;
	}
}

static void enter(struct top *t, uint32_t node)
{
	struct count *c = count_of(t, node);

	if (!c->inside++)
		c->total += t->below[node];
}

/* Leaves @node and its ancestors up to one with a sibling. Returns the sibling, or 0 at the end. */
static uint32_t leave(struct top *t, uint32_t node)
{
	for (; node != STACKS_ROOT; node = stacks_parent(t->g->nodes, node)) {
		count_of(t, node)->inside--;
		if (t->sibling[node])
			return t->sibling[node];
	}
	return STACKS_ROOT;
}

static void add_totals(struct top *t)
{
	uint32_t node = t->child[STACKS_ROOT];

	while (node != STACKS_ROOT) {
		enter(t, node);
		node = t->child[node] ? t->child[node] : leave(t, node);
	}
}

static int heaviest_first(const void *pa, const void *pb)
{
	const struct count *a = pa, *b = pb;

	if (a->self != b->self)
		return a->self > b->self ? -1 : 1;
	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	return a->func < b->func ? -1 : a->func > b->func;
}

/* --- text ------------------------------------------------------------------------------------- */

static const char *const entities[128] = {
	['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
};

void html_text(struct buf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char c = *s;

		if (c < sizeof(entities) / sizeof(entities[0]) && entities[c])
			buf_str(b, entities[c]);
		else
			buf_char(b, *s);
	}
}

static double percent(const struct top *t, uint64_t weight)
{
	return t->g->total ? 100.0 * weight / t->g->total : 0;
}

static void add_file(struct buf *b, const struct top *t, uint32_t file, const struct format_opts *o)
{
	_cleanup_(buf_done) struct buf text = {};
	const char *path;

	if (!file)
		return;
	path = strpool_str(t->g->texts, t->files[file - 1]->path);
	path = o->full_paths ? path : names_path(t->g->names, path);
	text_add(&text, path, strlen(path));
	buf_str(b, " (");
	html_text(b, text.data ? text.data : "?");
	buf_char(b, ')');
}

static void add_line(struct buf *b, const struct top *t, const struct count *c,
		     const struct format_opts *o)
{
	const struct graph_func *func = t->funcs[c->func];

	buf_printf(b, "<tr><td>%.2f %%</td><td>%.2f %%</td>", percent(t, c->self),
		   percent(t, c->total));
	buf_printf(b, "<td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>", c->self, c->total);
	html_text(b, strpool_str(t->g->texts, func->name));
	add_file(b, t, func->file, o);
	buf_str(b, "</td></tr>\n");
}

int html_top(struct buf *b, const struct graph *g, const struct format_opts *o)
{
	_cleanup_(top_done) struct top t = { .g = g };
	size_t n = hmap_count(g->funcs);

	if (top_init(&t))
		return -ENOMEM;
	add_weights(&t);
	add_totals(&t);
	qsort(t.counts, n, sizeof(*t.counts), heaviest_first);
	buf_str(b, "<table>\n<thead><tr><th>Self</th><th>Total</th><th>Self, samples</th>"
		   "<th>Total, samples</th><th>Function</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < n && i < TOP; i++)
		add_line(b, &t, &t.counts[i], o);
	buf_str(b, "</tbody>\n</table>\n");
	return b->err;
}
