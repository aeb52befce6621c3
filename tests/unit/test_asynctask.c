/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * py/coro, py/asynctask, py/tasklist and py/asyncdebug: tasks of 3.12, and a list of tasks of 3.14, made up in this
 * process's own memory; whole ones and malformed ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "py/asyncdebug.h"
#include "py/asynctask.h"
#include "py/coro.h"
#include "py/layout.h"
#include "tap.h"

enum { V3_12 = 0x030c01f0, CHAIN = 3, RESUME = 151, IS_LONG = 24, IS_STR = 28, HEAP = 9 };

static uint64_t at(const void *p)
{
	return (uintptr_t)p;
}

static struct py_layout layout_of(uint32_t hex)
{
	struct py_layout l = {};

	CHECK_EQ(layout_find(hex, 0, NULL, 0, &l, NULL), 0);
	return l;
}

/* A type: its name is at 24, tp_flags at 168, tp_base at 256. */
struct type {
	uint64_t head[3];
	const char *name;
	uint64_t more[17], flags, further[10];
	const struct type *base;
	uint64_t rest[40];
};

/* Names are as long as a reading of them. */
static char names[32][64];

static struct type make_type(const char *name, int bit)
{
	static int used;
	char *text = names[used++ % 32];

	memset(text, 0, sizeof(names[0]));
	strcpy(text, name);
	return (struct type){ .name = text, .flags = bit ? 1ULL << bit : 0 };
}

struct object {
	uint64_t refcnt;
	const struct type *type;
	uint64_t words[40];
};

/* A coroutine: gi_frame_state is at 67, its frame at 72. */
struct coroutine {
	uint64_t refcnt;
	const struct type *type;
	uint8_t more[51];
	int8_t state;
	uint8_t pad[4];
	struct {
		uint64_t code, previous, function, globals, builtins, locals, object, instr;
		int32_t stacktop;
		uint8_t rest[4];
		uint64_t slots[4];
	} frame;
};
_Static_assert(offsetof(struct coroutine, frame) == 72, "as in CPython");
_Static_assert(offsetof(struct coroutine, state) == 67, "as in CPython");

/* A code object; its instructions are at 192. */
struct code {
	uint64_t refcnt;
	const struct type *type;
	uint64_t more[22];
	uint8_t bytes[16];
};

/* A program with one task, whose coroutine awaits another one, and that a third. */
static struct {
	struct type task, coroutine, generator, str, number, future, code_type;
	struct code code;
	struct coroutine chain[CHAIN];
	struct object future_object, name, task_object;
} p;

static struct py_layout layout;

static void await(struct coroutine *c, const void *awaited)
{
	c->state = -1;
	c->frame.slots[1] = at(awaited);
	c->frame.stacktop = 2;
}

static void set_up(void)
{
	memset(&p, 0, sizeof(p));
	layout = layout_of(V3_12);
	p.task = make_type("_asyncio.Task", 0);
	p.coroutine = make_type("coroutine", 0);
	p.generator = make_type("generator", 0);
	p.str = make_type("str", IS_STR);
	p.number = make_type("int", IS_LONG);
	p.future = make_type("_asyncio.Future", 0);
	p.code.type = &p.code_type;
	p.code.bytes[2] = RESUME; /* behind the first instruction */
	p.code.bytes[3] = 3;
	for (int i = 0; i < CHAIN; i++) {
		p.chain[i].type = &p.coroutine;
		p.chain[i].frame.code = at(&p.code);
		p.chain[i].frame.instr = at(p.code.bytes);
		await(&p.chain[i],
		      i + 1 < CHAIN ? (void *)&p.chain[i + 1] : (void *)&p.future_object);
	}
	p.future_object.type = &p.future;
	p.name = (struct object){ .type = &p.str, .words = { 5, 0, 1 << 2 | 1 << 5 | 1 << 6 } };
	strcpy((char *)&p.name.words[3], "first");
	p.task_object.type = &p.task;
	p.task_object.words[14] = at(&p.future_object); /* at 128: task_fut_waiter */
	p.task_object.words[15] = at(&p.chain[0]);
	p.task_object.words[16] = at(&p.name);
}

static const struct task_layout fields = { .state = 88, .waiter = 128, .coro = 136, .name = 144 };

/* Reads the object as a task of @w; NULL: it is none. The caller frees @out. */
static const struct task_found *read_as(const struct task_layout *l, uint64_t object,
					struct buf *out, struct task_parts *parts)
{
	struct taskread *t = taskread_new();
	struct task_wanted w = { .pid = getpid(),
				 .count = 1,
				 .code_type = at(&p.code_type),
				 .layout = layout,
				 .task = *l,
				 .at = { object } };
	size_t pos = 0;

	CHECK_EQ(taskread_tasks(t, &w, out), 0);
	taskread_free(t);
	return task_next(out->data, out->len, &pos, parts);
}

static const struct task_found *read_it(struct buf *out, struct task_parts *parts)
{
	return read_as(&fields, at(&p.task_object), out, parts);
}

TEST(a_task)
{
	_cleanup_(buf_done) struct buf out = {};
	const struct task_found *f;
	struct task_parts parts;

	set_up();
	f = read_it(&out, &parts);
	if (!CHECK(f))
		return;
	CHECK_EQ(f->at, at(&p.task_object));
	CHECK_EQ(f->state, TASK_WAITING);
	CHECK_EQ(f->flags, 0);
	CHECK_EQ(f->frames, CHAIN);
	CHECK_EQ(parts.frames[0].addr, at(&p.code));
	CHECK_EQ(parts.frames[2].lasti, 0);
	CHECK_EQ(f->waiter, at(&p.future_object));
	CHECK(f->name_len == 5 && !memcmp(parts.name, "first", 5));
	CHECK(f->waiter_len == 15 && !memcmp(parts.waiter, "_asyncio.Future", 15));
	CHECK_EQ(out.len % 8, 0);
}

TEST(states)
{
	static const struct {
		uint32_t done;
		int8_t coroutine;
		bool waits;
		enum task_state want;
		uint32_t frames;
	} rows[] = {
		{ 1, 1, false, TASK_DONE, 0 },    { 2, 4, false, TASK_DONE, 0 },
		{ 0, 0, false, TASK_RUNNING, 0 }, { 0, -2, false, TASK_READY, 1 },
		{ 0, -1, false, TASK_READY, 3 },  { 0, -1, true, TASK_WAITING, 3 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(buf_done) struct buf out = {};
		const struct task_found *f;
		struct task_parts parts;

		set_up();
		memcpy((char *)&p.task_object + fields.state, &rows[i].done, 4);
		p.chain[0].state = rows[i].coroutine;
		if (!rows[i].waits)
			p.task_object.words[14] = 0;
		f = read_it(&out, &parts);
		if (CHECK(f)) {
			CHECK_EQ(f->state, rows[i].want);
			CHECK_EQ(f->frames, rows[i].frames);
		}
	}
}

TEST(a_number_as_name)
{
	_cleanup_(buf_done) struct buf out = {};
	const struct task_found *f;
	struct task_parts parts;

	set_up();
	p.name = (struct object){ .type = &p.number, .words = { 1 << 3, 42 } };
	f = read_it(&out, &parts);
	CHECK(f && f->name_len == 7 && !memcmp(parts.name, "Task-42", 7));
}

TEST(derived_classes)
{
	_cleanup_(buf_done) struct buf out = {};
	struct type derived = make_type("Task", HEAP), circle = make_type("Task", HEAP);
	struct task_parts parts;

	set_up();
	derived.base = &p.task;
	p.task_object.type = &derived;
	CHECK(read_it(&out, &parts));
	buf_clear(&out);
	circle.base = &circle;
	p.task_object.type = &circle;
	CHECK(!read_it(&out, &parts));
	CHECK_EQ(out.len, 0);
	CHECK(!read_as(&fields, 8, &out, &parts)); /* nothing is there */
	CHECK(!read_as(&fields, UINT64_MAX - 7, &out, &parts));
}

TEST(a_yield_is_no_await)
{
	_cleanup_(buf_done) struct buf out = {};
	const struct task_found *f;
	struct task_parts parts;

	set_up();
	p.code.bytes[3] = 1; /* RESUME after a yield: the top of the stack is something else */
	f = read_it(&out, &parts);
	CHECK(f && f->frames == 1);
}

TEST(a_class_called_coroutine_is_none)
{
	_cleanup_(buf_done) struct buf out = {};
	struct type class = make_type("coroutine", HEAP);
	const struct task_found *f;
	struct task_parts parts;

	set_up();
	p.chain[1].type = &class;
	f = read_it(&out, &parts);
	CHECK(f && f->frames == 1);
}

TEST(circles_of_coroutines)
{
	_cleanup_(buf_done) struct buf out = {};
	const struct task_found *f;
	struct task_parts parts;

	set_up();
	await(&p.chain[2], &p.chain[0]);
	f = read_it(&out, &parts);
	CHECK(f && f->frames == TASK_FRAMES && f->flags == TASK_DEEP);
}

TEST(circles_of_wrappers)
{
	_cleanup_(buf_done) struct buf out = {};
	struct type wrapper = make_type("async_generator_asend", 0);
	struct object wraps = { .type = &wrapper };
	const struct task_found *f;
	struct task_parts parts;

	set_up();
	await(&p.chain[0], &wraps);
	wraps.words[0] = at(&p.chain[1]);
	f = read_it(&out, &parts);
	CHECK(f && f->frames == CHAIN);
	buf_clear(&out);
	wraps.words[0] = at(&wraps);
	f = read_it(&out, &parts);
	CHECK(f && f->frames == 1);
}

TEST(corrupt_coroutines)
{
	static const uint64_t bad[] = { 0, 7, 8, 0xdead0000, 1ULL << 63, UINT64_MAX };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_(buf_done) struct buf out = {};
		struct task_parts parts;
		const struct task_found *f;

		set_up();
		p.chain[1].frame.code = bad[i];
		f = read_it(&out, &parts);
		CHECK(f);
		buf_clear(&out);
		set_up();
		p.chain[1].frame.slots[1] = bad[i];
		f = read_it(&out, &parts);
		CHECK(f && f->frames == 2);
		buf_clear(&out);
		p.task_object.words[15] = bad[i];
		p.task_object.words[14] = 0;
		f = read_it(&out, &parts);
		CHECK(f && f->state == TASK_UNKNOWN && !f->frames);
		buf_clear(&out);
		p.task_object.words[16] = bad[i];
		f = read_it(&out, &parts);
		CHECK(f && !f->name_len);
	}
}

TEST(stack_indexes_are_bounded)
{
	static const int32_t bad[] = { 0, -1, INT32_MIN, INT32_MAX, 1 << 20 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_(buf_done) struct buf out = {};
		struct task_parts parts;
		const struct task_found *f;

		set_up();
		p.chain[0].frame.stacktop = bad[i];
		f = read_it(&out, &parts);
		CHECK(f && f->frames == 1);
	}
}

TEST(an_object_that_is_no_frame)
{
	_cleanup_(buf_done) struct buf out = {};
	const struct task_found *f;
	struct task_parts parts;

	set_up();
	p.chain[1].frame.code = at(&p.name);
	f = read_it(&out, &parts);
	CHECK(f && f->frames == 1 && f->flags == TASK_TORN);
}

/* --- who awaits it ---------------------------------------------------------------------------- */

TEST(awaited_by)
{
	enum { BY = 96, IS_SET = 100 };
	struct task_layout l = fields;
	_cleanup_(buf_done) struct buf out = {};
	uint64_t table[8] = { 0x1000, 1, 0, 0, 0x2000, UINT64_MAX, 0x3000, 2 };
	struct object set = { .words = { 3, 2, 3, at(table) } };
	const struct task_found *f;
	struct task_parts parts;

	set_up();
	l.awaited_by = BY;
	l.is_set = IS_SET + 8;
	p.task_object.words[(BY - 16) / 8] = 0x5000;
	f = read_as(&l, at(&p.task_object), &out, &parts);
	CHECK(f && f->awaited_by == 1 && parts.awaited_by[0] == 0x5000);
	buf_clear(&out);
	((char *)&p.task_object)[IS_SET + 8] = 1;
	p.task_object.words[(BY - 16) / 8] = at(&set);
	f = read_as(&l, at(&p.task_object), &out, &parts);
	CHECK(f && f->awaited_by == 2 && parts.awaited_by[1] == 0x3000);
	buf_clear(&out);
	set.words[2] = UINT64_MAX; /* a table that has no end */
	f = read_as(&l, at(&p.task_object), &out, &parts);
	CHECK(f && f->awaited_by <= TASK_LINKS);
	buf_clear(&out);
	set.words[3] = 8;
	f = read_as(&l, at(&p.task_object), &out, &parts);
	CHECK(f && f->awaited_by == 0);
}

/* --- records ---------------------------------------------------------------------------------- */

TEST(malformed_records)
{
	struct task_found f = { .state = TASK_STATES };
	struct task_parts parts;
	size_t pos = 0;

	CHECK(!task_next(NULL, 0, &pos, &parts));
	CHECK(!task_next((char *)&f, sizeof(f) - 1, &pos, &parts));
	CHECK(!task_next((char *)&f, sizeof(f), &pos, &parts));
	f.state = TASK_DONE;
	CHECK(task_next((char *)&f, sizeof(f), &pos, &parts) == &f);
	CHECK(!task_next((char *)&f, sizeof(f), &pos, &parts));
	pos = 0;
	f.frames = f.awaited_by = f.children = f.name_len = f.waiter_len = f.loop_len = UINT32_MAX;
	CHECK(!task_next((char *)&f, sizeof(f), &pos, &parts));
	CHECK_EQ(pos, 0);
}

/* --- lists of 3.14 ---------------------------------------------------------------------------- */

enum { NODE = 32, TASKS = 64, STATE_TASKS = 64 };

/* Found in the file of this program. */
__attribute__((section(".AsyncioDebug"), used)) static const struct asyncdebug debug = {
	.task_size = 64,
	.task_name = 40,
	.awaited_by = 16,
	.awaited_by_is_set = 24,
	.coro = 48,
	.node = NODE,
	.interp_size = 256,
	.interp_tasks = TASKS,
	.state_size = 256,
	.state_tasks = STATE_TASKS,
};

struct made_task {
	uint64_t more[NODE / 8], node[2], rest[2];
};

/* An interpreter with one thread state and a dict of modules with "_asyncio". */
static struct {
	uint64_t interps, interp[32], state[32];
	uint64_t dict[6];
	struct {
		uint64_t refcnt;
		uint8_t log2_size, log2_index_bytes, kind, mutex;
		uint32_t version;
		uint64_t usable, n;
		uint8_t index[8];
		uint64_t entry[3];
	} keys;
	struct {
		uint64_t refcnt, type, length, hash;
		uint32_t state, pad;
		char data[64];
	} name;
	uint64_t module[8];
} q;

static const struct py_layout list_layout = {
	.version = 0x030e,
	.ob_type = 8,
	.us_length = 16,
	.us_state = 32,
	.us_kind = 2,
	.us_ascii_bit = 6,
	.us_ascii = 40,
	.us_compact = 56,
	.in_next = 0,
	.in_threads = 8,
	.in_modules = 16,
	.ts_next = 0,
};

static void set_up_list(void)
{
	memset(&q, 0, sizeof(q));
	q.interps = at(q.interp);
	q.interp[1] = at(q.state);
	q.interp[2] = at(q.dict);
	q.interp[TASKS / 8] = q.interp[TASKS / 8 + 1] = at(&q.interp[TASKS / 8]);
	q.state[STATE_TASKS / 8] = q.state[STATE_TASKS / 8 + 1] = at(&q.state[STATE_TASKS / 8]);
	q.dict[4] = at(&q.keys);
	q.keys.log2_size = q.keys.log2_index_bytes = 3;
	q.keys.n = 1;
	q.keys.entry[1] = at(&q.name);
	q.keys.entry[2] = at(q.module);
	q.name.length = strlen("_asyncio");
	q.name.state = 1 << 2 | 1 << 5 | 1 << 6;
	strcpy(q.name.data, "_asyncio");
}

/* Appends to the list of the thread state. */
static void link_task(struct made_task *t)
{
	uint64_t *head = &q.state[STATE_TASKS / 8], *last = (uint64_t *)(uintptr_t)head[1];

	t->node[0] = at(head);
	t->node[1] = at(last);
	last[0] = head[1] = at(t->node);
}

/* The tasks found; @out is freed by the caller. */
static const struct tasklist *list(struct buf *out, const uint64_t **ret)
{
	const struct tasklist_wanted w = { .pid = getpid(),
					   .info = { .interps = at(&q.interps) },
					   .layout = list_layout };
	const struct tasklist *found;

	CHECK_EQ(tasklist_read(&w, out), 0);
	found = (const struct tasklist *)out->data;
	*ret = (const uint64_t *)(found + 1);
	return found;
}

TEST(a_list)
{
	_cleanup_(buf_done) struct buf out = {};
	struct made_task tasks[3] = {};
	const struct tasklist *found;
	const uint64_t *addresses;

	set_up_list();
	for (int i = 0; i < 3; i++)
		link_task(&tasks[i]);
	found = list(&out, &addresses);
	CHECK_EQ(found->count, 3);
	CHECK_EQ(found->flags, 0);
	CHECK_EQ(addresses[2], at(&tasks[2]));
	CHECK_EQ(found->layout.coro, debug.coro);
	CHECK_EQ(found->layout.waiter, debug.coro - 8);
}

TEST(malformed_lists)
{
	_cleanup_(buf_done) struct buf out = {}, again = {}, more = {};
	struct made_task tasks[3] = {};
	const uint64_t *addresses;

	set_up_list();
	for (int i = 0; i < 3; i++)
		link_task(&tasks[i]);
	tasks[2].node[0] = at(tasks[1].node); /* a circle that the head is not in */
	CHECK_EQ(list(&out, &addresses)->count, 3);
	tasks[1].node[0] = 0x10; /* nothing is there */
	CHECK_EQ(list(&again, &addresses)->count, 2);
	tasks[0].node[1] = 0;
	CHECK_EQ(list(&more, &addresses)->count, 0);
}

TEST(a_list_that_is_too_long)
{
	_cleanup_(buf_done) struct buf out = {};
	_free_ struct made_task *tasks = calloc(TASKS_MAX + 10, sizeof(*tasks));
	const struct tasklist *found;
	const uint64_t *addresses;

	set_up_list();
	for (int i = 0; i < TASKS_MAX + 10; i++)
		link_task(&tasks[i]);
	found = list(&out, &addresses);
	CHECK(found->count == TASKS_MAX && found->flags == TASKS_CUT);
}

TEST(no_asyncio)
{
	_cleanup_(buf_done) struct buf out = {};
	const struct tasklist *found;
	const uint64_t *addresses;

	set_up_list();
	q.keys.n = 0;
	found = list(&out, &addresses);
	CHECK(!found->count && !found->flags);
}

TEST(sections)
{
	struct asyncdebug d;

	CHECK_EQ(asyncdebug_find(getpid(), &d), 0);
	CHECK(!memcmp(&d, &debug, sizeof(d)));
	CHECK(asyncdebug_find(1 << 30, &d) < 0);
}
