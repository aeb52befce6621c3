/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	sys.modules ─► asyncio.tasks, _asyncio ─► _all_tasks (up to 3.11), _scheduled_tasks: WeakSet
 *	                                     └──► _eager_tasks (3.12+): set
 *	3.14+	each PyThreadState, and the interpreter for threads that have ended ─► list of C tasks
 *
 * From 3.14 on the WeakSet has the tasks of other types alone. The process runs meanwhile: whoever reads a task
 * verifies that it is one. A list is believed while each node points back to the one before.
 *
 * Offsets of _asyncio.Task up to 3.13 were measured by tasks that search themselves for what they know of
 * themselves, on every release and debug build that the tests use; later ones come from .AsyncioDebug.
 */
#include "py/tasklist.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/vec.h"
#include "py/asyncdebug.h"
#include "py/pyobject.h"

enum {
	V3_8 = 0x0308,
	V3_14 = 0x030e,
	HEAD = 16, /* bytes of PyObject in the builds that the table is of */
	INTERPS = 8,
	STATES = 1 << 14,
	ITEMS = 1 << 18, /* entries of dicts and places of sets that are read */
};

/* Of builds with a GIL; a longer head of objects moves all fields. The waiter lies before coro, the name behind. */
static const struct {
	uint16_t from; /* first version */
	uint16_t state, coro;
} rows[] = {
	{ 0x0308, 72, 112 }, { 0x0309, 80, 152 }, { 0x030a, 88, 160 },
	{ 0x030b, 88, 136 }, { 0x030d, 96, 120 },
};

struct search {
	const struct tasklist_wanted *w;
	struct pyobject_reader r;
	uint32_t left;
	struct hmap *known; /* uint64_t -> nothing */
	VEC(uint64_t) tasks;
	struct asyncdebug debug;
	struct tasklist head;
	int err;
};

static uint32_t head_of(const struct search *s)
{
	return s->w->layout.ob_type + 8;
}

struct task_layout tasklist_layout(const struct py_layout *l)
{
	size_t i = sizeof(rows) / sizeof(rows[0]) - 1;
	uint16_t more = l->ob_type + 8 - HEAD;

	while (i && l->version < rows[i].from)
		i--;
	return (struct task_layout){
		.state = rows[i].state + more,
		.waiter = rows[i].coro + more - 8,
		.coro = rows[i].coro + more,
		.name = rows[i].coro + more + 8,
	};
}

/* Of fields that the section lacks, the state lies behind awaited_by, and the waiter before coro. */
static struct task_layout layout_of_debug(const struct asyncdebug *d)
{
	return (struct task_layout){
		.state = d->awaited_by + 8,
		.waiter = d->coro - 8,
		.coro = d->coro,
		.name = d->task_name,
		.awaited_by = d->awaited_by,
		.is_set = d->awaited_by_is_set,
	};
}

/* True: enough. */
static bool add(struct search *s, uint64_t task)
{
	bool fresh;

	if (!task || task & 7)
		return false;
	if (s->tasks.len >= TASKS_MAX) {
		s->head.flags |= TASKS_CUT;
		return true;
	}
	if (!hmap_put(s->known, &task, &fresh))
		s->err = -ENOMEM;
	else if (fresh)
		s->err = vec_push(&s->tasks, task);
	return s->err;
}

/* --- sets ------------------------------------------------------------------------------------- */

static bool add_member(void *ctx, uint64_t member)
{
	return add(ctx, member);
}

/* @member is a weakref, whose first field is its object. */
static bool add_weak(void *ctx, uint64_t member)
{
	struct search *s = ctx;

	return add(s, pyobject_word(&s->r, member + head_of(s)));
}

static void add_module(struct search *s, uint64_t module)
{
	static const char *const sets[] = { "_all_tasks", "_scheduled_tasks", "_eager_tasks" };
	/* A module's dict follows its head. */
	uint64_t names = module ? pyobject_word(&s->r, module + head_of(s)) : 0, set, data;

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]) && names && !s->err; i++) {
		set = pyobject_item(&s->r, names, sets[i]);
		data = set ? pyobject_attribute(&s->r, set, "data") : 0; /* of a WeakSet */
		if (data)
			pyobject_members(&s->r, data, add_weak, s);
		else
			pyobject_members(&s->r, set, add_member, s);
	}
}

/* --- lists of 3.14+ --------------------------------------------------------------------------- */

/* The list at @head: a ring of {next, previous} nodes in tasks. */
static void add_list(struct search *s, uint64_t head)
{
	uint64_t last = head, node[2], at = pyobject_word(&s->r, head);

	for (uint32_t i = 0; i <= TASKS_MAX && at && at != head; i++) {
		node[0] = pyobject_word(&s->r, at);
		node[1] = pyobject_word(&s->r, at + 8);
		if (node[1] != last || add(s, at - s->debug.node))
			return;
		last = at;
		at = node[0];
	}
}

static void add_lists(struct search *s, uint64_t interp)
{
	const struct py_layout *l = &s->w->layout;
	uint64_t state = pyobject_word(&s->r, interp + l->in_threads);

	add_list(s, interp + s->debug.interp_tasks);
	for (uint32_t i = 0; i < STATES && state && !s->err; i++) {
		add_list(s, state + s->debug.state_tasks);
		state = pyobject_word(&s->r, state + l->ts_next);
	}
}

/* --- all -------------------------------------------------------------------------------------- */

/* Finds out where the fields of tasks are. False: it cannot be known. */
static bool find_layout(struct search *s)
{
	uint16_t version = s->w->layout.version;

	if (s->head.layout.coro)
		return true;
	if (version < V3_8) {
		s->head.flags |= TASKS_OLD;
		return false;
	}
	if (version < V3_14) {
		s->head.layout = tasklist_layout(&s->w->layout);
		return true;
	}
	if (asyncdebug_find(s->w->pid, &s->debug)) {
		s->head.flags |= TASKS_HIDDEN;
		return false;
	}
	s->head.layout = layout_of_debug(&s->debug);
	return true;
}

static void add_interp(struct search *s, uint64_t interp)
{
	static const char *const names[] = { "asyncio.tasks", "_asyncio" };
	uint64_t modules = pyobject_word(&s->r, interp + s->w->layout.in_modules), module[2];
	bool loaded = false;

	for (int i = 0; i < 2; i++) {
		module[i] = pyobject_item(&s->r, modules, names[i]);
		loaded |= !!module[i];
	}
	if (!loaded || !find_layout(s))
		return;
	for (int i = 0; i < 2; i++)
		add_module(s, module[i]);
	if (s->head.layout.awaited_by)
		add_lists(s, interp);
}

int tasklist_read(const struct tasklist_wanted *w, struct buf *out)
{
	struct search s = { .w = w, .left = ITEMS };
	uint64_t interp;

	s.r = (struct pyobject_reader){ w->pid, &w->layout, &s.left };
	s.known = hmap_new(sizeof(uint64_t), 0);
	if (!s.known)
		return -ENOMEM;
	interp = pyobject_word(&s.r, w->info.interps);
	for (int i = 0; i < INTERPS && interp && !s.err; i++) {
		add_interp(&s, interp);
		interp = pyobject_word(&s.r, interp + w->layout.in_next);
	}
	if (!s.left)
		s.head.flags |= TASKS_CUT;
	s.head.count = s.tasks.len;
	buf_add(out, &s.head, sizeof(s.head));
	if (s.tasks.len)
		buf_add(out, s.tasks.at, s.tasks.len * sizeof(*s.tasks.at));
	hmap_free(s.known);
	vec_done(&s.tasks);
	return s.err ? s.err : out->err;
}
