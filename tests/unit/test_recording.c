/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format/krait: a recording is read back as it was written, at once or appended, alone or merged
 * with others. A truncated file is read up to its last complete block; foreign and corrupted files
 * are refused.
 */
#include "format/krait/block.h"
#include "format/krait/recording.h"
#include "format/krait/restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#include "base/cleanup.h"
#include "format/format.h"
#include "format/krait/store.h"
#include "model/where.h"

struct rig {
	struct profile *profile;
	struct stacks *stacks;
	uint32_t web, job, sleeping;
};

static const char *late_name; /* name of frame 4; NULL: not known yet */

static void resolve(void *ctx, uint32_t id, struct frame *ret)
{
	static const struct module libc = { "/usr/lib/libc.so.6", "0a1b", 0x1000, 0x2000, 0x800 };
	static const struct frame frames[] = {
		{ .name = "<module>", .file = "/srv/app.py", .line = 3 },
		{ .name = "App.work", .file = "/srv/app.py", .line = 7 },
		{ .name = "poll",
		  .file = "/usr/lib/libc.so.6",
		  .kind = FRAME_NATIVE,
		  .address = 0x1100,
		  .module = &libc },
		{ .name = "jit", .file = NULL, .line = 1, .approximate = true },
	};

	*ret = id < 4 ? frames[id] : (struct frame){ .name = "[unresolved]", .kind = FRAME_MARK };
	if (id == 4 && late_name)
		*ret = (struct frame){ .name = late_name, .file = "/srv/late.py", .line = 2 };
}

static void rig_init(struct rig *r)
{
	const struct profile_meta meta = { .host = "here",
					   .mode = "cpu",
					   .event = "cpu-clock",
					   .unit = "samples",
					   .asked_hz = 99,
					   .achieved_hz = 98.5,
					   .started = { 1000, 5 },
					   .seconds = 2,
					   .krait = "1" };

	*r = (struct rig){ .profile = profile_new(), .stacks = stacks_new() };
	profile_set_resolver(r->profile, resolve, NULL);
	profile_set_meta(r->profile, &meta);
	r->web =
		profile_add_thread(r->profile, profile_add_process(r->profile, 41, "web"), 41, "w");
	r->job =
		profile_add_thread(r->profile, profile_add_process(r->profile, 42, "job"), 43, "j");
	profile_set_process_version(r->profile, 1, 0x030d, "t");
	profile_set_process_container(
		r->profile, 1,
		profile_add_container(r->profile, &(struct container){ .id = "0123456789abcdef" }));
	r->sleeping = profile_add_state(r->profile,
					&(struct state){ .kind = STATE_SLEEPING, .call = "read" });
	profile_set_loss(r->profile, "ring_full", "ring buffer full", 6);
}

static void rig_done(struct rig *r)
{
	profile_free(r->profile);
	stacks_free(r->stacks);
}

#define _rig_ _cleanup_(rig_done) struct rig
#define _buf_ _cleanup_(buf_done) struct buf

static uint32_t node(struct rig *r, const char *path)
{
	uint32_t n = STACKS_ROOT;

	for (; *path; path++)
		n = stacks_push(r->stacks, n, *path - 'a');
	return n;
}

static void count(struct rig *r, uint32_t thread, const char *path, uint32_t state, uint64_t weight)
{
	CHECK_EQ(profile_count(r->profile, thread, node(r, path), state, weight), 0);
}

static void first_second(struct rig *r)
{
	count(r, r->web, "ab", 0, 3);
	count(r, r->web, "ac", r->sleeping, 5);
	count(r, r->job, "", 0, 1);
}

static void later(struct rig *r)
{
	profile_set_time(r->profile, 5000000000);
	count(r, r->web, "ab", 0, 10);
	count(r, r->job, "add", 0, 20);
	profile_set_process_comm(r->profile, 0, "renamed");
	profile_set_container(r->profile, 1,
			      &(struct container){ .id = "0123456789abcdef",
						   .name = "db",
						   .ns = "shop",
						   .pod = "db-1",
						   .unit = "db.service",
						   .labels = "app=db\ntier=back=end\n" });
}

static char *folded(const struct profile *p, const struct stacks *s)
{
	const struct format_opts o = { .dims = { DIM_PROCESS, DIM_THREAD, DIM_STATE },
				       .ndims = 3,
				       .lines = true };
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	CHECK_EQ(format_folded.write(p, s, &o, to, NULL), 0);
	fclose(to);
	return text;
}

static int add(struct recording *r, const struct buf *b, size_t len, bool *whole, struct err *err)
{
	_fclose_ FILE *from = fmemopen(b->data, len, "r");

	return restore_add(r, from, "x.krait", whole, err);
}

static void check_same(const struct rig *r, struct recording *read)
{
	_free_ char *want = folded(r->profile, r->stacks);
	_free_ char *got = folded(recording_profile(read), recording_stacks(read));

	CHECK_STR(got, want);
}

static void write_whole(const struct rig *r, struct buf *b)
{
	_free_ char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	CHECK_EQ(format_krait.write(r->profile, r->stacks, NULL, to, NULL), 0);
	fclose(to);
	buf_add(b, text, len);
}

static uint64_t weight_where(const struct rig *r, const char *a, const char *b)
{
	_cleanup_(where_freep) struct where *w = where_new();
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct profile_row row;
	struct err err = {};
	uint64_t sum = 0;

	CHECK_EQ(where_add(w, a, &err), 0);
	if (b)
		CHECK_EQ(where_add(w, b, &err), 0);
	CHECK_STR(err.text, "");
	p = where_apply(w, r->profile, r->stacks);
	for (size_t pos = 0; profile_each(p, &pos, &row);)
		sum += row.weight;
	return sum;
}

static void check_details(struct profile *p)
{
	const struct profile_meta *m = profile_meta(p);
	const struct profile_loss *losses;
	size_t n;

	CHECK_STR(m->host, "here");
	CHECK(m->asked_hz == 99 && m->achieved_hz == 98.5 && m->seconds == 2);
	CHECK(m->started.tv_sec == 1000 && m->started.tv_nsec == 5);
	CHECK_EQ(profile_process(p, 1)->version, 0x030d);
	CHECK_STR(profile_process(p, 1)->flavour, "t");
	CHECK_STR(profile_process(p, 0)->comm, "renamed");
	CHECK_EQ(profile_process(p, 0)->container, 0);
	CHECK_STR(profile_container(p, profile_process(p, 1)->container)->name, "db");
	CHECK_STR(profile_container(p, profile_process(p, 1)->container)->pod, "db-1");
	CHECK_STR(profile_container(p, profile_process(p, 1)->container)->labels,
		  "app=db\ntier=back=end\n");
	CHECK_STR(profile_state(p, 1)->call, "read");
	losses = profile_losses(p, &n);
	CHECK(n == 1 && losses[0].count == 6 && !strcmp(losses[0].text, "ring buffer full"));
}

TEST(written_at_once)
{
	_rig_ r;
	_buf_ b = {};
	_cleanup_(recording_freep) struct recording *read = recording_new();
	struct err err = {};
	bool whole;

	rig_init(&r);
	first_second(&r);
	later(&r);
	write_whole(&r, &b);
	CHECK_EQ(add(read, &b, b.len, &whole, &err), 0);
	CHECK_STR(err.text, "");
	CHECK(whole);
	check_same(&r, read);
	check_details(recording_profile(read));
	CHECK_EQ(profile_bins(recording_profile(read)), 6);
}

/* What was written without the field, or by a later version with more kinds, is unknown. */
TEST(kinds_of_leaves)
{
	static const struct state states[] = {
		{ .leaf = LEAF_PYTHON },
		{ .leaf = LEAF_KERNEL, .call = "read" },
		{ .leaf = LEAF_KERNEL },
		{ .leaf = LEAF_GC, .holds_gil = true, .task = "fetch-7" },
		{ .leaf = (enum leaf_kind)LEAF_KINDS },
		{ .leaf = LEAF_NATIVE, .module = "libz.so.1" },
		{ .leaf = LEAF_NATIVE, .module = "libm.so.6" },
		{ .leaf = LEAF_NATIVE },
	};
	_rig_ r;
	_buf_ b = {};
	_cleanup_(recording_freep) struct recording *read = recording_new();
	struct profile *p = recording_profile(read);
	struct err err = {};
	bool whole;

	rig_init(&r);
	CHECK(!profile_tells_leaves(r.profile));
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		count(&r, r.web, "ab", profile_add_state(r.profile, &states[i]), i + 1);
	CHECK(profile_tells_leaves(r.profile));
	CHECK_EQ(weight_where(&r, "kind=kernel", NULL), 5);
	CHECK_EQ(weight_where(&r, "kind=kernel: read", NULL), 2);
	CHECK_EQ(weight_where(&r, "kind=gc", "kind=python"), 5);
	CHECK_EQ(weight_where(&r, "kind=native", NULL), 6 + 7 + 8);
	CHECK_EQ(weight_where(&r, "kind=native: libz*", NULL), 6);
	CHECK_EQ(weight_where(&r, "task=fetch-*", NULL), 4);
	write_whole(&r, &b);
	CHECK_EQ(add(read, &b, b.len, &whole, &err), 0);
	CHECK_EQ(profile_state(p, 0)->leaf, LEAF_UNKNOWN);
	CHECK_EQ(profile_state(p, 1)->leaf, LEAF_UNKNOWN); /* it sleeps */
	CHECK_EQ(profile_state(p, 2)->leaf, LEAF_PYTHON);
	CHECK_EQ(profile_state(p, 3)->leaf, LEAF_KERNEL);
	CHECK_STR(profile_state(p, 3)->call, "read");
	CHECK(!profile_state(p, 4)->call);
	CHECK(profile_state(p, 5)->leaf == LEAF_GC && profile_state(p, 5)->holds_gil);
	CHECK_STR(profile_state(p, 6)->module, "libz.so.1");
	CHECK_STR(profile_state(p, 7)->module, "libm.so.6");
	CHECK(!profile_state(p, 8)->module);
	CHECK_STR(profile_state(p, 5)->task, "fetch-7");
	CHECK(!profile_state(p, 4)->task);
	CHECK_EQ(profile_states(p), 9); /* the last one is like the first */
	CHECK_STR(leaf_name(LEAF_KINDS), "unknown");
}

/* Two flushes and an end; *@first is the length after the first flush. */
static void write_grown(struct rig *r, struct buf *b, size_t *first)
{
	_cleanup_(store_freep) struct store *s = store_new();

	first_second(r);
	CHECK_EQ(store_append(s, r->profile, r->stacks, 0, b), 0);
	*first = b->len;
	later(r);
	CHECK_EQ(store_append(s, r->profile, r->stacks, 5000, b), 0);
	CHECK_EQ(store_end(s, b), 0);
}

TEST(appended)
{
	_rig_ r;
	_buf_ b = {};
	_cleanup_(recording_freep) struct recording *read = recording_new();
	struct err err = {};
	size_t first;
	bool whole;

	rig_init(&r);
	write_grown(&r, &b, &first);
	CHECK_EQ(add(read, &b, b.len, &whole, &err), 0);
	CHECK(whole);
	check_same(&r, read);
	check_details(recording_profile(read));
}

TEST(cut_anywhere)
{
	_rig_ r;
	_buf_ b = {};
	size_t first;
	struct profile_row row;

	rig_init(&r);
	write_grown(&r, &b, &first);
	for (size_t len = 1; len < b.len; len++) {
		_cleanup_(recording_freep) struct recording *read = recording_new();
		struct err err = {};
		uint64_t sum = 0;
		bool whole = true;
		int code = add(read, &b, len, &whole, &err);

		CHECK_EQ(!code, len >= first);
		CHECK(code ? err.text[0] : !whole);
		for (size_t pos = 0; !code && profile_each(recording_profile(read), &pos, &row);)
			sum += row.weight;
		CHECK(code || sum == 9 || (sum == 39 && len > first));
	}
}

TEST(corrupted_anywhere)
{
	_rig_ r;
	_buf_ b = {};
	size_t first;

	rig_init(&r);
	write_grown(&r, &b, &first);
	for (size_t i = 0; i < first; i++) {
		_cleanup_(recording_freep) struct recording *read = recording_new();
		struct err err = {};
		bool whole;

		if (i >= 12 && i < BLOCK_FILE_HEAD)
			continue; /* unused bytes */
		b.data[i] ^= 0x55;
		if (!CHECK(add(read, &b, b.len, &whole, &err) < 0 && err.text[0]))
			printf("#   byte %zu\n", i);
		b.data[i] ^= 0x55;
	}
}

TEST(foreign)
{
	_rig_ r;
	_buf_ b = {}, text = {};
	_cleanup_(recording_freep) struct recording *read = recording_new();
	struct err err = {};
	bool whole;

	rig_init(&r);
	write_whole(&r, &b);
	buf_str(&text, "web;main 5\nanother line of text\n");
	CHECK_EQ(add(read, &text, text.len, &whole, &err), -EINVAL);
	CHECK(strstr(err.text, "'x.krait': not a krait recording"));
	b.data[8] = 2;
	CHECK_EQ(add(read, &b, b.len, &whole, &err), -EOPNOTSUPP);
	CHECK(strstr(err.text, "version 2"));
	CHECK_EQ(add(read, &b, BLOCK_FILE_HEAD, &whole, &err), -EOPNOTSUPP);
	b.data[8] = 1;
	CHECK_EQ(add(read, &b, BLOCK_FILE_HEAD, &whole, &err), -ENODATA);
}

TEST(late_names_arrive)
{
	_rig_ r;
	_buf_ b = {};
	_cleanup_(recording_freep) struct recording *read = recording_new();
	_cleanup_(store_freep) struct store *s = store_new();
	bool whole;

	rig_init(&r);
	late_name = NULL;
	count(&r, r.web, "ae", 0, 1);
	CHECK_EQ(store_append(s, r.profile, r.stacks, 0, &b), 0);
	late_name = "late";
	CHECK_EQ(store_append(s, r.profile, r.stacks, 0, &b), 0);
	CHECK_EQ(add(read, &b, b.len, &whole, NULL), 0);
	check_same(&r, read);
	late_name = NULL;
}

TEST(merged)
{
	_rig_ r;
	_buf_ b = {};
	_cleanup_(recording_freep) struct recording *read = recording_new();
	struct profile_meta meta;
	struct err err = {};
	struct profile *p = recording_profile(read);
	struct profile_row row;
	uint64_t sum = 0;
	size_t n;
	bool whole;

	rig_init(&r);
	first_second(&r);
	write_whole(&r, &b);
	CHECK_EQ(add(read, &b, b.len, &whole, &err), 0);
	buf_clear(&b);
	meta = *profile_meta(r.profile);
	meta.started.tv_sec += 60;
	strcpy(meta.host, "there");
	profile_set_meta(r.profile, &meta);
	write_whole(&r, &b);
	CHECK_EQ(add(read, &b, b.len, &whole, &err), 0);
	for (size_t pos = 0; profile_each(p, &pos, &row);)
		sum += row.weight;
	CHECK_EQ(sum, 18);
	CHECK_EQ(profile_processes(p), 4);
	CHECK_EQ(profile_bins(p), 61);
	CHECK_EQ(stacks_count(recording_stacks(read)), 4);
	CHECK_EQ(profile_losses(p, &n)[0].count, 12);
	CHECK_STR(profile_meta(p)->host, "here+there");
	CHECK(profile_meta(p)->seconds == 4);
	meta.asked_hz = 19;
	profile_set_meta(r.profile, &meta);
	buf_clear(&b);
	write_whole(&r, &b);
	CHECK_EQ(add(read, &b, b.len, &whole, &err), -EINVAL);
	CHECK(strstr(err.text, "its rate is '19', that of the others '99'"));
}

/* --- --where ---------------------------------------------------------------------------------- */

TEST(where)
{
	_rig_ r;

	rig_init(&r);
	first_second(&r);
	later(&r);
	CHECK_EQ(weight_where(&r, "process=job", NULL), 21);
	CHECK_EQ(weight_where(&r, "process=42", NULL), 21);
	CHECK_EQ(weight_where(&r, "process=r*ed", NULL), 18);
	CHECK_EQ(weight_where(&r, "process=job", "process=renamed"), 39);
	CHECK_EQ(weight_where(&r, "process=renamed", "state=sleeping"), 5);
	CHECK_EQ(weight_where(&r, "thread=43", NULL), 21);
	CHECK_EQ(weight_where(&r, "thread=j", NULL), 21);
	CHECK_EQ(weight_where(&r, "container=db", NULL), 21);
	CHECK_EQ(weight_where(&r, "container=0123456789ab", NULL), 21);
	CHECK_EQ(weight_where(&r, "container=0", NULL), 0);
	CHECK_EQ(weight_where(&r, "pod=shop/*", NULL), 21);
	CHECK_EQ(weight_where(&r, "unit=db.service", NULL), 21);
	CHECK_EQ(weight_where(&r, "version=3.13t", NULL), 21);
	CHECK_EQ(weight_where(&r, "label:app=d?", NULL), 21);
	CHECK_EQ(weight_where(&r, "label:app=web", NULL), 0);
	CHECK_EQ(weight_where(&r, "label:app=web", "label:app=db"), 21);
	CHECK_EQ(weight_where(&r, "label:app=web", "label:tier=back=end"), 0);
	CHECK_EQ(weight_where(&r, "label:app=db", "label:tier=back=end"), 21);
	CHECK_EQ(weight_where(&r, "label:ap=db", NULL), 0);
	CHECK_EQ(weight_where(&r, "function=work", NULL), 13);
	CHECK_EQ(weight_where(&r, "function=App.work", NULL), 13);
	CHECK_EQ(weight_where(&r, "function=App", NULL), 0);
	CHECK_EQ(weight_where(&r, "file=app.py", NULL), 38);
	CHECK_EQ(weight_where(&r, "file=/srv/*", NULL), 38);
	CHECK_EQ(weight_where(&r, "file=pp.py", NULL), 0);
	CHECK_EQ(weight_where(&r, "time=..1s", NULL), 9);
	CHECK_EQ(weight_where(&r, "time=5s..", "function=work"), 10);
	CHECK_EQ(weight_where(&r, "time=1s..5s", NULL), 0);
}

TEST(names_of_threads)
{
	_cleanup_(where_freep) struct where *w = where_new(), *number = where_new();
	_cleanup_(profile_freep) struct profile *p = NULL, *none = NULL;
	struct profile_row row;
	struct err err = {};
	uint64_t sum = 0;
	size_t pos = 0;
	_rig_ r;

	rig_init(&r);
	first_second(&r);
	later(&r);
	CHECK_EQ(where_add_name(w, "nobody", &err), 0);
	CHECK_EQ(where_add_name(w, "?", &err), 0);
	p = where_apply(w, r.profile, r.stacks);
	while (profile_each(p, &pos, &row))
		sum += row.weight;
	CHECK_EQ(sum, weight_where(&r, "thread=?", NULL));
	CHECK(sum > 0);
	CHECK_EQ(where_add_name(number, "43", &err), 0); /* an ID is no name */
	none = where_apply(number, r.profile, r.stacks);
	pos = 0;
	CHECK(!profile_each(none, &pos, &row));
}

TEST(invalid_conditions)
{
	static const char *const wrong[] = { "",         "process",   "process=",  "colour=red",
					     "time=5s",  "label=x",   "label:=x",  "label:x",
					     "label:x=", "time=5..2", "time=a..b", "time=-1..2" };
	_cleanup_(where_freep) struct where *w = where_new();

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = {};

		CHECK_EQ(where_add(w, wrong[i], &err), -EINVAL);
		CHECK(err.text[0]);
	}
}
