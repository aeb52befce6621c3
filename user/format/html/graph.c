/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each table is a hash map from an entry to its index. The map iterates in order of insertion, so its keys are the
 * table. The indices for frames and stacks of the recording are cached.
 */
#include "format/html/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/label.h"
#include "format/path.h"

const struct graph_dim graph_dims[DIM_MAX] = {
	[DIM_CONTAINER] = { "container", "Containers" }, [DIM_POD] = { "pod", "Pods" },
	[DIM_UNIT] = { "unit", "Units of systemd" },     [DIM_COMM] = { "program", "Programs" },
	[DIM_PROCESS] = { "process", "Processes" },      [DIM_THREAD] = { "thread", "Threads" },
	[DIM_STATE] = { "state", "Thread states" },      [DIM_KIND] = { "kind", "Kinds of code" },
	[DIM_TASK] = { "task", "Tasks of asyncio" },
};

/* The values of a group, one for each dimension. */
struct group_key {
	uint32_t thread;
	uint32_t state;
};

struct maker {
	struct graph *g;
	const struct profile *profile;
	const struct stacks *stacks;
	const struct format_opts *opts;
	struct hmap *frames; /* frame id of the recording -> index in the graph */
	struct hmap *groups; /* struct group_key -> index */
	uint32_t *nodes; /* for each node of the recording, the node in the graph, 0: unknown yet */
	VEC(uint32_t) path;
	struct buf text;
};

static uint32_t intern(struct hmap *m, const void *key)
{
	bool fresh;
	uint32_t *val = hmap_put(m, key, &fresh);

	if (!val)
		return GRAPH_NONE;
	if (fresh)
		*val = hmap_count(m) - 1;
	return *val;
}

static uint32_t intern_text(struct maker *m)
{
	if (m->text.err)
		return GRAPH_NONE;
	return strpool_add(m->g->texts, m->text.data, m->text.len);
}

/* --- frames ----------------------------------------------------------------------------------- */

static uint32_t kind_of(const struct frame *f)
{
	if (f->kind == FRAME_MARK)
		return GRAPH_MARK;
	if (f->kind == FRAME_NATIVE)
		return GRAPH_NATIVE;
	if (f->kind == FRAME_KERNEL)
		return GRAPH_KERNEL;
	switch (f->file ? path_origin(f->file) : PATH_OWN) {
	case PATH_STDLIB:
		return GRAPH_STDLIB;
	case PATH_SITE:
		return GRAPH_SITE;
	default:
		return GRAPH_OWN;
	}
}

/* Index + 1; 0: none. Stores the path unchanged: shortening it depends on all of its bytes. */
static uint32_t add_file(struct maker *m, const struct frame *f)
{
	struct graph_file file = { .module = f->kind != FRAME_PYTHON };
	uint32_t index;

	if (f->kind == FRAME_MARK || !f->file)
		return 0;
	file.path = strpool_add(m->g->texts, f->file, strlen(f->file));
	if (file.path == GRAPH_NONE)
		return GRAPH_NONE;
	index = intern(m->g->files, &file);
	return index == GRAPH_NONE ? GRAPH_NONE : index + 1;
}

static uint32_t add_func(struct maker *m, const struct frame *f, uint32_t kind)
{
	struct graph_func func = { .kind = kind };

	buf_clear(&m->text);
	names_frame(m->g->names, &m->text, f);
	func.name = intern_text(m);
	func.first = names_function(m->g->names, f);
	func.file = add_file(m, f);
	if (func.name == GRAPH_NONE || func.file == GRAPH_NONE)
		return GRAPH_NONE;
	return intern(m->g->funcs, &func);
}

static uint32_t add_frame(struct maker *m, const struct frame *f, uint32_t kind)
{
	struct graph_frame frame = { .func = add_func(m, f, kind) };

	if (frame.func == GRAPH_NONE)
		return GRAPH_NONE;
	if (m->opts->lines && f->kind == FRAME_PYTHON && f->file && f->line > 0)
		frame.place = 2 * (uint32_t)f->line + f->approximate;
	return intern(m->g->frames, &frame);
}

static uint32_t frame_index(struct maker *m, uint32_t frame_id)
{
	const uint32_t *known = hmap_get(m->frames, &frame_id);
	struct frame frame;
	uint32_t index, *val;

	if (known)
		return *known;
	profile_frame(m->profile, frame_id, &frame);
	index = add_frame(m, &frame, kind_of(&frame));
	val = index == GRAPH_NONE ? NULL : hmap_put(m->frames, &frame_id, NULL);
	return val ? *val = index : GRAPH_NONE;
}

/* --- stacks ----------------------------------------------------------------------------------- */

static uint32_t push(struct maker *m, uint32_t node, uint32_t frame)
{
	return frame == GRAPH_NONE ? STACKS_NONE : stacks_push(m->g->nodes, node, frame);
}

/* The node of a stack: walks up to a known ancestor, then adds the nodes below it. */
static uint32_t node_index(struct maker *m, uint32_t stack)
{
	uint32_t node;

	m->path.len = 0;
	for (; stack != STACKS_ROOT && !m->nodes[stack]; stack = stacks_parent(m->stacks, stack))
		if (vec_push(&m->path, stack))
			return STACKS_NONE;
	node = m->nodes[stack];
	while (m->path.len && node != STACKS_NONE) {
		stack = m->path.at[--m->path.len];
		node = push(m, node, frame_index(m, stacks_frame(m->stacks, stack)));
		m->nodes[stack] = node;
	}
	return node;
}

/* Adds the leaf frame for the thread state, if the options ask for it. */
static uint32_t push_state(struct maker *m, uint32_t node, uint32_t state)
{
	struct frame frame = { .kind = FRAME_MARK };

	buf_clear(&m->text);
	if (m->opts->states)
		state_frame(&m->text, profile_state(m->profile, state));
	if (!m->text.len || node == STACKS_NONE)
		return m->text.err ? STACKS_NONE : node;
	_free_ char *name = strdup(m->text.data);
	frame.name = name;
	return name ? push(m, node, add_frame(m, &frame, GRAPH_WAIT)) : STACKS_NONE;
}

/* --- groups and rows -------------------------------------------------------------------------- */

static int add_value(struct maker *m, const struct profile_row *row, enum dim dim)
{
	uint32_t text, index;

	buf_clear(&m->text);
	label_root(&m->text, m->profile, row, dim, m->g->names);
	text = intern_text(m);
	if (text == GRAPH_NONE)
		return -ENOMEM;
	index = intern(m->g->values[dim], &text);
	return index == GRAPH_NONE ? -ENOMEM : vec_push(&m->g->groups[dim], index);
}

static uint32_t group_index(struct maker *m, const struct profile_row *row)
{
	const struct group_key key = { row->thread, row->state };
	const size_t known = hmap_count(m->groups);
	uint32_t index = intern(m->groups, &key);

	for (size_t i = 0; i < DIM_MAX && index == known; i++)
		if (add_value(m, row, i))
			return GRAPH_NONE;
	return index;
}

static int add_bins(struct maker *m, const struct profile_row *row, uint32_t *n)
{
	struct profile_bin bin;

	for (uint32_t pos = 0; profile_each_bin(m->profile, row, &pos, &bin); ++*n)
		if (vec_push(&m->g->bins, bin))
			return -ENOMEM;
	return 0;
}

static int add_row(struct maker *m, const struct profile_row *row)
{
	struct graph_row ret = { .weight = row->weight };

	ret.group = group_index(m, row);
	ret.node = push_state(m, node_index(m, row->node), row->state);
	if (ret.group == GRAPH_NONE || ret.node == STACKS_NONE || add_bins(m, row, &ret.nbins))
		return -ENOMEM;
	m->g->total += row->weight;
	return vec_push(&m->g->rows, ret);
}

static int add_rows(struct maker *m)
{
	struct profile_row row;
	int err = 0;

	for (size_t pos = 0; !err && profile_each(m->profile, &pos, &row);)
		if (row.weight)
			err = add_row(m, &row);
	return err;
}

/* --- all -------------------------------------------------------------------------------------- */

static int make_tables(struct graph *g)
{
	bool ok = true;

	g->texts = strpool_new();
	g->files = hmap_new(sizeof(struct graph_file), sizeof(uint32_t));
	g->funcs = hmap_new(sizeof(struct graph_func), sizeof(uint32_t));
	g->frames = hmap_new(sizeof(struct graph_frame), sizeof(uint32_t));
	g->nodes = stacks_new();
	for (size_t i = 0; i < DIM_MAX; i++)
		ok &= (g->values[i] = hmap_new(sizeof(uint32_t), sizeof(uint32_t))) != NULL;
	return ok && g->texts && g->files && g->funcs && g->frames && g->nodes ? 0 : -ENOMEM;
}

static int maker_init(struct maker *m)
{
	m->frames = hmap_new(sizeof(uint32_t), sizeof(uint32_t));
	m->groups = hmap_new(sizeof(struct group_key), sizeof(uint32_t));
	m->nodes = calloc(stacks_count(m->stacks), sizeof(*m->nodes));
	return m->frames && m->groups && m->nodes ? 0 : -ENOMEM;
}

static void maker_done(struct maker *m)
{
	hmap_free(m->frames);
	hmap_free(m->groups);
	free(m->nodes);
	vec_done(&m->path);
	buf_done(&m->text);
}

int graph_init(struct graph *g, const struct profile *p, const struct stacks *s,
	       const struct format_opts *o)
{
	_cleanup_(maker_done) struct maker m = { .g = g, .profile = p, .stacks = s, .opts = o };

	g->names = names_new(p, s);
	if (!g->names || make_tables(g) || maker_init(&m))
		return -ENOMEM;
	return add_rows(&m);
}

void graph_done(struct graph *g)
{
	strpool_free(g->texts);
	names_free(g->names);
	hmap_free(g->files);
	hmap_free(g->funcs);
	hmap_free(g->frames);
	stacks_free(g->nodes);
	for (size_t i = 0; i < DIM_MAX; i++) {
		hmap_free(g->values[i]);
		vec_done(&g->groups[i]);
	}
	vec_done(&g->rows);
	vec_done(&g->bins);
}
