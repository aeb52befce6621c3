/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	task ─► coroutine ─► awaited coroutine ─► ... ─► future		frames: coro.c
 *	   └──► task_fut_waiter: the same future
 *
 *	who awaits it:	3.14+	awaited_by, which gather(), TaskGroup and others set, too
 *			before	its callback is a method of a TaskGroup, which knows the task that opened it;
 *				gather() waits for a future of its own, which knows the tasks that it gathers;
 *				else the task that waits for it, which the caller knows if it has read all tasks
 *
 * A task is of the C type _asyncio.Task, of a class derived from it, or an instance of another class that has the
 * attributes of Python's own asyncio.Task. Everything is hostile, so a record is bounded.
 *
 * A reading takes some microseconds, in which a task can run and come back to the same place. A reading that saw parts
 * from before and after may equal the next one by chance, so three in a row must be equal, and all frames must be
 * those of code objects.
 */
#include "py/asynctask.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "proc/rmem.h"
#include "py/coro.h"
#include "py/pyobject.h"
#include "py/walk.h"

enum {
	AGREE = 3,
	TRIES = 16,
	BATCH_READS = 1 << 19, /* reads of a batch, about half a second */
	READS = 20000,         /* of one reading of one task, besides frames, dicts and sets */
	ITEMS = 1 << 14,       /* entries of dicts and places of sets, likewise */
	BASES = 16,
};

struct taskread {
	struct walk *walk;
	struct value_reader values;
	struct pyobject_reader objects;
	uint32_t items;
	uint32_t left; /* reads that the batch may still make */
	const struct task_wanted *w;
	uint64_t loop, self; /* the last loop, and its thread: tasks share loops */
};

/* What is known of a task before it becomes a record. */
struct fields {
	uint64_t loop, coro, name, waiter, callback;
	uint64_t awaited_by; /* a future, or a set of futures */
	bool is_set, done;
};

static int read_process(void *ctx, void *to, size_t len, uint64_t addr)
{
	struct taskread *t = ctx;

	if (!t->left)
		return -EFAULT;
	t->left--;
	return rmem_read(t->w->pid, addr, to, len);
}

struct taskread *taskread_new(void)
{
	struct taskread *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->walk = walk_new(read_process, t);
	if (t->walk)
		return t;
	free(t);
	return NULL;
}

void taskread_free(struct taskread *t)
{
	if (!t)
		return;
	walk_free(t->walk);
	free(t);
}

/* --- fields ----------------------------------------------------------------------------------- */

static uint32_t head_of(const struct taskread *t)
{
	return value_head(&t->w->layout);
}

static uint64_t word(struct taskread *t, uint64_t addr)
{
	return value_word(&t->values, addr);
}

static bool is_a(struct taskread *t, uint64_t object, const char *type)
{
	return object && !strcmp(value_type_name(&t->values, object), type);
}

/* Is @type _asyncio.Task, or derived from it? */
static bool is_c_type(struct taskread *t, uint64_t type)
{
	static const char wanted[] = "_asyncio.Task";
	enum { NAME = 8, BASE = 240 }; /* tp_name and tp_base, from the end of the head */
	char name[sizeof(wanted)];

	for (int i = 0; i < BASES && type; i++) {
		uint64_t at = word(t, type + head_of(t) + NAME);

		if (at && value_read(&t->values, at, name, sizeof(name)) &&
		    !memcmp(name, wanted, sizeof(name)))
			return true;
		type = word(t, type + head_of(t) + BASE);
	}
	return false;
}

static void read_c_task(struct taskread *t, uint64_t task, struct fields *ret)
{
	const struct task_layout *l = &t->w->task;
	uint32_t state = 0;
	uint8_t is_set = 0;

	value_read(&t->values, task + l->state, &state, sizeof(state));
	*ret = (struct fields){
		.loop = word(t, task + head_of(t)),
		.callback = word(t, task + head_of(t) + 8), /* fut_callback0 */
		.waiter = word(t, task + l->waiter),
		.coro = word(t, task + l->coro),
		.name = word(t, task + l->name),
		.done = state != 0,
	};
	if (!l->awaited_by)
		return;
	value_read(&t->values, task + l->is_set, &is_set, sizeof(is_set));
	ret->awaited_by = word(t, task + l->awaited_by);
	ret->is_set = is_set;
}

static uint64_t attribute(struct taskread *t, uint64_t object, const char *name)
{
	uint64_t value = pyobject_attribute(&t->objects, object, name);

	return is_a(t, value, "NoneType") ? 0 : value;
}

/* The first of a list of tuples (callback, context). */
static uint64_t first_callback(struct taskread *t, uint64_t list)
{
	uint64_t items = is_a(t, list, "list") ? word(t, list + head_of(t) + 8) : 0;
	uint64_t tuple = items && word(t, list + head_of(t)) ? word(t, items) : 0;

	return is_a(t, tuple, "tuple") ? value_tuple_item(&t->values, tuple, 0) : 0;
}

/* False: it has not the attributes of a task. While it is pending, _state is an attribute of the class alone. */
static bool read_python_task(struct taskread *t, uint64_t task, struct fields *ret)
{
	uint64_t state = attribute(t, task, "_state");

	*ret = (struct fields){
		.loop = attribute(t, task, "_loop"),
		.coro = attribute(t, task, "_coro"),
		.name = attribute(t, task, "_name"),
		.waiter = attribute(t, task, "_fut_waiter"),
		.callback = first_callback(t, attribute(t, task, "_callbacks")),
		.awaited_by = attribute(t, task, "_Future__asyncio_awaited_by"),
		.is_set = true,
		.done = state && !pyobject_is(&t->objects, state, "PENDING"),
	};
	return ret->coro && ret->loop;
}

/* pthread_self() of the thread that runs @loop; 0: unknown, or none. */
static uint64_t thread_of(struct taskread *t, uint64_t loop)
{
	if (loop != t->loop)
		t->self = pyobject_int(&t->objects, attribute(t, loop, "_thread_id"));
	t->loop = loop;
	return t->self;
}

/* --- who awaits it ---------------------------------------------------------------------------- */

struct links {
	struct buf *out;
	uint32_t n;
};

static bool add_link(void *ctx, uint64_t future)
{
	struct links *l = ctx;

	if (l->n == TASK_LINKS)
		return true;
	buf_add(l->out, &future, sizeof(future));
	l->n++;
	return false;
}

/* The task that opened the TaskGroup whose method is the callback @callback; 0: it is none. */
static uint64_t group_parent(struct taskread *t, uint64_t callback)
{
	uint64_t group = is_a(t, callback, "method") ? word(t, callback + head_of(t) + 8) : 0;

	return is_a(t, group, "TaskGroup") ? attribute(t, group, "_parent_task") : 0;
}

static uint32_t add_awaited_by(struct taskread *t, const struct fields *f, struct buf *out)
{
	struct links l = { .out = out };
	uint64_t parent = t->w->task.awaited_by ? 0 : group_parent(t, f->callback);

	if (parent)
		add_link(&l, parent);
	if (f->awaited_by && f->is_set)
		pyobject_members(&t->objects, f->awaited_by, add_link, &l);
	else if (f->awaited_by)
		add_link(&l, f->awaited_by);
	return l.n;
}

/* The futures that the task awaits through gather(). */
static uint32_t add_children(struct taskread *t, uint64_t waiter, struct buf *out)
{
	struct links l = { .out = out };
	uint64_t list = is_a(t, waiter, "_GatheringFuture") ? attribute(t, waiter, "_children") : 0;
	uint64_t head[2] = {}; /* ob_size, ob_item */

	if (!is_a(t, list, "list") ||
	    !value_read(&t->values, list + head_of(t), head, sizeof(head)) || !head[1])
		return 0;
	for (uint64_t i = 0; i < head[0] && i < TASK_LINKS; i++)
		add_link(&l, word(t, head[1] + 8 * i));
	return l.n;
}

/* --- frames ----------------------------------------------------------------------------------- */

static bool read_frame(struct taskread *t, uint64_t at, struct wire_frame *ret)
{
	const struct task_wanted *w = t->w;

	return !walk_frame(t->walk, &w->layout, w->code_type, &w->key, at, ret) &&
	       !(ret->flags & FRAME_UNREADABLE);
}

/* Frames from @c, the outermost coroutine, on; outermost first. */
static uint32_t read_chain(struct taskread *t, struct coro c, struct wire_frame *frames,
			   uint32_t *flags)
{
	uint32_t n = 0;

	while (c.state == CORO_CREATED || c.state == CORO_SUSPENDED) {
		if (n == TASK_FRAMES) {
			*flags |= TASK_DEEP;
			break;
		}
		if (!read_frame(t, c.frame, &frames[n])) {
			*flags |= TASK_TORN;
			break;
		}
		n++;
		coro_read(&t->values, c.awaits, &c);
	}
	return n;
}

static uint32_t add_frames(struct taskread *t, const struct coro *c, uint32_t *flags,
			   struct buf *out)
{
	_free_ struct wire_frame *frames = calloc(TASK_FRAMES, sizeof(*frames));
	uint32_t n = frames ? read_chain(t, *c, frames, flags) : 0;

	if (!frames)
		out->err = -ENOMEM;
	for (uint32_t i = n; i--;)
		buf_add(out, &frames[i], sizeof(frames[i]));
	return n;
}

static enum task_state state_of(const struct fields *f, const struct coro *c)
{
	if (f->done)
		return TASK_DONE;
	if (c->state == CORO_RUNNING)
		return TASK_RUNNING;
	if (f->waiter)
		return TASK_WAITING;
	return c->state == CORO_NONE ? TASK_UNKNOWN : TASK_READY;
}

/* --- one reading ------------------------------------------------------------------------------ */

static uint32_t add_name(struct taskread *t, uint64_t name, struct buf *out)
{
	size_t before = out->len;
	uint64_t number = is_a(t, name, "int") ? pyobject_int(&t->objects, name) : 0;

	if (number)
		buf_printf(out, "Task-%llu", (unsigned long long)number);
	else if (is_a(t, name, "str"))
		pyobject_text(&t->objects, name, TASK_NAME, out);
	return out->len - before;
}

static uint32_t add_type(struct taskread *t, uint64_t object, struct buf *out)
{
	const char *name = object ? value_type_name(&t->values, object) : "";

	buf_str(out, name);
	return strlen(name);
}

static bool read_fields(struct taskread *t, uint64_t at, struct fields *ret)
{
	uint64_t type = word(t, at + t->w->layout.ob_type);

	if (!type)
		return false;
	if (!is_c_type(t, type))
		return read_python_task(t, at, ret);
	read_c_task(t, at, ret);
	return true;
}

static void pad(struct buf *out)
{
	while (out->len % 8 && !out->err)
		buf_char(out, '\0');
}

/* Makes the record of the task at @at; nothing if it is no task. */
static void make_record(struct taskread *t, uint64_t at, struct buf *out)
{
	struct task_found found = { .at = at };
	struct fields f;
	struct coro c;

	if (!read_fields(t, at, &f))
		return;
	coro_read(&t->values, f.coro, &c);
	found.loop = f.loop;
	found.self = thread_of(t, f.loop);
	found.waiter = f.waiter;
	found.frame = c.frame;
	found.state = state_of(&f, &c);
	buf_add(out, &found, sizeof(found));
	found.frames = add_frames(t, &c, &found.flags, out);
	found.awaited_by = add_awaited_by(t, &f, out);
	found.children = add_children(t, f.waiter, out);
	found.name_len = add_name(t, f.name, out);
	found.waiter_len = add_type(t, f.waiter, out);
	found.loop_len = add_type(t, f.loop, out);
	pad(out);
	if (!out->err)
		memcpy(out->data, &found, sizeof(found));
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The same, within what the batch may still read. */
static void read_task(struct taskread *t, uint64_t at, struct buf *out)
{
	uint32_t reads = least(READS, t->left), items = least(ITEMS, t->left);

	t->values.left = reads;
	t->items = items;
	buf_clear(out);
	make_record(t, at, out);
	t->left -= least(t->left, reads - t->values.left + items - t->items);
}

/* --- until three agree -------------------------------------------------------------------------- */

/* A task of the batch. */
struct reading {
	struct buf last, before;
	uint32_t equal; /* readings in a row */
	bool settled;
};

static bool is_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

/* A frame of a coroutine that rests can always be read. */
static bool is_torn(const struct buf *b)
{
	struct task_found found;

	if (b->len < sizeof(found))
		return false;
	memcpy(&found, b->data, sizeof(found));
	return found.flags & TASK_TORN;
}

static void read_again(struct taskread *t, uint64_t at, struct reading *g)
{
	struct buf old = g->before;

	g->before = g->last;
	g->last = old;
	read_task(t, at, &g->last);
	g->equal = g->equal && is_same(&g->last, &g->before) ? g->equal + 1 : 1;
	g->settled = g->equal >= AGREE && !is_torn(&g->last);
}

/* Only what the task is called and what it was doing last. */
static void add_changed(const struct buf *last, struct buf *out)
{
	struct task_found found;
	struct task_parts parts;
	size_t at = 0;

	if (!task_next(last->data, last->len, &at, &parts))
		return;
	memcpy(&found, last->data, sizeof(found));
	found.flags = TASK_CHANGED;
	found.frames = found.awaited_by = found.children = 0;
	buf_add(out, &found, sizeof(found));
	buf_add(out, parts.name, found.name_len + found.waiter_len + found.loop_len);
	pad(out);
}

static void add_reading(const struct reading *g, struct buf *out)
{
	if (!g->last.len)
		return;
	if (g->equal >= AGREE)
		buf_add(out, g->last.data, g->last.len);
	else
		add_changed(&g->last, out);
}

static bool turn(struct taskread *t, const struct task_wanted *w, uint32_t n, struct reading *all)
{
	bool settled = true;

	memset(t->values.types, 0, sizeof(t->values.types));
	t->loop = 0;
	t->self = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (!all[i].settled && t->left)
			read_again(t, w->at[i], &all[i]);
		settled &= all[i].settled;
	}
	return settled;
}

int taskread_tasks(struct taskread *t, const struct task_wanted *w, struct buf *out)
{
	uint32_t n = w->count < TASK_BATCH ? w->count : TASK_BATCH;
	struct reading all[TASK_BATCH] = {};
	int err = 0;

	t->w = w;
	t->left = BATCH_READS;
	t->values.pid = w->pid;
	t->values.l = &w->layout;
	t->objects = (struct pyobject_reader){ w->pid, &w->layout, &t->items };
	for (int i = 0; i < TRIES && !turn(t, w, n, all); i++)
		;
	for (uint32_t i = 0; i < n; i++) {
		err = all[i].last.err ?: err;
		add_reading(&all[i], out);
		buf_done(&all[i].last);
		buf_done(&all[i].before);
	}
	return err ? err : out->err;
}

/* --- records ---------------------------------------------------------------------------------- */

static uint64_t size_of(const struct task_found *f)
{
	uint64_t size = sizeof(*f) + sizeof(struct wire_frame) * (uint64_t)f->frames +
			8 * ((uint64_t)f->awaited_by + f->children) + (uint64_t)f->name_len +
			f->waiter_len + f->loop_len;

	return (size + 7) & ~7ULL;
}

const struct task_found *task_next(const char *data, size_t len, size_t *at, struct task_parts *ret)
{
	const struct task_found *f;

	if (len - *at < sizeof(*f))
		return NULL; /* without any, @data may be NULL */
	f = (const struct task_found *)(data + *at);
	if (size_of(f) > len - *at || f->state >= TASK_STATES)
		return NULL;
	ret->frames = (const struct wire_frame *)(f + 1);
	ret->awaited_by = (const uint64_t *)(ret->frames + f->frames);
	ret->children = ret->awaited_by + f->awaited_by;
	ret->name = (const char *)(ret->children + f->children);
	ret->waiter = ret->name + f->name_len;
	ret->loop = ret->waiter + f->waiter_len;
	*at += size_of(f);
	return f;
}
