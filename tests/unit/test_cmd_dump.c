/* SPDX-License-Identifier: BSD-2-Clause */
/* `krait dump`: its options, and its output for made-up snapshots. */
#include "cmd/dump/dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"
#include "session/look.h"
#include "surveymock.h"

/* --- mocks --------------------------------------------------------------------------------------- */

const char *look_refusal(void)
{
	return "no";
}

struct snapshots *snapshots_new(const struct snapshots_opts *o)
{
	return NULL;
}

void snapshots_free(struct snapshots *s)
{
}

const struct snapshot *snapshots_take(struct snapshots *s, pid_t pid, struct err *err)
{
	return NULL;
}

static const struct frame frames[] = {
	{ .name = "Query.run", .file = "/srv/db.py", .line = 140, .first = 120 },
	{ .name = "ser\x1b[31mve", .file = "/srv/a\nb.py", .line = 61, .approximate = true },
	{ .name = "<module>", .file = "/srv/s.py" },
	{ .name = "[no Python state]", .kind = FRAME_MARK, .line = -1 },
};

void snapshots_frame(const struct snapshots *s, const struct snapshot_thread *t, uint32_t i,
		     struct frame *ret)
{
	*ret = frames[t->first + i];
}

void snapshots_task_frame(const struct snapshots *s, const struct task *t, uint32_t i,
			  struct frame *ret)
{
	*ret = frames[t->first + i];
}

static const struct snapshot_thread *loop_thread;

const struct snapshot_thread *snapshots_loop_thread(const struct snapshots *s,
						    const struct task_loop *l)
{
	return l->self ? loop_thread : NULL;
}

bool snapshots_local(const struct snapshots *s, const struct snapshot_thread *t, uint32_t i,
		     size_t *pos, struct snapshot_local *ret)
{
	static const struct snapshot_local rows[] = {
		{ .name = "self",
		  .name_len = 4,
		  .type = "Cart",
		  .type_len = 4,
		  .value = "<Cart at 0x1>",
		  .value_len = 13,
		  .argument = true },
		{ .name = "x\x1b", .name_len = 2, .changed = true },
		{ .rest = true },
	};

	if (i || *pos == sizeof(rows) / sizeof(rows[0]))
		return false;
	*ret = rows[(*pos)++];
	return true;
}

const char *snapshots_source(struct snapshots *s, const struct frame *f, bool *ret_newer)
{
	*ret_newer = f->line == 61;
	return f->line > 0 ? "x\x1b[1m = 1" : NULL;
}

/* --- options ---------------------------------------------------------------------------------- */

static void look_nothing(const struct survey_opts *o)
{
	CHECK_EQ(o->npids + o->nuids + o->ncomms + o->places.ncontainers, 0);
}

static void look_everything(const struct survey_opts *o)
{
	CHECK_EQ(o->npids, 2);
	CHECK_EQ(o->pids[1], 7);
	CHECK_EQ(o->nuids, 1);
	CHECK_EQ(o->ncomms, 1);
	CHECK_EQ(o->places.ncontainers, 2);
	CHECK_STR(o->places.containers[1], "db");
	CHECK_STR(o->places.pods[0], "shop/web");
	CHECK_STR(o->places.units[0], "nginx");
	CHECK_STR(o->places.cgroups[0], "/a");
}

TEST(options)
{
	static const struct asking rows[] = {
		{ "dump --all", look_nothing },
		{ "dump -a --source --json --thread-name worker-*,main", look_nothing },
		{ "dump -p 1,7 --uid root --comm uwsgi --container web,db --pod shop/web "
		  "--unit nginx --cgroup /a",
		  look_everything },
	};

	must_ask(&cmd_dump, rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(refused)
{
	static const struct refusal rows[] = {
		{ "dump", "no process is chosen" },
		{ "dump --json", "no process is chosen" },
		{ "dump -p 0", "--pid: '0'" },
		{ "dump 4711", "4711" },
		{ "dump --all --watch 0", "--watch: '0'" },
	};

	must_refuse(&cmd_dump, rows, sizeof(rows) / sizeof(rows[0]));
}

/* --- output ----------------------------------------------------------------------------------- */

static const char arguments[] = "python3\0/srv/s.py\0a\x1b"
				"b";

static const struct survey_process process = {
	.pid = 4711,
	.ns_pid = 1,
	.uid = 33,
	.threads = 3,
	.hex = 0x030d00f0,
	.link = SURVEY_STATIC,
	.library = "",
	.container = "5f0c3a1be2d4968778695a4b3c2d1e0f5f0c3a1be2d4968778695a4b3c2d1e0f",
	.engine = "docker",
	.name = "",
	.image = "",
	.pod = "",
	.ns = "",
	.pod_uid = "",
	.unit = "",
	.labels = "",
	.comm = "s.py",
	.arguments = arguments,
	.arguments_len = sizeof(arguments) - 1,
};

static const struct snapshot_thread threads[] = {
	{ .tid = 4711,
	  .ns_tid = 1,
	  .name = "MainThread",
	  .named = true,
	  .shown = true,
	  .state = { .kind = STATE_GIL_WAIT, .call = "futex" },
	  .frames = 3 },
	{ .tid = 4712,
	  .ns_tid = 4712,
	  .name = "a\"\x1b[31m",
	  .shown = true,
	  .state = { .kind = STATE_RUNNING, .holds_gil = true },
	  .proof = STACK_MOVED,
	  .unread = true,
	  .first = 2,
	  .frames = 1 },
	{ .tid = 4713,
	  .ns_tid = 3,
	  .name = "c",
	  .shown = true,
	  .state = { .kind = STATE_SLEEPING, .call = "epoll_wait" },
	  .first = 3,
	  .frames = 1 },
	{ .tid = 4714, .ns_tid = 4, .name = "not asked for" },
	{ .tid = 4715, .ns_tid = 5, .name = "ended", .shown = true, .ended = true },
};

enum { THREADS = sizeof(threads) / sizeof(threads[0]) };

static void make_text(const struct snapshot_gil *gils, size_t ngils, struct buf *out)
{
	const struct snapshot s = {
		.threads = threads, .nthreads = THREADS, .gils = gils, .ngils = ngils
	};

	dump_text(&(struct dump_one){ .process = &process, .snapshot = &s }, out);
	buf_char(out, '\0');
}

TEST(text)
{
	static const struct snapshot_gil gil = { true, true, &threads[1] };
	_cleanup_(buf_done) struct buf out = {};

	make_text(&gil, 1, &out);
	CHECK_STR(out.data, "Process 4711 (s.py): python3 /srv/s.py a\\x1bb\n"
			    "CPython 3.13.0, 5 threads, container 5f0c3a1be2d4, pid 1 in its "
			    "namespace\n"
			    "GIL: held by thread 4712 \"a\"\\x1b[31m\"\n"
			    "\n"
			    "Thread 4711 \"MainThread\" (1 in its namespace): [gil wait]\n"
			    "    Query.run (/srv/db.py:140)\n"
			    "    ser\\x1b[31mve (/srv/a\\nb.py:~61)\n"
			    "    <module> (/srv/s.py)\n"
			    "\n"
			    "Thread 4712 \"a\"\\x1b[31m\": [running], holds the GIL\n"
			    "    [running: two readings never agreed]\n"
			    "    <module> (/srv/s.py)\n"
			    "\n"
			    "Thread 4713 \"c\" (3 in its namespace): [sleep: epoll_wait]\n"
			    "    [no Python state]\n");
}

TEST(gils)
{
	static const struct {
		struct snapshot_gil gil;
		const char *want;
	} rows[] = {
		{ { .steady = true }, "\nGIL: free\n\n" },
		{ { .steady = true, .held = true },
		  "\nGIL: held by a thread that is not known\n\n" },
		{ { .held = true, .holder = &threads[0] },
		  "\nGIL: changed hands while the threads were read\n\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(buf_done) struct buf out = {};

		make_text(&rows[i].gil, 1, &out);
		CHECK(strstr(out.data, rows[i].want));
	}
}

TEST(source)
{
	const struct snapshot s = { .threads = threads, .nthreads = 1 };
	const struct dump_one one = { .process = &process, .source = true, .snapshot = &s };
	_cleanup_(buf_done) struct buf out = {};
	struct jsonwrite j = { .out = &out };

	dump_text(&one, &out);
	buf_char(&out, '\0');
	CHECK(strstr(out.data, "    Query.run (/srv/db.py:140)\n"
			       "        x\\x1b[1m = 1\n"
			       "    ser\\x1b[31mve (/srv/a\\nb.py:~61)\n"
			       "        x\\x1b[1m = 1    [file changed since the process started]\n"
			       "    <module> (/srv/s.py)\n"));
	buf_clear(&out);
	dump_json(&one, &j);
	buf_char(&out, '\0');
	CHECK(strstr(out.data, "\"line\":140,\"source\":\"x\\u001b[1m = 1\"}"));
	CHECK(strstr(out.data, "\"source\":\"x\\u001b[1m = 1\",\"source_newer\":true}"));
}

TEST(locals)
{
	const struct snapshot s = { .threads = threads, .nthreads = 1 };
	const struct dump_one one = { .process = &process, .locals = true, .snapshot = &s };
	_cleanup_(buf_done) struct buf out = {};
	struct jsonwrite j = { .out = &out };

	dump_text(&one, &out);
	buf_char(&out, '\0');
	CHECK(strstr(out.data, "    Query.run (/srv/db.py:140)\n"
			       "        self = <Cart at 0x1>\n"
			       "        x\\x1b = [changed while read]\n"
			       "        ...\n"
			       "    ser\\x1b[31mve (/srv/a\\nb.py:~61)\n"));
	buf_clear(&out);
	dump_json(&one, &j);
	buf_char(&out, '\0');
	CHECK(strstr(out.data,
		     "\"locals\":[{\"name\":\"self\",\"argument\":true,\"type\":\"Cart\","
		     "\"value\":\"<Cart at 0x1>\"},{\"name\":\"x\\u001b\",\"argument\":false,"
		     "\"changed\":true},{\"rest\":true}]"));
	CHECK(strstr(out.data, "\"locals\":[]"));
}

/* --- tasks ------------------------------------------------------------------------------------ */

static const uint32_t second_and_fourth[] = { 1, 3 };
static const uint32_t third[] = { 2 }, second[] = { 1 }, first[] = { 0 };

/* 0 awaits 1 and 3, 1 and 2 await each other; 3 is of another loop. */
static const struct task tasks[] = {
	{ .id = 0x10,
	  .name = "a\x1b",
	  .state = TASK_WAITING,
	  .loop = { 1, "asyncio.Loop", 5 },
	  .waiter = 0x99,
	  .waiter_type = "_asyncio.Future",
	  .frames = 1,
	  .awaits = second_and_fourth,
	  .nawaits = 2 },
	{ .id = 0x20,
	  .name = "b",
	  .state = TASK_RUNNING,
	  .loop = { 1, "asyncio.Loop", 5 },
	  .thread = 4711,
	  .first = 1,
	  .frames = 1,
	  .awaits = third,
	  .nawaits = 1,
	  .awaited_by = first,
	  .nawaited_by = 1 },
	{ .id = 0x30,
	  .name = "c",
	  .state = TASK_READY,
	  .changed = true,
	  .loop = { 1, "asyncio.Loop", 5 },
	  .awaits = second,
	  .nawaits = 1,
	  .awaited_by = second,
	  .nawaited_by = 1 },
	{ .id = 0x40,
	  .name = "d",
	  .state = TASK_DONE,
	  .loop = { 2, "Loop" },
	  .awaited_by = first,
	  .nawaited_by = 1 },
	{ .id = 0x50, .name = "e", .state = TASK_UNKNOWN, .loop = { 2, "Loop" } },
};

TEST(tasks_as_text)
{
	const struct snapshot s = { .tasks = tasks, .ntasks = 5 };
	const struct dump_one one = { .process = &process, .tasks = true, .snapshot = &s };
	_cleanup_(buf_done) struct buf out = {};

	loop_thread = &threads[0];
	dump_text(&one, &out);
	buf_char(&out, '\0');
	CHECK_STR(strstr(out.data, "\nEvent"),
		  "\nEvent loop Loop of thread 4711 \"MainThread\": 3 tasks\n"
		  "\n"
		  "Task \"a\\x1b\": [waiting for Future]\n"
		  "    Query.run (/srv/db.py:140)\n"
		  "    Task \"b\": [running] in thread 4711\n"
		  "        ser\\x1b[31mve (/srv/a\\nb.py:~61)\n"
		  "        Task \"c\": [ready]\n"
		  "            [changed while read]\n"
		  "            Task \"b\": see above\n"
		  "    Task \"d\": [done]\n"
		  "\n"
		  "Event loop Loop: 2 tasks\n"
		  "\n"
		  "Task \"e\": [unknown]\n");
}

TEST(tasks_in_a_circle)
{
	struct task both[2] = { tasks[1], tasks[2] };
	const struct snapshot circle = { .tasks = both, .ntasks = 2 };
	struct dump_one one = { .process = &process, .tasks = true, .snapshot = &circle };
	_cleanup_(buf_done) struct buf out = {};

	both[0].awaits = both[0].awaited_by = second;
	both[1].awaits = both[1].awaited_by = first;
	dump_text(&one, &out);
	buf_char(&out, '\0');
	CHECK(strstr(out.data, "\nTask \"b\": [running] in thread 4711\n"));
	CHECK(strstr(out.data, "\n    Task \"c\": [ready]\n"));
	CHECK(strstr(out.data, "\n        Task \"b\": see above\n"));
	buf_clear(&out);
	one.snapshot = &(struct snapshot){ .tasks = NULL };
	dump_text(&one, &out);
	buf_char(&out, '\0');
	CHECK(strstr(out.data, "\nNo asyncio tasks\n"));
}

TEST(a_long_chain_of_tasks)
{
	enum { N = 100 };
	static struct task chain[N];
	static uint32_t next[N], before[N];
	const struct snapshot s = { .tasks = chain, .ntasks = N };
	const struct dump_one one = { .process = &process, .tasks = true, .snapshot = &s };
	_cleanup_(buf_done) struct buf out = {};
	int n = 0;

	for (int i = 0; i < N; i++) {
		next[i] = i + 1;
		before[i] = i - 1;
		chain[i] = (struct task){ .name = "x", .loop = { .type = "L" }, .waiter_type = "" };
		chain[i].awaits = &next[i];
		chain[i].nawaits = i + 1 < N;
		chain[i].awaited_by = &before[i];
		chain[i].nawaited_by = i > 0;
	}
	dump_text(&one, &out);
	buf_char(&out, '\0');
	for (const char *at = out.data; (at = strstr(at, "]\n")); at++)
		n++;
	CHECK(n >= N); /* all of them, however deep */
	CHECK(strstr(out.data, "Task \"x\": see below\n\nTask \"x\": [running]\n"));
}

TEST(tasks_as_json)
{
	const struct snapshot s = { .tasks = tasks, .ntasks = 3, .tasks_missing = "some \"are\"" };
	const struct dump_one one = { .process = &process, .tasks = true, .snapshot = &s };
	_cleanup_(buf_done) struct buf out = {};
	struct jsonwrite j = { .out = &out };

	loop_thread = &threads[0];
	dump_json(&one, &j);
	buf_char(&out, '\0');
	CHECK(strstr(out.data,
		     "\"tasks\":[{\"id\":\"0x10\",\"name\":\"a\\u001b\",\"state\":\"waiting\","
		     "\"loop\":{\"id\":\"0x1\",\"type\":\"asyncio.Loop\",\"thread\":4711},"
		     "\"waits_for\":{\"id\":\"0x99\",\"type\":\"_asyncio.Future\"},"));
	CHECK(strstr(out.data, "\"state\":\"running\",\"thread\":4711,\"loop\""));
	CHECK(strstr(out.data, "\"state\":\"ready\",\"changed\":true,\"loop\""));
	CHECK(strstr(out.data, "\"awaits\":[\"0x20\"],\"awaited_by\":[\"0x20\"],\"stack\":[]}"));
	CHECK(strstr(out.data, "\"stack\":[{\"name\":\"Query.run\",\"file\":\"/srv/db.py\","));
	CHECK(strstr(out.data, "\"tasks_missing\":\"some \\\"are\\\"\"}"));
}

TEST(no_gil)
{
	_cleanup_(buf_done) struct buf out = {};

	make_text(NULL, 0, &out);
	CHECK(!strstr(out.data, "GIL:"));
}

TEST(json)
{
	static const struct snapshot_gil gil = { true, true, &threads[1] };
	const struct snapshot s = { .taken = { 1, 500000000 },
				    .seconds = 0.25,
				    .threads = threads,
				    .nthreads = THREADS,
				    .gils = &gil,
				    .ngils = 1 };
	_cleanup_(buf_done) struct buf out = {};
	struct jsonwrite j = { .out = &out };

	dump_json_begin(&j);
	dump_json(&(struct dump_one){ .process = &process, .snapshot = &s }, &j);
	dump_json_unread(&process, "not today", &j);
	dump_json_end(&j, 3);
	buf_char(&out, '\0');
	CHECK(strstr(out.data,
		     "{\"schema\":1,\"krait\":\"" KRAIT_VERSION "\",\"processes\":[{"
		     "\"pid\":4711,\"ns_pid\":1,\"uid\":33,\"comm\":\"s.py\",") == out.data);
	CHECK(strstr(out.data,
		     "\"reason\":null,\"taken\":1.5,\"seconds\":0.25,\"gils\":[{\"held\":"
		     "true,\"steady\":true,\"holder\":4712}],\"threads\":[{\"tid\":4711"));
	CHECK(strstr(out.data, "\"name_from\":\"python\",\"state\":\"gil wait\",\"call\":\"futex\","
			       "\"holds_gil\":false,\"reading\":\"rested\",\"whole\":true,"
			       "\"stack\":[{\"name\":\"Query.run\",\"file\":\"/srv/db.py\","
			       "\"first_line\":120,\"line\":140}"));
	CHECK(strstr(out.data, "\"reading\":\"moved\",\"whole\":false,"));
	CHECK(strstr(out.data, "{\"name\":\"[no Python state]\",\"mark\":true}"));
	CHECK(strstr(out.data, "\"reason\":\"not today\"}],\"not_permitted\":3}\n"));
	CHECK(!strstr(out.data, "asked for") && !strstr(out.data, "ended"));
}
