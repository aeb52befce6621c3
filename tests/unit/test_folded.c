/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folded stacks: expected outputs, hostile names, and the readers of the format: the patterns with
 * which they parse lines are applied to everything that is written here.
 */
#include "format/format.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "tap.h"

#include "base/cleanup.h"
#include "format/path.h"
#include "format/text.h"

static void rig_count(struct rig *r, uint32_t thread, const char *path, uint64_t weight)
{
	rig_add(r, thread, path, 0, weight);
}

/* Adds root frames of @dim after those requested before. */
static void rig_by(struct rig *r, enum dim dim)
{
	r->opts.dims[r->opts.ndims++] = dim;
}

static void rig_count_state(struct rig *r, uint32_t thread, const char *path,
			    const struct state *state, uint64_t weight)
{
	rig_add(r, thread, path, profile_add_state(r->profile, state), weight);
}

enum { FLAMEGRAPH, SPEEDSCOPE, FIREFOX, EMPTY_FRAME, CONTROL, NPATTERNS };

/* How flamegraph.pl, speedscope and Firefox Profiler parse a line, and what no line may contain. */
static const char *const patterns[NPATTERNS] = {
	[FLAMEGRAPH] = "^(.*)[[:space:]]+([0-9]+(\\.[0-9]*)?)$",
	[SPEEDSCOPE] = "^(.*) ([0-9]+)$",
	[FIREFOX] = "^[^;]*(;[^;]*)* [0-9]+$",
	[EMPTY_FRAME] = "^;|;;|;$|^$|^ | $|; | ;",
	[CONTROL] = "[[:cntrl:]]",
};

static bool match(const regex_t *re, const char *s, regmatch_t *m)
{
	return !regexec(re, s, 3, m, 0);
}

static void check_line(const regex_t *re, const char *line)
{
	char stack[8192];
	regmatch_t m[3];

	CHECK(match(&re[FIREFOX], line, m));
	CHECK(match(&re[SPEEDSCOPE], line, m));
	CHECK(!match(&re[CONTROL], line, m));
	if (!match(&re[FLAMEGRAPH], line, m)) {
		CHECK(!"flamegraph.pl reads the line");
		return;
	}
	snprintf(stack, sizeof(stack), "%.*s", (int)m[1].rm_eo, line);
	CHECK(!match(&re[EMPTY_FRAME], stack, m));
	/* flamegraph.pl would take a second number for the other profile of a diff. */
	CHECK(!match(&re[FLAMEGRAPH], stack, m));
}

static void check_lines(const char *text)
{
	_free_ char *copy = strdup(text);
	char *save, *line = strtok_r(copy, "\n", &save), *last = NULL;
	regex_t re[NPATTERNS];

	for (int i = 0; i < NPATTERNS; i++)
		CHECK_EQ(regcomp(&re[i], patterns[i], REG_EXTENDED), 0);
	for (; line; line = strtok_r(NULL, "\n", &save)) {
		check_line(re, line);
		if (last)
			CHECK(strcmp(last, line) < 0);
		last = line;
	}
	for (int i = 0; i < NPATTERNS; i++)
		regfree(&re[i]);
}

static const char *rig_write(struct rig *r)
{
	check_lines(rig_put(r, &format_folded));
	return r->text;
}

/* --- lines ---------------------------------------------------------------------------------- */

static const struct frame plain[] = {
	{ "<module>", "/srv/app/main.py", 3, FRAME_PYTHON, false, 0, 0, NULL },
	{ "Shop.pay.<locals>.<lambda>", "/srv/app/shop/pay.py", 120, FRAME_PYTHON, false, 0, 0,
	  NULL },
	{ "loads", "/usr/lib/python3.11/json/__init__.py", 346, FRAME_PYTHON, true, 0, 0, NULL },
	{ "[unreadable]", "a mark has no place", 7, FRAME_MARK, false, 0, 0, NULL },
	{ "exec", "<string>", 0, FRAME_PYTHON, false, 0, 0, NULL },
	{ "loads", "/usr/lib/python3.11/json/__init__.py", 350, FRAME_PYTHON, false, 0, 0, NULL },
};

static void fill_plain(struct rig *r)
{
	uint32_t web;

	rig_init(r, plain);
	web = rig_thread(r, 41, "web", 44, "worker");
	rig_count(r, web, "ab", 2);
	rig_count(r, web, "abc", 3);
	rig_count(r, web, "abf", 5);
	rig_count(r, web, "ad", 1);
	rig_count(r, web, "ae", 12345678901);
}

TEST(golden)
{
	_rig_ r;

	fill_plain(&r);
	CHECK_STR(rig_write(&r),
		  "<module> (app/main.py:3);Shop.pay.<locals>.<lambda> (shop/pay.py:120) 2\n"
		  "<module> (app/main.py:3);Shop.pay.<locals>.<lambda> (shop/pay.py:120);"
		  "loads (json/__init__.py:350) 5\n"
		  "<module> (app/main.py:3);Shop.pay.<locals>.<lambda> (shop/pay.py:120);"
		  "loads (json/__init__.py:~346) 3\n"
		  "<module> (app/main.py:3);[unreadable] 1\n"
		  "<module> (app/main.py:3);exec (<string>) 12345678901\n");
}

TEST(native_frames_have_their_module)
{
	static const struct frame frames[] = {
		{ .name = "main", .file = "/srv/main.py", .line = 3 },
		{ .name = "inflate", .file = "/usr/lib/libz.so.1", .kind = FRAME_NATIVE },
		{ .name = "a<int; 7>::b", .kind = FRAME_NATIVE },
	};
	uint32_t thread;
	_rig_ r;

	rig_init(&r, frames);
	thread = rig_thread(&r, 41, "web", 44, "worker");
	rig_count(&r, thread, "ab", 2);
	rig_count(&r, thread, "ac", 1);
	CHECK_STR(rig_write(&r), "main (srv/main.py:3);a<int: 7>::b_[n] 1\n"
				 "main (srv/main.py:3);inflate (libz.so.1)_[n] 2\n");
	r.opts.full_paths = true;
	CHECK_STR(rig_write(&r), "main (/srv/main.py:3);a<int: 7>::b_[n] 1\n"
				 "main (/srv/main.py:3);inflate (/usr/lib/libz.so.1)_[n] 2\n");
}

TEST(without_lines_equal_frames_merge)
{
	_rig_ r;

	fill_plain(&r);
	r.opts.lines = false;
	CHECK_STR(rig_write(&r),
		  "<module> (app/main.py);Shop.pay.<locals>.<lambda> (shop/pay.py) 2\n"
		  "<module> (app/main.py);Shop.pay.<locals>.<lambda> (shop/pay.py);"
		  "loads (json/__init__.py) 8\n"
		  "<module> (app/main.py);[unreadable] 1\n"
		  "<module> (app/main.py);exec (<string>) 12345678901\n");
}

TEST(full_paths)
{
	_rig_ r;

	rig_init(&r, plain);
	r.opts.full_paths = true;
	rig_count(&r, rig_thread(&r, 1, "a", 1, "a"), "ac", 2);
	CHECK_STR(rig_write(&r), "<module> (/srv/app/main.py:3);"
				 "loads (/usr/lib/python3.11/json/__init__.py:~346) 2\n");
}

TEST(short_paths)
{
	static const char *const paths[][2] = {
		{ "/srv/app/main.py", "app/main.py" },
		{ "/main.py", "main.py" },
		{ "main.py", "main.py" },
		{ "./main.py", "./main.py" },
		{ "app/main.py", "app/main.py" },
		{ "src/app/main.py", "app/main.py" },
		{ "/srv/app//main.py", "app//main.py" },
		{ "<string>", "<string>" },
		{ "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap>" },
		{ "<a/b/c/d>", "<a/b/c/d>" },
		{ "/usr/lib/python3.11/json/decoder.py", "json/decoder.py" },
		{ "/usr/lib/python3.11/os.py", "os.py" },
		{ "/usr/lib64/python3.6/concurrent/futures/thread.py",
		  "concurrent/futures/thread.py" },
		{ "/opt/lib/python3.13t/a/b/c.py", "a/b/c.py" },
		{ "/opt/python3.13/a/b/c.py", "b/c.py" },
		{ "/usr/lib/python3.x/a/b/c.py", "b/c.py" },
		{ "/usr/lib/python3./a/b/c.py", "b/c.py" },
		{ "/usr/lib/python3/a/b/c.py", "b/c.py" },
		{ "/usr/lib/python311.zip/a/b/c.py", "a/b/c.py" },
		{ "/opt/python36.zip/zipimport.py", "zipimport.py" },
		{ "/opt/python36.zipper/a/b/c.py", "b/c.py" },
		{ "/v/lib/python3.11/site-packages/django/core/handlers/base.py",
		  "django/core/handlers/base.py" },
		{ "/usr/lib/python3/dist-packages/apt/a/cache.py", "apt/a/cache.py" },
		{ "/v/site-packages/x/_vendor/site-packages/y/z/w.py", "y/z/w.py" },
		{ "/v/site-packages/lib/python3.9/y/z/w.py", "y/z/w.py" },
		{ "/v/xsite-packages/a/b/c.py", "b/c.py" },
		{ "/v/site-packages/", "site-packages/" },
		{ "site-packages/a/b/c.py", "b/c.py" },
		{ "/", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		CHECK_STR(path_short(paths[i][0]), paths[i][1]);
}

/* --- root frames ---------------------------------------------------------------------------- */

static const struct frame one[] = { { "f", "f.py", 1, FRAME_PYTHON, false, 0, 0, NULL } };

TEST(roots_in_the_requested_order)
{
	_rig_ r;

	rig_init(&r, one);
	rig_count(&r, rig_thread(&r, 41, "web", 44, "worker"), "a", 2);
	rig_by(&r, DIM_COMM);
	CHECK_STR(rig_write(&r), "web;f (f.py:1) 2\n");
	r.opts.ndims = 0;
	rig_by(&r, DIM_THREAD);
	rig_by(&r, DIM_PROCESS);
	CHECK_STR(rig_write(&r), "worker-44;web-41;f (f.py:1) 2\n");
	rig_by(&r, DIM_COMM);
	CHECK_STR(rig_write(&r), "worker-44;web-41;web;f (f.py:1) 2\n");
}

TEST(processes_with_one_name_merge_by_comm)
{
	_rig_ r;

	rig_init(&r, one);
	rig_count(&r, rig_thread(&r, 41, "web", 41, "web"), "a", 2);
	rig_count(&r, rig_thread(&r, 42, "web", 42, "web"), "a", 3);
	rig_by(&r, DIM_COMM);
	CHECK_STR(rig_write(&r), "web;f (f.py:1) 5\n");
	r.opts.dims[0] = DIM_PROCESS;
	CHECK_STR(rig_write(&r), "web-41;f (f.py:1) 2\nweb-42;f (f.py:1) 3\n");
	r.opts.ndims = 0;
	CHECK_STR(rig_write(&r), "f (f.py:1) 5\n");
}

TEST(states_are_roots_and_leaves)
{
	const struct state sleeping = { .kind = STATE_SLEEPING, .call = "epoll_wait" };
	const struct state waiting = { .kind = STATE_GIL_WAIT, .call = "futex" };
	uint32_t thread;
	_rig_ r;

	rig_init(&r, one);
	thread = rig_thread(&r, 41, "web", 41, "web");
	rig_count(&r, thread, "a", 2);
	rig_count_state(&r, thread, "a", &sleeping, 3);
	rig_count_state(&r, thread, "a", &waiting, 5);
	rig_count_state(&r, thread, "", &waiting, 7);
	CHECK_STR(rig_write(&r), "? 7\nf (f.py:1) 10\n");
	r.opts.states = true;
	CHECK_STR(rig_write(&r), "[gil wait] 7\nf (f.py:1) 2\nf (f.py:1);[gil wait] 5\n"
				 "f (f.py:1);[sleep: epoll_wait] 3\n");
	r.opts.states = false;
	rig_by(&r, DIM_STATE);
	CHECK_STR(rig_write(&r), "gil wait 7\ngil wait;f (f.py:1) 5\nrunning;f (f.py:1) 2\n"
				 "sleeping;f (f.py:1) 3\n");
}

static uint32_t rig_place(struct rig *r, uint32_t pid, const struct container *c)
{
	uint32_t thread = rig_thread(r, pid, "web", pid, "web");

	if (c)
		profile_set_process_container(r->profile,
					      profile_thread(r->profile, thread)->process,
					      profile_add_container(r->profile, c));
	return thread;
}

TEST(containers_pods_and_units_are_roots)
{
	static const char id[] = "5f0c3a1be2d4968778695a4b3c2d1e0f5f0c3a1be2d4968778695a4b3c2d1e0f";
	static const char uid[] = "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d";
	const struct container places[] = {
		{ .id = id, .name = "w;b", .unit = "a.scope" },
		{ .id = id, .pod_uid = uid },
		{ .id = "lxc-1", .pod = "p", .ns = "shop", .pod_uid = uid },
		{ .unit = "nginx.service" },
	};
	_rig_ r;

	rig_init(&r, one);
	for (size_t i = 0; i < 4; i++)
		rig_count(&r, rig_place(&r, i + 1, &places[i]), "a", i + 1);
	rig_count(&r, rig_place(&r, 9, NULL), "a", 9);
	rig_by(&r, DIM_CONTAINER);
	CHECK_STR(rig_write(&r), "5f0c3a1be2d4;f (f.py:1) 2\n[unknown];f (f.py:1) 9\n"
				 "host;f (f.py:1) 4\nlxc-1;f (f.py:1) 3\nw:b;f (f.py:1) 1\n");
	r.opts.dims[0] = DIM_POD;
	CHECK_STR(rig_write(&r), "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d;f (f.py:1) 2\n"
				 "[no pod];f (f.py:1) 5\n[unknown];f (f.py:1) 9\n"
				 "shop/p;f (f.py:1) 3\n");
	r.opts.dims[0] = DIM_UNIT;
	CHECK_STR(rig_write(&r), "[no unit];f (f.py:1) 5\n[unknown];f (f.py:1) 9\n"
				 "a.scope;f (f.py:1) 1\nnginx.service;f (f.py:1) 4\n");
}

TEST(hostile_comms)
{
	_rig_ r;

	rig_init(&r, one);
	rig_by(&r, DIM_COMM);
	rig_count(&r, rig_thread(&r, 1, "a;b\nc", 1, ""), "a", 1);
	rig_count(&r, rig_thread(&r, 2, "", 2, ""), "a", 1);
	rig_count(&r, rig_thread(&r, 3, "python 3", 3, ""), "a", 1);
	CHECK_STR(rig_write(&r), "?;f (f.py:1) 1\na:b\\nc;f (f.py:1) 1\npython 3;f (f.py:1) 1\n");
	r.opts.dims[0] = DIM_THREAD;
	CHECK_STR(rig_write(&r), "?-1;f (f.py:1) 1\n?-2;f (f.py:1) 1\n?-3;f (f.py:1) 1\n");
}

TEST(empty_stacks)
{
	_rig_ r;

	rig_init(&r, NULL);
	CHECK_STR(rig_write(&r), "");
	rig_count(&r, rig_thread(&r, 1, "python 3", 1, "x"), "", 4);
	CHECK_STR(rig_write(&r), "? 4\n");
	rig_by(&r, DIM_COMM);
	CHECK_STR(rig_write(&r), "python_3 4\n");
	rig_count(&r, rig_thread(&r, 2, "python 3", 2, "y"), "", 5);
	rig_count(&r, rig_thread(&r, 3, "python_3", 3, "z"), "", 6);
	CHECK_STR(rig_write(&r), "python_3 15\n");
}

TEST(zero_counts_give_no_line)
{
	_rig_ r;

	rig_init(&r, one);
	rig_count(&r, rig_thread(&r, 1, "a", 1, "a"), "a", 0);
	CHECK_STR(rig_write(&r), "");
}

/* --- hostile names -------------------------------------------------------------------------- */

TEST(text_rules)
{
	static const char *const texts[][2] = {
		{ "", "?" },
		{ "  ", "?" },
		{ "  a  b ", "a  b" },
		{ " \t\n", "\\t\\n" },
		{ "a\nb\rc\td\x7f"
		  "e\x01",
		  "a\\nb\\rc\\td\\x7fe\\x01" },
		{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		  "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xc2\x85x\xe2\x80\xa8y\xe2\x80\xa9", "\\u0085x\\u2028y\\u2029" },
		{ "is_ok\xe2\x80\xae# \xe2\x81\xa6ko_si", "is_ok\\u202e# \\u2066ko_si" },
		{ "pay\xe2\x80\x8bpal \xef\xbb\xbf", "pay\\u200bpal \\ufeff" },
		{ "a\xf3\xa0\x81\xa1\xc2\xad", "a\\U000e0061\\u00ad" },
		{ "\xff", "\xef\xbf\xbd" },
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "x\xe2\x82", "x\xef\xbf\xbd" },
		{ "\xf0\x9f\x98x", "\xef\xbf\xbdx" },
		{ "\xc3\nx", "\xef\xbf\xbd\\nx" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_(buf_done) struct buf b = {};

		text_add(&b, texts[i][0], strlen(texts[i][0]));
		CHECK_STR(b.data, texts[i][1]);
	}
}

TEST(hostile_frames)
{
	static const struct frame frames[] = {
		{ "a;b", "/x;y/z\n.py", 1, FRAME_PYTHON, false, 0, 0, NULL },
		{ "", "", 1, FRAME_PYTHON, false, 0, 0, NULL },
		{ " \xff ", NULL, 9, FRAME_PYTHON, false, 0, 0, NULL },
		{ ";", "a.py", -5, FRAME_PYTHON, false, 0, 0, NULL },
		{ "\n", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	};
	_rig_ r;

	rig_init(&r, frames);
	rig_count(&r, rig_thread(&r, 1, "a", 1, "a"), "abcde", 1);
	CHECK_STR(rig_write(&r), "a:b (x:y/z\\n.py:1);? (?:1);\xef\xbf\xbd;: (a.py);\\n 1\n");
}

TEST(last_frame_never_looks_like_a_count)
{
	static const struct frame frames[] = {
		{ "x 5", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
		{ "x 0.5", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
		{ "x 5.", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
		{ "x 1 2", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
		{ "x  7", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
		{ "x .5", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
		{ "x -5", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
		{ "5", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
		{ "x 1.2.3", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
		{ "\t6", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
		{ "x\t8", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	};
	_rig_ r;
	uint32_t t;

	rig_init(&r, frames);
	t = rig_thread(&r, 1, "a", 1, "a");
	for (char c[] = "a"; c[0] <= 'k'; c[0]++)
		rig_count(&r, t, c, 1);
	rig_count(&r, t, "ab", 1);
	CHECK_STR(rig_write(&r), "5 1\n\\t6 1\nx -5 1\nx .5 1\nx 1.2.3 1\nx 1_2 1\nx 5;x_0.5 1\n"
				 "x _7 1\nx\\t8 1\nx_0.5 1\nx_5 1\nx_5. 1\n");
}

TEST(rewritten_leaf_merges_with_its_namesake)
{
	static const struct frame frames[] = {
		{ "x 5", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
		{ "x_5", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	};
	_rig_ r;
	uint32_t t;

	rig_init(&r, frames);
	t = rig_thread(&r, 1, "a", 1, "a");
	rig_count(&r, t, "a", 1);
	rig_count(&r, t, "b", 2);
	rig_count(&r, t, "ab", 4);
	rig_count(&r, t, "ba", 8);
	CHECK_STR(rig_write(&r), "x 5;x_5 4\nx_5 3\nx_5;x_5 8\n");
}

/* --- order ---------------------------------------------------------------------------------- */

/* Names that continue with bytes below and above ';' and space, which follow a frame in a line. */
static const struct frame tricky[] = {
	{ "a", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	{ "a!", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	{ "a 1x", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	{ "a 1", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	{ "a~", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	{ "a 10", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	{ "a:b", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	{ "a;b", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	{ "a\xc3\xa9", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	{ "", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	{ "a_1", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
	{ "a 1 ", NULL, 0, FRAME_MARK, false, 0, 0, NULL },
};

#define NTRICKY (sizeof(tricky) / sizeof(tricky[0]))

TEST(lines_are_sorted_with_their_count)
{
	_rig_ r;
	uint32_t t;

	rig_init(&r, tricky);
	t = rig_thread(&r, 1, "a", 1, "a");
	rig_count(&r, t, "a", 20);
	rig_count(&r, t, "ab", 1);
	rig_count(&r, t, "b", 1);
	rig_count(&r, t, "c", 3);
	rig_count(&r, t, "da", 3);
	CHECK_STR(rig_write(&r), "a 1;a 3\na 1x 3\na 20\na! 1\na;a! 1\n");
}

struct line {
	char stack[200];
	uint64_t weight;
	char text[240];
};

static int by_stack(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->stack, ((const struct line *)b)->stack);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

/* A reference: makes every line a string, sorts, merges, and sorts again with counts. */
static char *slow_fold(struct line *lines, size_t n)
{
	_cleanup_(buf_done) struct buf b = {};
	size_t kept = 0;

	qsort(lines, n, sizeof(*lines), by_stack);
	for (size_t i = 0; i < n; i++) {
		if (kept && !strcmp(lines[kept - 1].stack, lines[i].stack))
			lines[kept - 1].weight += lines[i].weight;
		else
			lines[kept++] = lines[i];
	}
	for (size_t i = 0; i < kept; i++)
		snprintf(lines[i].text, sizeof(lines[i].text), "%s %llu", lines[i].stack,
			 (unsigned long long)lines[i].weight);
	qsort(lines, kept, sizeof(*lines), by_text);
	for (size_t i = 0; i < kept; i++)
		buf_printf(&b, "%s\n", lines[i].text);
	return take_ptr(b.data);
}

static const char *clean(uint32_t frame, bool leaf)
{
	static const char *const inner[NTRICKY] = {
		"a", "a!", "a 1x", "a 1", "a~", "a 10", "a:b", "a:b", "a\xc3\xa9", "?", "a_1", "a 1"
	};
	static const char *const last[NTRICKY] = { "a",   "a!",  "a 1x",      "a_1", "a~",  "a_10",
						   "a:b", "a:b", "a\xc3\xa9", "?",   "a_1", "a_1" };

	return leaf ? last[frame] : inner[frame];
}

#define NROWS 3000

TEST(equals_the_reference)
{
	_free_ struct line *lines = calloc(NROWS, sizeof(*lines));
	_free_ char *expected = NULL;
	uint32_t threads[3];
	unsigned int seed = 1;
	_rig_ r;

	rig_init(&r, tricky);
	rig_by(&r, DIM_COMM);
	for (int i = 0; i < 3; i++)
		threads[i] = rig_thread(&r, i, clean(i * 4, false), i, "");
	for (size_t i = 0; i < NROWS; i++) {
		uint32_t t = rand_r(&seed) % 3, depth = rand_r(&seed) % 5;
		char path[8] = "";

		strcpy(lines[i].stack, clean(t * 4, !depth));
		for (uint32_t d = 0; d < depth; d++) {
			path[d] = 'a' + rand_r(&seed) % NTRICKY;
			strcat(lines[i].stack, ";");
			strcat(lines[i].stack, clean(path[d] - 'a', d + 1 == depth));
		}
		lines[i].weight = rand_r(&seed) % 15 + 1;
		rig_count(&r, threads[t], path, lines[i].weight);
	}
	expected = slow_fold(lines, NROWS);
	CHECK_STR(rig_write(&r), expected);
}

static const struct frame letters[] = {
	{ "f", NULL, 0, FRAME_PYTHON, false, 0, 0, NULL },
	{ "g", NULL, 0, FRAME_PYTHON, false, 0, 0, NULL },
};

/* Adds all stacks of f and g below @node, and their lines to @expected, in order. */
static void add_levels(struct rig *r, uint32_t thread, uint32_t node, const char *line, int levels,
		       struct buf *expected)
{
	char below[64];

	for (uint32_t i = 0; i < 2 && levels; i++) {
		uint32_t kid = stacks_push(r->stacks, node, i);

		snprintf(below, sizeof(below), "%s%s%s", line, *line ? ";" : "", letters[i].name);
		buf_printf(expected, "%s %u\n", below, kid);
		profile_count(r->profile, thread, kid, 0, kid);
		add_levels(r, thread, kid, below, levels - 1, expected);
	}
}

/* 131070 stacks: more than the writer caches. */
TEST(many_stacks)
{
	_cleanup_(buf_done) struct buf expected = {};
	_rig_ r;

	rig_init(&r, letters);
	add_levels(&r, rig_thread(&r, 1, "w", 1, "w"), STACKS_ROOT, "", 16, &expected);
	CHECK_EQ(stacks_count(r.stacks), 131071);
	CHECK(!strcmp(rig_put(&r, &format_folded), expected.data));
}

/* More threads than that, of which the later ones have their frames in another order. */
TEST(many_threads)
{
	_cleanup_(buf_done) struct buf expected = {};
	uint32_t process, g, f;
	_rig_ r;

	rig_init(&r, letters);
	rig_by(&r, DIM_THREAD);
	process = profile_add_process(r.profile, 1, "w");
	g = stacks_push(r.stacks, STACKS_ROOT, 1);
	f = stacks_push(r.stacks, STACKS_ROOT, 0);
	for (uint32_t tid = 10000; tid < 80000; tid++) {
		uint32_t t = profile_add_thread(r.profile, process, tid, "w");

		profile_count(r.profile, t, f, 0, tid);
		buf_printf(&expected, "w-%u;f %u\n", tid, tid);
		if (tid < 10000 + 65536)
			continue;
		profile_count(r.profile, t, g, 0, 1);
		buf_printf(&expected, "w-%u;g 1\n", tid);
	}
	CHECK(!strcmp(rig_put(&r, &format_folded), expected.data));
}

TEST(deep_stack)
{
	static const struct frame frames[] = { { "f", NULL, 0, FRAME_PYTHON, false, 0, 0, NULL } };
	_rig_ r;
	uint32_t t, node = STACKS_ROOT;

	rig_init(&r, frames);
	t = rig_thread(&r, 1, "w", 1, "w");
	for (int i = 0; i < 1500; i++)
		node = stacks_push(r.stacks, node, 0);
	profile_count(r.profile, t, node, 0, 1);
	CHECK_EQ(strlen(rig_write(&r)), 1500 * 2 - 1 + 3);
}

/* Writes one stack of @n frames "f", below the root frames of a thread "w 42". */
static const char *write_deep(struct rig *r, int n)
{
	uint32_t node = STACKS_ROOT;

	while (n--)
		node = stacks_push(r->stacks, node, 0);
	profile_count(r->profile, rig_thread(r, 1, "w 42", 1, "w"), node, 0, 1);
	return rig_write(r);
}

/* Root frames, count and newline are 14 bytes, each frame two; the reader takes 4,096. */
TEST(first_line_is_short)
{
	static const struct frame frames[] = { { "f", NULL, 0, FRAME_PYTHON, false, 0, 0, NULL } };
	static const char first[] = "w 42;w 42-1 0\nw 42;w 42-1;f;f";

	for (int n = 2038; n < 2100; n++) {
		_rig_ r;
		const char *text;

		rig_init(&r, frames);
		rig_by(&r, DIM_COMM);
		rig_by(&r, DIM_PROCESS);
		text = write_deep(&r, n);
		if (14 + 2 * n <= 4096)
			CHECK_EQ(strlen(text), 14 + 2 * n);
		else
			CHECK(!strncmp(text, first, sizeof(first) - 1));
	}
}

/* --- the table and its errors --------------------------------------------------------------- */

TEST(formats_are_found)
{
	_cleanup_(buf_done) struct buf b = {};

	CHECK(format_find("folded") == &format_folded);
	CHECK(!format_find("Folded"));
	CHECK(!format_find(""));
	CHECK(format_at(0) == &format_table);
	CHECK(!format_at(1000));
	format_names(&b);
	CHECK(strstr(b.data, "folded"));
}

static void check_failure(FILE *to, int code, const char *words)
{
	struct err err = {};
	_rig_ r;

	fill_plain(&r);
	CHECK_EQ(format_folded.write(r.profile, r.stacks, &r.opts, to, &err), code);
	CHECK_EQ(err.code, code);
	CHECK(!strncmp(err.text, "folded: 'output': ", 18));
	if (!strstr(err.text, words))
		CHECK_STR(err.text, words);
	CHECK_EQ(format_folded.write(r.profile, r.stacks, &r.opts, to, NULL) < 0, true);
}

TEST(full_disk)
{
	_fclose_ FILE *to = fopen("/dev/full", "we");

	if (!to)
		SKIP("no /dev/full here");
	check_failure(to, -ENOSPC, "No space left on device; free some space");
}

TEST(full_disk_unbuffered)
{
	_fclose_ FILE *to = fopen("/dev/full", "we");

	if (!to)
		SKIP("no /dev/full here");
	setvbuf(to, NULL, _IONBF, 0);
	check_failure(to, -ENOSPC, "No space left on device; free some space");
}

TEST(reader_went_away)
{
	_fclose_ FILE *to = NULL;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	close(fds[0]);
	to = fdopen(fds[1], "w");
	check_failure(to, -EPIPE, "Broken pipe; the reader");
}

TEST(stream_not_writable)
{
	_fclose_ FILE *to = fopen("/dev/null", "re");

	check_failure(to, -EBADF, "incomplete");
}
