/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event loop _UnixSelectorEventLoop of thread 4711 "MainThread": 3 tasks
 *
 * Task "main": [waiting for Future]
 *     TaskGroup.__aexit__ (/usr/lib/python3.13/asyncio/taskgroups.py:72)
 *     main (/srv/app.py:40)
 *     Task "crawler": [waiting for Future]
 *         crawl (/srv/app.py:20)
 *
 * A task is printed once, below the first one that awaits it; below others, a line refers to it. Tasks that await
 * each other in a circle, and those deeper than DEPTH, have no place in the tree: they follow it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "cmd/dump/dump.h"

enum { DEPTH = 24, STEP = 4 }; /* levels; columns of one */

static const char *const states[TASK_STATES] = {
	[TASK_RUNNING] = "running", [TASK_WAITING] = "waiting", [TASK_READY] = "ready",
	[TASK_DONE] = "done",       [TASK_UNKNOWN] = "unknown",
};

/* A tree being printed. */
struct tree {
	const struct dump_one *one;
	struct buf *out;
	bool *done; /* of each task: it was printed */
};

/* The class without its module. */
static const char *class_of(const char *type)
{
	const char *dot = strrchr(type, '.');

	return dot ? dot + 1 : type;
}

static void show(struct buf *out, const char *text)
{
	utf8_show(out, text, strlen(text));
}

static void add_head(const struct task *t, size_t indent, struct buf *out)
{
	buf_printf(out, "%*sTask \"", (int)indent, "");
	show(out, t->name);
	buf_char(out, '"');
}

static void add_state(const struct task *t, struct buf *out)
{
	buf_printf(out, ": [%s", states[t->state]);
	if (t->state == TASK_WAITING && *t->waiter_type) {
		buf_str(out, " for ");
		show(out, class_of(t->waiter_type));
	}
	buf_char(out, ']');
	if (t->thread)
		buf_printf(out, " in thread %" PRIu32, t->thread);
	buf_char(out, '\n');
}

static void add_frames(const struct tree *tree, const struct task *t, size_t indent)
{
	struct frame f;

	if (t->changed)
		buf_printf(tree->out, "%*s[changed while read]\n", (int)indent, "");
	for (uint32_t i = 0; i < t->frames; i++) {
		snapshots_task_frame(tree->one->snapshots, t, i, &f);
		dump_text_frame(tree->one, &f, indent, tree->out);
	}
}

static void add_task(struct tree *tree, uint32_t number, size_t depth);

static void add_awaited(struct tree *tree, uint32_t number, size_t depth)
{
	const struct task *t = &tree->one->snapshot->tasks[number];
	size_t indent = STEP * depth;

	if (!tree->done[number] && depth < DEPTH) {
		add_task(tree, number, depth);
		return;
	}
	add_head(t, indent, tree->out);
	buf_str(tree->out, tree->done[number] ? ": see above\n" : ": see below\n");
}

/* At most DEPTH levels deep. */
static void add_task(struct tree *tree, uint32_t number, size_t depth)
{
	const struct task *t = &tree->one->snapshot->tasks[number];

	tree->done[number] = true;
	add_head(t, STEP * depth, tree->out);
	add_state(t, tree->out);
	add_frames(tree, t, STEP * (depth + 1));
	for (uint32_t i = 0; i < t->nawaits; i++)
		add_awaited(tree, t->awaits[i], depth + 1);
}

/* Tasks @first to @end - 1 have the same event loop. */
static void add_loop(const struct dump_one *one, size_t first, size_t end, struct buf *out)
{
	const struct task_loop *l = &one->snapshot->tasks[first].loop;
	const struct snapshot_thread *t = snapshots_loop_thread(one->snapshots, l);

	buf_str(out, "\nEvent loop ");
	show(out, class_of(l->type));
	if (t) {
		buf_str(out, " of thread ");
		dump_text_name(t, out);
	}
	buf_printf(out, ": %zu task%s\n", end - first, end - first == 1 ? "" : "s");
}

static void add_root(struct tree *tree, uint32_t number)
{
	buf_char(tree->out, '\n');
	add_task(tree, number, 0);
}

static size_t end_of_loop(const struct snapshot *s, size_t first)
{
	size_t end = first;

	while (end < s->ntasks && s->tasks[end].loop.id == s->tasks[first].loop.id)
		end++;
	return end;
}

void dump_text_tasks(const struct dump_one *one, struct buf *out)
{
	const struct snapshot *s = one->snapshot;
	_free_ bool *done = calloc(s->ntasks + 1, sizeof(*done));
	struct tree tree = { one, out, done };

	if (!done) {
		out->err = -ENOMEM;
		return;
	}
	if (!s->ntasks && !s->tasks_missing)
		buf_str(out, "\nNo asyncio tasks\n");
	for (size_t first = 0, end; first < s->ntasks; first = end) {
		end = end_of_loop(s, first);
		add_loop(one, first, end, out);
		for (size_t i = first; i < end; i++)
			if (!s->tasks[i].nawaited_by)
				add_root(&tree, i);
		for (size_t i = first; i < end; i++)
			if (!done[i])
				add_root(&tree, i);
	}
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void add_id(const char *key, uint64_t id, struct jsonwrite *j)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, id);
	jsonwrite_str(j, key, text);
}

static void add_ids(const char *key, const struct snapshot *s, const uint32_t *numbers, uint32_t n,
		    struct jsonwrite *j)
{
	jsonwrite_array(j, key);
	for (uint32_t i = 0; i < n; i++)
		add_id(NULL, s->tasks[numbers[i]].id, j);
	jsonwrite_array_end(j);
}

static void add_object(const char *key, uint64_t id, const char *type, struct jsonwrite *j)
{
	jsonwrite_object(j, key);
	add_id("id", id, j);
	jsonwrite_str(j, "type", type);
	jsonwrite_object_end(j);
}

static void add_loop_json(const struct dump_one *one, const struct task_loop *l,
			  struct jsonwrite *j)
{
	const struct snapshot_thread *t = snapshots_loop_thread(one->snapshots, l);

	jsonwrite_object(j, "loop");
	add_id("id", l->id, j);
	jsonwrite_str(j, "type", l->type);
	if (t)
		jsonwrite_uint(j, "thread", t->tid);
	jsonwrite_object_end(j);
}

static void add_stack(const struct dump_one *one, const struct task *t, struct jsonwrite *j)
{
	struct frame f;

	jsonwrite_array(j, "stack");
	for (uint32_t i = 0; i < t->frames; i++) {
		snapshots_task_frame(one->snapshots, t, i, &f);
		jsonwrite_object(j, NULL);
		dump_json_frame(one, &f, j);
		jsonwrite_object_end(j);
	}
	jsonwrite_array_end(j);
}

static void add_task_json(const struct dump_one *one, const struct task *t, struct jsonwrite *j)
{
	const struct snapshot *s = one->snapshot;

	jsonwrite_object(j, NULL);
	add_id("id", t->id, j);
	jsonwrite_str(j, "name", t->name);
	jsonwrite_str(j, "state", states[t->state]);
	if (t->thread)
		jsonwrite_uint(j, "thread", t->thread);
	if (t->changed)
		jsonwrite_bool(j, "changed", true);
	add_loop_json(one, &t->loop, j);
	if (t->waiter)
		add_object("waits_for", t->waiter, t->waiter_type, j);
	add_ids("awaits", s, t->awaits, t->nawaits, j);
	add_ids("awaited_by", s, t->awaited_by, t->nawaited_by, j);
	add_stack(one, t, j);
	jsonwrite_object_end(j);
}

void dump_json_tasks(const struct dump_one *one, struct jsonwrite *j)
{
	const struct snapshot *s = one->snapshot;

	jsonwrite_array(j, "tasks");
	for (size_t i = 0; i < s->ntasks; i++)
		add_task_json(one, &s->tasks[i], j);
	jsonwrite_array_end(j);
	jsonwrite_str(j, "tasks_missing", s->tasks_missing);
}
