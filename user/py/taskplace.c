/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	sys.modules ─► _asyncio ─► Task: the C type
 *	                      └──► _current_tasks: {event loop: task}	3.12, 3.13
 *	.AsyncioDebug ─► offset of the running task in a thread state	3.14+
 *
 * The first interpreter that has loaded _asyncio is taken. Offsets in a coroutine are those of CPython's
 * genobject.h, from the end of an object's head.
 */
#include "py/taskplace.h"

#include <stdbool.h>

#include "py/asyncdebug.h"
#include "py/pyobject.h"
#include "py/tasklist.h"

enum {
	V3_12 = 0x030c,
	V3_14 = 0x030e,
	INTERPS = 8,
	ITEMS = 1 << 16,
	QUALNAME = 16, /* gi_qualname */
	FRAME = 56,    /* gi_iframe */
	STATE_MAX = 1 << 20,
};

/* The names of the module _asyncio, a dict; 0: it is not loaded. */
static uint64_t find_names(const struct taskplace_wanted *w, const struct pyobject_reader *r)
{
	uint64_t interp = pyobject_word(r, w->interps), module = 0;

	for (int i = 0; i < INTERPS && interp && !module; i++) {
		module = pyobject_item(r, pyobject_word(r, interp + w->layout.in_modules),
				       "_asyncio");
		interp = pyobject_word(r, interp + w->layout.in_next);
	}
	/* A module's dict follows its head. */
	return module ? pyobject_word(r, module + w->layout.ob_type + 8) : 0;
}

/* 3.14+. False: the section is missing, or has offsets that cannot be true. */
static bool set_published(pid_t pid, struct task_place *ret)
{
	struct asyncdebug d;

	if (asyncdebug_find(pid, &d) || d.running_task % 8 || d.running_task > STATE_MAX)
		return false;
	ret->running = d.running_task;
	ret->coro = d.coro;
	ret->name = d.task_name;
	return true;
}

static void set_known(const struct py_layout *l, struct task_place *ret)
{
	const struct task_layout t = tasklist_layout(l);

	ret->coro = t.coro;
	ret->name = t.name;
}

/* While the module is being made, some of its names are missing. */
static bool is_whole(const struct task_place *p)
{
	enum { LAST = 240 }; /* the programs read 255 bytes of a task */

	return p->type && p->str_type && (p->current || p->running) && p->coro <= LAST &&
	       p->name <= LAST;
}

void taskplace_read(const struct taskplace_wanted *w, struct task_place *ret)
{
	const struct py_layout *l = &w->layout;
	uint32_t left = ITEMS;
	const struct pyobject_reader r = { w->pid, l, &left };
	uint64_t names, text;

	*ret = (struct task_place){ .kind = l->version < V3_12 ? PLACE_OLD : PLACE_NONE };
	names = ret->kind == PLACE_NONE ? find_names(w, &r) : 0;
	text = names ? pyobject_item(&r, names, "__name__") : 0;
	if (!text)
		return;
	ret->str_type = pyobject_word(&r, text + l->ob_type);
	ret->type = pyobject_item(&r, names, "Task");
	ret->qualname = l->ob_type + 8 + QUALNAME;
	ret->frame = l->ob_type + 8 + FRAME;
	if (l->version < V3_14) {
		set_known(l, ret);
		ret->current = pyobject_item(&r, names, "_current_tasks");
	} else if (!set_published(w->pid, ret)) {
		ret->kind = PLACE_HIDDEN;
		return;
	}
	ret->kind = is_whole(ret) ? PLACE_FOUND : PLACE_NONE;
}
