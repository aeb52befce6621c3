/* SPDX-License-Identifier: BSD-2-Clause */
/* session/tasks: records of a made-up process become tasks in order, with links between them. */
#include "session/tasks.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "tap.h"

/* --- a mock reader ---------------------------------------------------------------------------- */

/* A task of the process. */
struct made {
	uint64_t at, loop, waiter;
	const char *name;
	uint64_t by[2], children[2]; /* futures that await it, and that it gathers; 0: none */
	enum task_state state;
	uint32_t flags, frames;
};

static struct {
	const struct made *tasks;
	uint32_t n, flags;
	int err;
	bool malformed;
} process;

int reader_tasklist(struct reader *r, const struct tasklist_wanted *w, struct buf *out)
{
	const struct tasklist head = { .count = process.n, .flags = process.flags };

	if (process.err)
		return process.err;
	buf_add(out, &head, sizeof(head));
	for (uint32_t i = 0; i < process.n; i++)
		buf_add(out, &process.tasks[i].at, sizeof(uint64_t));
	if (process.malformed)
		out->len--;
	return out->err;
}

static uint32_t count(const uint64_t two[2])
{
	return !!two[0] + !!two[1];
}

static void add(const struct made *m, struct buf *out)
{
	const struct task_found f = { .at = m->at,
				      .loop = m->loop,
				      .waiter = m->waiter,
				      .state = m->state,
				      .flags = m->flags,
				      .frames = m->frames,
				      .awaited_by = count(m->by),
				      .children = count(m->children),
				      .name_len = strlen(m->name) };
	const struct wire_frame frame = { .code = 1, .lasti = 2 };

	buf_add(out, &f, sizeof(f));
	for (uint32_t i = 0; i < m->frames; i++)
		buf_add(out, &frame, sizeof(frame));
	buf_add(out, m->by, 8 * f.awaited_by);
	buf_add(out, m->children, 8 * f.children);
	buf_str(out, m->name);
	while (out->len % 8)
		buf_char(out, '\0');
}

int reader_tasks(struct reader *r, const struct task_wanted *w, struct buf *out)
{
	for (uint32_t i = 0; i < w->count; i++)
		for (uint32_t k = 0; k < process.n; k++)
			if (process.tasks[k].at == w->at[i])
				add(&process.tasks[k], out);
	return out->err;
}

/* --- tests ------------------------------------------------------------------------------------ */

struct fixture {
	struct tasks *tasks;
	struct strpool *texts;
	struct codes *codes;
	struct sym *sym;
};

static int fetch(void *ctx, const struct code_wanted *w)
{
	return 0;
}

static struct fixture open_fixture(void)
{
	struct fixture f = { tasks_new(), strpool_new(), codes_new(), NULL };

	codes_on_missing(f.codes, fetch, NULL);
	f.sym = sym_new(f.codes);
	return f;
}

static void close_fixture(struct fixture *f)
{
	tasks_free(f->tasks);
	sym_free(f->sym);
	codes_free(f->codes);
	strpool_free(f->texts);
}

static const struct task *read_all(struct fixture *f, const struct made *tasks, uint32_t n)
{
	const struct tasks_source from = { .pid = 1,
					   .frames = { f->codes, f->sym, {} },
					   .texts = f->texts };
	static const struct python py;
	size_t got;

	tasks_clear(f->tasks);
	process.tasks = tasks;
	process.n = n;
	CHECK_EQ(tasks_read(f->tasks, &from, &py), 0);
	CHECK_EQ(tasks_link(f->tasks), 0);
	return tasks_all(f->tasks, &got);
}

#define READ(f, tasks) read_all(f, tasks, sizeof(tasks) / sizeof((tasks)[0]))

TEST(order)
{
	static const struct made made[] = {
		{ 0x40, 2, 0, "a", {}, {}, TASK_READY, 0, 0 },
		{ 0x30, 1, 0, "Task-10", {}, {}, TASK_READY, 0, 0 },
		{ 0x20, 1, 0, "Task-2", {}, {}, TASK_DONE, 0, 0 },
	};
	_cleanup_(close_fixture) struct fixture f = open_fixture();
	const struct task *all = READ(&f, made);

	CHECK_STR(all[0].name, "Task-2");
	CHECK_STR(all[1].name, "Task-10");
	CHECK_STR(all[2].name, "a");
	CHECK_EQ(all[0].state, TASK_DONE);
	CHECK_EQ(all[2].loop.id, 2);
	CHECK(!tasks_missing(f.tasks));
}

/* b waits for c; a gathers b and c; c says that a and b await it, and an object that is no task. */
TEST(links)
{
	static const struct made made[] = {
		{ 0x10, 1, 0x99, "a", {}, { 0x20, 0x30 }, TASK_WAITING, 0, 0 },
		{ 0x20, 1, 0x30, "b", {}, { 0x20 }, TASK_WAITING, 0, 0 },
		{ 0x30, 1, 0, "c", { 0x20, 0x77 }, {}, TASK_READY, 0, 0 },
	};
	_cleanup_(close_fixture) struct fixture f = open_fixture();
	const struct task *all = READ(&f, made);

	CHECK_EQ(all[0].nawaits, 2);
	CHECK(all[0].awaits[0] == 1 && all[0].awaits[1] == 2);
	CHECK_EQ(all[0].nawaited_by, 0);
	CHECK(all[1].nawaits == 1 && all[1].awaits[0] == 2);
	CHECK(all[1].nawaited_by == 1 && all[1].awaited_by[0] == 0);
	CHECK(all[2].nawaited_by == 2 && all[2].awaited_by[0] == 0 && all[2].awaited_by[1] == 1);
	CHECK_EQ(all[2].nawaits, 0);
}

TEST(markers)
{
	static const struct made made[] = {
		{ 0x10, 1, 0, "a", {}, {}, TASK_RUNNING, 0, 0 },
		{ 0x20, 1, 0, "b", {}, {}, TASK_WAITING, TASK_TORN, 2 },
		{ 0x30, 1, 0, "c", {}, {}, TASK_WAITING, TASK_DEEP, 1 },
		{ 0x40, 1, 0, "d", { 0x10 }, {}, TASK_WAITING, TASK_CHANGED, 1 },
	};
	static const uint32_t stack[] = { 7, 8 };
	_cleanup_(close_fixture) struct fixture f = open_fixture();
	struct task *all = (struct task *)READ(&f, made);

	CHECK_EQ(all[0].frames, 1);
	CHECK_EQ(tasks_frame(f.tasks, &all[0], 0), sym_marker(WALK_INCOMPLETE));
	CHECK_EQ(all[1].frames, 3);
	CHECK_EQ(tasks_frame(f.tasks, &all[1], 0), sym_marker(WALK_UNREADABLE));
	CHECK_EQ(tasks_frame(f.tasks, &all[2], 0), sym_marker(WALK_TRUNCATED));
	CHECK(all[3].changed && !all[3].frames && !all[3].nawaited_by);
	CHECK_EQ(tasks_set_frames(f.tasks, &all[0], stack, 2), 0);
	CHECK(all[0].frames == 2 && tasks_frame(f.tasks, &all[0], 1) == 8);
}

TEST(missing)
{
	static const struct {
		uint32_t flags;
		int err;
		const char *want;
	} rows[] = {
		{ TASKS_OLD, 0, "3.8" },
		{ TASKS_HIDDEN, 0, ".AsyncioDebug" },
		{ TASKS_CUT, 0, "too many" },
		{ 0, -ETIMEDOUT, "do not answer" },
	};
	_cleanup_(close_fixture) struct fixture f = open_fixture();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		process.flags = rows[i].flags;
		process.err = rows[i].err;
		read_all(&f, NULL, 0);
		CHECK(strstr(tasks_missing(f.tasks) ?: "", rows[i].want));
	}
	process.flags = 0;
	process.err = 0;
}

TEST(a_malformed_answer)
{
	static const struct made made[] = { { .at = 0x10, .name = "a" } };
	_cleanup_(close_fixture) struct fixture f = open_fixture();
	size_t n;

	process.malformed = true;
	READ(&f, made);
	process.malformed = false;
	tasks_all(f.tasks, &n);
	CHECK(!n && tasks_missing(f.tasks));
}
