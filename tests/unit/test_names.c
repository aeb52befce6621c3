/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format/names: distinct objects get distinct names, also when read from one or several files, and
 * names are no longer than needed.
 */
#include "../rig.h"

#include "base/buf.h"
#include "format/krait/recording.h"
#include "format/krait/restore.h"
#include "format/krait/store.h"
#include "format/names.h"

#define PY FRAME_PYTHON, false

static const struct frame files[] = {
	{ "get", "/srv/shop/orders/api/views.py", 3, PY, 3, 0, NULL },
	{ "get", "/srv/shop/users/api/views.py", 3, PY, 3, 0, NULL },
	{ "get", "/opt/old/users/api/views.py", 3, PY, 3, 0, NULL },
	{ "get", "/usr/lib/python3.11/json/decoder.py", 3, PY, 3, 0, NULL },
	{ "get", "/srv/json/decoder.py", 3, PY, 3, 0, NULL },
	{ "get", "/views.py", 3, PY, 3, 0, NULL },
	{ "get", "views.py", 3, PY, 3, 0, NULL },
	{ "get", "/srv/one/alone.py", 3, PY, 3, 0, NULL },
};

TEST(paths_are_as_long_as_needed)
{
	_rig_ r;

	rig_init(&r, files);
	for (char c[] = "a"; c[0] <= 'h'; c[0]++)
		rig_add(&r, rig_thread(&r, 1, "w", 1, "w"), c, 0, 1);
	CHECK_STR(rig_put(&r, &format_folded), "get (/views.py:3) 1\n"
					       "get (old/users/api/views.py:3) 1\n"
					       "get (one/alone.py:3) 1\n"
					       "get (orders/api/views.py:3) 1\n"
					       "get (python3.11/json/decoder.py:3) 1\n"
					       "get (shop/users/api/views.py:3) 1\n"
					       "get (srv/json/decoder.py:3) 1\n"
					       "get (views.py:3) 1\n");
}

/* Paths that have more components in common than the search tries are shown in full. */
TEST(deep_paths)
{
	char a[1024] = "/a", b[1024] = "/b";
	const struct frame deep[] = { { "f", a, 1, PY, 1, 0, NULL },
				      { "f", b, 1, PY, 1, 0, NULL } };
	_cleanup_(buf_done) struct buf want = {};
	_rig_ r;

	for (int i = 0; i < 100; i++) {
		strcat(a, "/same");
		strcat(b, "/same");
	}
	rig_init(&r, deep);
	rig_add(&r, rig_thread(&r, 1, "w", 1, "w"), "a", 0, 1);
	rig_add(&r, rig_thread(&r, 1, "w", 1, "w"), "b", 0, 1);
	buf_printf(&want, "f (%s:1) 1\nf (%s:1) 1\n", a, b);
	CHECK_STR(rig_put(&r, &format_folded), want.data);
}

static const struct frame functions[] = {
	{ "run", "/srv/app.py", 10, PY, 9, 0, NULL },
	{ "run", "/srv/app.py", 20, PY, 19, 0, NULL },
	{ "run", "/srv/app.py", 21, PY, 19, 0, NULL },
	{ "only", "/srv/app.py", 30, PY, 29, 0, NULL },
	{ "run", "/srv/b.py", 10, PY, 9, 0, NULL },
	{ "<module>", "/srv/app.py", 3, PY, 1, 0, NULL },
	{ "<module>", "/srv/app.py", 3, PY, 3, 0, NULL },
};

static void count_functions(struct rig *r)
{
	rig_init(r, functions);
	for (char c[] = "a"; c[0] <= 'g'; c[0]++)
		rig_add(r, rig_thread(r, 1, "w", 1, "w"), c, 0, 1);
}

TEST(functions_of_one_name_and_file)
{
	_rig_ r;

	count_functions(&r);
	CHECK_STR(rig_put(&r, &format_folded), "<module> (srv/app.py:3) 2\n"
					       "only (srv/app.py:30) 1\n"
					       "run (srv/b.py:10) 1\n"
					       "run:19 (srv/app.py:20) 1\n"
					       "run:19 (srv/app.py:21) 1\n"
					       "run:9 (srv/app.py:10) 1\n");
	r.opts.lines = false;
	CHECK_STR(rig_put(&r, &format_folded), "<module> (srv/app.py) 2\n"
					       "only (srv/app.py) 1\n"
					       "run (srv/app.py:19) 2\n"
					       "run (srv/app.py:9) 1\n"
					       "run (srv/b.py) 1\n");
}

TEST(functions_by_name_alone)
{
	_rig_ r;
	const char *text;

	count_functions(&r);
	text = rig_put(&r, &format_speedscope);
	CHECK(strstr(text,
		     "{\"name\":\"run:9 (srv/app.py)\",\"file\":\"/srv/app.py\",\"line\":10}"));
	CHECK(strstr(text, "{\"name\":\"run (srv/b.py)\",\"file\":\"/srv/b.py\",\"line\":10}"));
	CHECK(strstr(text, "{\"name\":\"only\",") && strstr(text, "{\"name\":\"<module>\","));
	CHECK(strstr(rig_put(&r, &format_jsonl),
		     "{\"name\":\"run\",\"file\":\"/srv/app.py\",\"line\":10,\"first_line\":9}"));
}

TEST(functions_are_selected_by_line)
{
	CHECK(frame_is_named(&functions[0], "run") && frame_is_named(&functions[0], "run:9"));
	CHECK(!frame_is_named(&functions[0], "run:19") && !frame_is_named(&functions[0], "run:"));
	CHECK(frame_is_named(&(struct frame){ "A.run", "x.py", 4, PY, 3, 0, NULL }, "run:3"));
}

/* --- processes and threads -------------------------------------------------------------------- */

static const struct frame one[] = { { "f", "f.py", 1, PY, 1, 0, NULL } };

static void add_life(struct rig *r, uint32_t process, uint64_t start, const char *comm,
		     uint64_t weight)
{
	static uint64_t life;
	uint32_t thread = profile_add_life(r->profile, process, 7, ++life, comm);

	profile_set_thread_start(r->profile, thread, start);
	rig_add(r, thread, "a", 0, weight);
}

static uint32_t add_process(struct rig *r, uint64_t start)
{
	uint32_t process = profile_add_process(r->profile, 7, "web");

	profile_set_process_start(r->profile, process, start, 0);
	return process;
}

/* A reused pid; an exec; a reused tid; a thread that changes its name and changes it back. */
static void add_lives(struct rig *r)
{
	uint32_t process = add_process(r, 10);

	add_life(r, process, 10, "main", 1);
	add_life(r, process, 10, "job", 2);
	add_life(r, process, 10, "main", 4);
	add_life(r, process, 20, "main", 8);
	add_life(r, add_process(r, 10), 10, "main", 16);
	add_life(r, add_process(r, 30), 30, "main", 32);
}

static const char *by(struct rig *r, enum dim dim)
{
	r->opts.dims[0] = dim;
	r->opts.ndims = 1;
	return rig_put(r, &format_folded);
}

TEST(namesake_threads_and_processes)
{
	_rig_ r;

	rig_init(&r, one);
	add_lives(&r);
	CHECK_STR(by(&r, DIM_THREAD), "job-7;f (f.py:1) 2\nmain-7#2;f (f.py:1) 8\n"
				      "main-7#3;f (f.py:1) 32\nmain-7;f (f.py:1) 21\n");
	CHECK_STR(by(&r, DIM_PROCESS), "web-7#2;f (f.py:1) 32\nweb-7;f (f.py:1) 31\n");
	CHECK_STR(by(&r, DIM_COMM), "web;f (f.py:1) 63\n");
}

/* --- recordings ------------------------------------------------------------------------------- */

static void keep(struct recording *to, const char *host, uint64_t boot, bool lives)
{
	struct profile_meta meta = { .boot = boot };
	_cleanup_(store_freep) struct store *s = store_new();
	_cleanup_(buf_done) struct buf b = {};
	FILE *from;
	bool whole;
	_rig_ r;

	strcpy(meta.host, host);
	rig_init(&r, one);
	profile_set_meta(r.profile, &meta);
	if (lives)
		add_lives(&r);
	else
		rig_add(&r, rig_thread(&r, 7, "web", 7, "main"), "a", 0, 1);
	CHECK_EQ(store_append(s, r.profile, r.stacks, 0, &b), 0);
	CHECK_EQ(store_end(s, &b), 0);
	from = fmemopen(b.data, b.len, "r");
	CHECK_EQ(restore_add(to, from, "x", &whole, NULL), 0);
	fclose(from);
}

static void shows(struct recording *from, const char *want)
{
	const struct format_opts o = { .dims = { DIM_PROCESS, DIM_THREAD }, .ndims = 2 };
	_free_ char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	CHECK_EQ(format_folded.write(recording_profile(from), recording_stacks(from), &o, to, NULL),
		 0);
	fclose(to);
	CHECK_STR(text, want);
}

TEST(files_keep_identities)
{
	_cleanup_(recording_freep) struct recording *r = recording_new();

	keep(r, "a", 1, true);
	shows(r, "web-7#2;main-7#3;f (f.py) 32\nweb-7;job-7;f (f.py) 2\n"
		 "web-7;main-7#2;f (f.py) 8\nweb-7;main-7;f (f.py) 21\n");
	/* The same threads again, an hour later; then a recording of another host. */
	keep(r, "a", 1, true);
	shows(r, "web-7#2;main-7#3;f (f.py) 64\nweb-7;job-7;f (f.py) 4\n"
		 "web-7;main-7#2;f (f.py) 16\nweb-7;main-7;f (f.py) 42\n");
	keep(r, "b", 2, false);
	shows(r, "web-7#2;main-7#3;f (f.py) 64\nweb-7#3;main-7#4;f (f.py) 1\n"
		 "web-7;job-7;f (f.py) 4\nweb-7;main-7#2;f (f.py) 16\n"
		 "web-7;main-7;f (f.py) 42\n");
}

/* Older files have no start times: equal names merge on one host, but not across hosts. */
TEST(older_files)
{
	_cleanup_(recording_freep) struct recording *r = recording_new();

	keep(r, "a", 0, false);
	keep(r, "a", 0, false);
	shows(r, "web-7;main-7;f (f.py) 2\n");
	keep(r, "b", 0, false);
	shows(r, "web-7#2;main-7#2;f (f.py) 1\nweb-7;main-7;f (f.py) 2\n");
}
