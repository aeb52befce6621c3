/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	list ─► batches of tasks ─► records ─► order ─► links ─► awaits, awaited_by
 *
 * A link is a pair of numbers, and each is found on one side or the other: a task knows who awaits it, or what it
 * waits for. So all links are collected, without repetitions, in two arrays: ordered by who awaits, and by what is
 * awaited. The part that belongs to a task is its list.
 */
#include "session/tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/vec.h"

/* Addresses, until all tasks have a number. */
struct pair {
	uint64_t parent, child;
};

struct tasks {
	VEC(struct task) all;
	VEC(struct pair) pairs;
	VEC(uint32_t) frames;
	uint32_t *awaits, *awaited_by; /* lists of all tasks, one after the other */
	const char *missing;
};

struct tasks *tasks_new(void)
{
	return calloc(1, sizeof(struct tasks));
}

void tasks_clear(struct tasks *ts)
{
	ts->all.len = ts->pairs.len = ts->frames.len = 0;
	free(ts->awaits);
	free(ts->awaited_by);
	ts->awaits = ts->awaited_by = NULL;
	ts->missing = NULL;
}

void tasks_free(struct tasks *ts)
{
	if (!ts)
		return;
	tasks_clear(ts);
	vec_done(&ts->all);
	vec_done(&ts->pairs);
	vec_done(&ts->frames);
	free(ts);
}

struct task *tasks_all(const struct tasks *ts, size_t *ret_n)
{
	*ret_n = ts->all.len;
	return ts->all.at;
}

const char *tasks_missing(const struct tasks *ts)
{
	return ts->missing;
}

uint32_t tasks_frame(const struct tasks *ts, const struct task *t, uint32_t i)
{
	return ts->frames.at[t->first + i];
}

int tasks_set_frames(struct tasks *ts, struct task *t, const uint32_t *ids, uint32_t n)
{
	int err = 0;

	t->first = ts->frames.len;
	t->frames = n;
	for (uint32_t i = 0; i < n && !err; i++)
		err = vec_push(&ts->frames, ids[i]);
	return err;
}

/* --- records ---------------------------------------------------------------------------------- */

static const char *keep(const struct tasks_source *from, const char *text, size_t len)
{
	uint32_t id = strpool_add(from->texts, text, len);

	return id == UINT32_MAX ? NULL : strpool_str(from->texts, id);
}

/* The marker before the frames; WALK_COMPLETE: none are missing. */
static enum walk_end end_of(const struct task_found *f)
{
	if (f->flags & TASK_DEEP)
		return WALK_TRUNCATED;
	if (f->flags & TASK_TORN)
		return WALK_UNREADABLE;
	return f->state == TASK_RUNNING ? WALK_INCOMPLETE : WALK_COMPLETE;
}

static int add_frames(struct tasks *ts, const struct tasks_source *from, const struct python *py,
		      const struct task_found *f, const struct wire_frame *frames)
{
	enum walk_end end = end_of(f);
	int err = end != WALK_COMPLETE ? vec_push(&ts->frames, sym_marker(end)) : 0;

	for (uint32_t i = 0; i < f->frames && !err; i++) {
		uint32_t id = frames_add(&from->frames, &frames[i], py);

		err = id == SYM_NONE ? -ENOMEM : vec_push(&ts->frames, id);
	}
	return err;
}

static int add_pair(struct tasks *ts, uint64_t parent, uint64_t child)
{
	const struct pair p = { parent, child };

	return parent == child ? 0 : vec_push(&ts->pairs, p);
}

static int add_pairs(struct tasks *ts, const struct task_found *f, const struct task_parts *parts)
{
	int err = f->waiter ? add_pair(ts, f->at, f->waiter) : 0;

	for (uint32_t i = 0; i < f->awaited_by && !err; i++)
		err = add_pair(ts, parts->awaited_by[i], f->at);
	for (uint32_t i = 0; i < f->children && !err; i++)
		err = add_pair(ts, f->at, parts->children[i]);
	return err;
}

static int add_task(struct tasks *ts, const struct tasks_source *from, const struct python *py,
		    const struct task_found *f, const struct task_parts *parts)
{
	struct task t = {
		.id = f->at,
		.name = keep(from, parts->name, f->name_len),
		.state = f->state,
		.changed = f->flags & TASK_CHANGED,
		.loop = { f->loop, keep(from, parts->loop, f->loop_len), f->self },
		.waiter = f->waiter,
		.waiter_type = keep(from, parts->waiter, f->waiter_len),
		.frame = f->frame,
		.first = ts->frames.len,
	};
	int err = t.name && t.loop.type && t.waiter_type ? 0 : -ENOMEM;

	if (!err && !t.changed)
		err = add_frames(ts, from, py, f, parts->frames) ?: add_pairs(ts, f, parts);
	t.frames = ts->frames.len - t.first;
	return err ? err : vec_push(&ts->all, t);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The answer in one aligned piece; the records begin at *@ret. NULL: it is malformed. */
static const struct tasklist *list_in(const struct buf *b, const uint64_t **ret)
{
	const struct tasklist *list = (const struct tasklist *)b->data;

	if (b->len < sizeof(*list) || (b->len - sizeof(*list)) / 8 < list->count)
		return NULL;
	*ret = (const uint64_t *)(list + 1);
	return list;
}

static const char *reason_of(uint32_t flags)
{
	if (flags & TASKS_OLD)
		return "tasks are read from CPython 3.8 on";
	if (flags & TASKS_HIDDEN)
		return "its tasks cannot be found: no section .AsyncioDebug in its files";
	return flags & TASKS_CUT ? "it has too many tasks; some are missing" : NULL;
}

static int read_batch(struct tasks *ts, const struct tasks_source *from, const struct python *py,
		      const struct task_wanted *w)
{
	_cleanup_(buf_done) struct buf answer = {};
	int err = reader_tasks(from->reader, w, &answer);
	const struct task_found *f;
	struct task_parts parts;
	size_t at = 0;

	while (!err && (f = task_next(answer.data, answer.len, &at, &parts)))
		err = add_task(ts, from, py, f, &parts);
	return err;
}

static int read_all(struct tasks *ts, const struct tasks_source *from, const struct python *py,
		    const struct tasklist *list, const uint64_t *at)
{
	struct task_wanted w = { .pid = from->pid,
				 .key = from->frames.key,
				 .code_type = py->info.code_type,
				 .layout = py->layout,
				 .task = list->layout };
	int err = 0;

	for (uint32_t i = 0; i < list->count && !err; i += w.count) {
		w.count = list->count - i < TASK_BATCH ? list->count - i : TASK_BATCH;
		memcpy(w.at, at + i, w.count * sizeof(*at));
		err = read_batch(ts, from, py, &w);
	}
	return err;
}

int tasks_read(struct tasks *ts, const struct tasks_source *from, const struct python *py)
{
	const struct tasklist_wanted w = { from->pid, py->info, py->layout };
	_cleanup_(buf_done) struct buf answer = {};
	int err = reader_tasklist(from->reader, &w, &answer);
	const struct tasklist *list;
	const uint64_t *at;

	if (!err) {
		list = list_in(&answer, &at);
		if (list && list->flags)
			ts->missing = reason_of(list->flags);
		err = list ? read_all(ts, from, py, list, at) : -EIO;
	}
	if (!err || err == -ENOMEM)
		return err;
	ts->missing = "its tasks cannot be read: its memory or files do not answer";
	return 0;
}

/* --- links ------------------------------------------------------------------------------------ */

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_loop_and_name(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	return compare(x->loop.id, y->loop.id) ?: strverscmp(x->name, y->name)
						 ?: compare(x->id, y->id);
}

static int by_parent(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return compare(x->parent, y->parent) ?: compare(x->child, y->child);
}

static int by_child(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return compare(x->child, y->child) ?: compare(x->parent, y->parent);
}

/* Replaces addresses by numbers; drops pairs of objects that are not both tasks. */
static int number_pairs(struct tasks *ts)
{
	_cleanup_(hmap_freep) struct hmap *numbers = hmap_new(sizeof(uint64_t), sizeof(uint32_t));
	size_t kept = 0;

	if (!numbers)
		return -ENOMEM;
	for (size_t i = 0; i < ts->all.len; i++) {
		uint32_t *n = hmap_put(numbers, &ts->all.at[i].id, NULL);

		if (!n)
			return -ENOMEM;
		*n = i;
	}
	for (size_t i = 0; i < ts->pairs.len; i++) {
		const struct pair *p = &ts->pairs.at[i];
		const uint32_t *parent = hmap_get(numbers, &p->parent);
		const uint32_t *child = hmap_get(numbers, &p->child);

		if (parent && child)
			ts->pairs.at[kept++] = (struct pair){ *parent, *child };
	}
	ts->pairs.len = kept;
	return 0;
}

static void drop_repeated(struct tasks *ts)
{
	size_t kept = 0;

	for (size_t i = 0; i < ts->pairs.len; i++)
		if (!i || by_parent(&ts->pairs.at[i], &ts->pairs.at[i - 1]))
			ts->pairs.at[kept++] = ts->pairs.at[i];
	ts->pairs.len = kept;
}

static void set_awaits(struct tasks *ts)
{
	for (size_t i = 0; i < ts->pairs.len; i++) {
		struct task *t = &ts->all.at[ts->pairs.at[i].parent];

		ts->awaits[i] = ts->pairs.at[i].child;
		if (!t->nawaits++)
			t->awaits = &ts->awaits[i];
	}
}

static void set_awaited_by(struct tasks *ts)
{
	for (size_t i = 0; i < ts->pairs.len; i++) {
		struct task *t = &ts->all.at[ts->pairs.at[i].child];

		ts->awaited_by[i] = ts->pairs.at[i].parent;
		if (!t->nawaited_by++)
			t->awaited_by = &ts->awaited_by[i];
	}
}

int tasks_link(struct tasks *ts)
{
	int err;

	if (ts->all.len)
		qsort(ts->all.at, ts->all.len, sizeof(*ts->all.at), by_loop_and_name);
	err = number_pairs(ts);
	if (err || !ts->pairs.len)
		return err;
	qsort(ts->pairs.at, ts->pairs.len, sizeof(*ts->pairs.at), by_parent);
	drop_repeated(ts);
	ts->awaits = calloc(ts->pairs.len, sizeof(*ts->awaits));
	ts->awaited_by = calloc(ts->pairs.len, sizeof(*ts->awaited_by));
	if (!ts->awaits || !ts->awaited_by)
		return -ENOMEM;
	set_awaits(ts);
	qsort(ts->pairs.at, ts->pairs.len, sizeof(*ts->pairs.at), by_child);
	set_awaited_by(ts);
	return 0;
}
