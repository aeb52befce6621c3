/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The formats other than folded stacks: their weights equal the recording's, a name of any bytes is
 * one line of valid text, and equal frames merge. Their readers are tested in
 * tests/e2e/t_formats.py.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "tap.h"

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/proto.h"
#include "base/utf8.h"
#include "format/ending.h"
#include "format/format.h"
#include "format/frames.h"
#include "format/groups.h"
#include "format/names.h"

#define EVIL "</script>;\n\x1b[31m\xff\xe2\x80\xae\"\\"

struct rig {
	struct profile *profile;
	struct stacks *stacks;
	struct format_opts opts;
	char *text;
	size_t len;
};

static char long_name[10241];

static void resolve(void *ctx, uint32_t id, struct frame *ret)
{
	static const struct frame frames[] = {
		{ .name = "<module>", .file = "/srv/app.py", .line = 3 },
		{ .name = "work", .file = "/srv/app.py", .line = 7 },
		{ .name = "work", .file = "/srv/app.py", .line = 7 },
		{ .name = EVIL, .file = EVIL, .line = 9, .approximate = true },
		{ .name = long_name, .file = "/srv/long.py" },
		{ .name = "[unreadable]", .kind = FRAME_MARK },
		{ .name = "deflate", .file = "/usr/lib/libz.so.1", .kind = FRAME_NATIVE },
	};

	*ret = frames[id];
}

static void rig_init(struct rig *r)
{
	const struct profile_meta meta = { .host = "here",
					   .mode = "cpu",
					   .event = "cpu-clock",
					   .unit = "samples",
					   .asked_hz = 100,
					   .seconds = 2 };
	uint32_t a, b, web, job, sleeping;

	memset(long_name, 'x', sizeof(long_name) - 1);
	*r = (struct rig){ .profile = profile_new(), .stacks = stacks_new() };
	r->opts = (struct format_opts){ .dims = { DIM_PROCESS }, .ndims = 1, .lines = true };
	profile_set_resolver(r->profile, resolve, NULL);
	profile_set_meta(r->profile, &meta);
	web = profile_add_process(r->profile, 41, "web" EVIL);
	job = profile_add_process(r->profile, 42, "job");
	a = profile_add_thread(r->profile, web, 41, "web");
	b = profile_add_thread(r->profile, job, 43, "job");
	sleeping = profile_add_state(r->profile, &(struct state){ .kind = STATE_SLEEPING,
								  .call = "epoll_wait" });
	uint32_t main = stacks_push(r->stacks, STACKS_ROOT, 0);

	profile_count(r->profile, a, stacks_push(r->stacks, main, 1), 0, 3);
	profile_count(r->profile, a, stacks_push(r->stacks, main, 2), 0, 4);
	profile_count(r->profile, b, stacks_push(r->stacks, main, 3), 0, 20);
	profile_count(r->profile, b, stacks_push(r->stacks, main, 4), sleeping, 5);
	profile_count(r->profile, a, stacks_push(r->stacks, STACKS_ROOT, 5), 0, 1);
	profile_count(r->profile, a, STACKS_ROOT, 0, 2);
	profile_set_loss(r->profile, "ring_full", "ring buffer full", 6);
}

static void rig_done(struct rig *r)
{
	profile_free(r->profile);
	stacks_free(r->stacks);
	free(r->text);
}

#define _rig_ _cleanup_(rig_done) struct rig

static void rig_write(struct rig *r, const struct format_ops *ops)
{
	struct err err = {};
	FILE *to;

	free(r->text);
	r->text = NULL;
	to = open_memstream(&r->text, &r->len);
	CHECK_EQ(ops->write(r->profile, r->stacks, &r->opts, to, &err), 0);
	fclose(to);
}

static bool is_clean(const char *s, size_t len)
{
	uint32_t c;

	for (size_t n; len; s += n, len -= n) {
		n = utf8_next(s, len, &c);
		if (!n || (utf8_is_control(c) && c != '\n'))
			return false;
	}
	return true;
}

TEST(equal_frames_are_one)
{
	_rig_ r;
	struct profile_row row;
	const uint32_t *stack;
	size_t pos = 0, n;

	rig_init(&r);
	_cleanup_(frames_freep) struct frames *f = frames_new(r.profile, r.stacks, &r.opts);

	while (profile_each(r.profile, &pos, &row))
		CHECK(frames_of(f, &row, &n));
	CHECK_EQ(frames_count(f), 5);
	pos = 0;
	profile_each(r.profile, &pos, &row);
	stack = frames_of(f, &row, &n);
	CHECK_EQ(n, 2);
	CHECK_STR(frames_at(f, stack[0])->name, "<module>");
	CHECK_STR(frames_at(f, stack[1])->name, "work");
	CHECK_EQ(frames_at(f, stack[1])->line, 7);
}

TEST(groups_are_ordered_by_weight)
{
	_rig_ r;
	_cleanup_(groups_done) struct groups g = {};
	_cleanup_(names_freep) struct names *n = NULL;
	uint64_t sum = 0;

	rig_init(&r);
	n = names_new(r.profile, r.stacks);
	CHECK_EQ(groups_init(&g, r.profile, n, &r.opts), 0);
	CHECK_EQ(g.len, 2);
	CHECK_STR(g.at[0].name, "job-42");
	CHECK_EQ(g.at[0].weight, 25);
	CHECK_EQ(g.at[1].weight, 10);
	CHECK_EQ(g.at[1].to - g.at[1].from, 4);
	for (size_t i = g.at[1].from; i < g.at[1].to; i++)
		sum += g.rows[i].weight;
	CHECK_EQ(sum, 10);
	groups_done(&g);
	g = (struct groups){};
	r.opts.ndims = 0;
	CHECK_EQ(groups_init(&g, r.profile, n, &r.opts), 0);
	CHECK(g.len == 1 && g.at[0].weight == 35 && !strcmp(g.at[0].name, "all"));
}

TEST(jsonl_is_a_line_for_each_row)
{
	_rig_ r;
	size_t lines = 0;

	rig_init(&r);
	r.opts.states = true;
	rig_write(&r, &format_jsonl);
	for (size_t i = 0; i < r.len; i++)
		lines += r.text[i] == '\n';
	CHECK_EQ(lines, 1 + 1 + 6);
	CHECK(is_clean(r.text, r.len));
	CHECK(strstr(r.text, "\"schema\":1"));
	CHECK(strstr(r.text, "\"name\":\"ring_full\",\"text\":\"ring buffer full\",\"count\":6"));
	CHECK(strstr(r.text, "\"name\":\"[sleep: epoll_wait]\",\"mark\":true"));
	CHECK(strstr(r.text, "\"line\":9,\"approximate\":true"));
	CHECK(strstr(r.text, long_name));
	/* The name is complete in JSON, with escapes. */
	CHECK(strstr(r.text, "{\"name\":\"</script>;\\n\\u001b[31m\xef\xbf\xbd\\u202e\\\"\\\\\","));
}

TEST(speedscope_has_a_profile_for_each_group)
{
	_rig_ r;

	rig_init(&r);
	rig_write(&r, &format_speedscope);
	CHECK(is_clean(r.text, r.len));
	CHECK(strstr(r.text, "\"name\":\"job-42\",\"unit\":\"seconds\",\"startValue\":0,"
			     "\"endValue\":0.25"));
	CHECK(strstr(r.text, "\"weights\":[0.2,0.05]"));
	CHECK(strstr(r.text, "\"weights\":[0.03,0.04,0.01,0.02]"));
	CHECK(strstr(r.text, "at 100 Hz, 35 samples\""));
	CHECK(!strstr(r.text, "null"));
}

TEST(speedscope_has_kind_and_module_of_native_frames)
{
	uint32_t thread;
	_rig_ r;

	rig_init(&r);
	thread = profile_add_thread(r.profile, 0, 41, "w");
	CHECK_EQ(profile_count(r.profile, thread, stacks_push(r.stacks, STACKS_ROOT, 6), 0, 1), 0);
	rig_write(&r, &format_speedscope);
	CHECK(strstr(r.text,
		     "{\"name\":\"deflate\",\"file\":\"/usr/lib/libz.so.1\",\"kind\":\"native\","
		     "\"module\":\"/usr/lib/libz.so.1\"}"));
	CHECK(strstr(r.text, "{\"name\":\"[unreadable]\"}"));
}

TEST(speedscope_keeps_other_units)
{
	struct profile_meta meta;
	_rig_ r;

	rig_init(&r);
	meta = *profile_meta(r.profile);
	strcpy(meta.unit, "faults");
	profile_set_meta(r.profile, &meta);
	rig_write(&r, &format_speedscope);
	CHECK(strstr(r.text, "\"unit\":\"none\",\"startValue\":0,\"endValue\":25"));
	CHECK(strstr(r.text, "\"weights\":[20,5]"));
	CHECK(strstr(r.text, "35 faults\""));
}

/* --- pprof ------------------------------------------------------------------------------------ */

struct read {
	uint64_t samples, count, ns, functions, locations, strings, comments;
	bool first_is_empty, clean;
};

static void read_sample(struct read *ret, struct proto p)
{
	struct proto_field f;
	uint64_t v = 0;

	while (proto_next(&p, &f) == 1) {
		if (f.number != 2)
			continue;
		CHECK_EQ(proto_next_varint(&f.bytes, &v), 1);
		ret->count += v;
		CHECK_EQ(proto_next_varint(&f.bytes, &v), 1);
		ret->ns += v;
	}
	ret->samples++;
}

static void read_string(struct read *ret, struct proto p)
{
	size_t len = p.end - p.at;

	ret->first_is_empty |= !ret->strings && !len;
	ret->clean &= is_clean((const char *)p.at, len) || memchr(p.at, '\xae', len);
	ret->clean &= !memchr(p.at, '\n', len) && !memchr(p.at, '\x1b', len);
	ret->strings++;
}

TEST(pprof_adds_up)
{
	struct read read = { .clean = true };
	struct proto_field f;
	struct proto p;
	_rig_ r;
	int code;

	rig_init(&r);
	rig_write(&r, &format_pprof);
	p = (struct proto){ (unsigned char *)r.text, (unsigned char *)r.text + r.len };
	while ((code = proto_next(&p, &f)) == 1) {
		if (f.number == 2)
			read_sample(&read, f.bytes);
		else if (f.number == 6)
			read_string(&read, f.bytes);
		read.locations += f.number == 4;
		read.functions += f.number == 5;
		read.comments += f.number == 13;
	}
	CHECK_EQ(code, 0);
	CHECK_EQ(read.samples, 6);
	CHECK_EQ(read.count, 35);
	CHECK_EQ(read.ns, 350000000);
	CHECK_EQ(read.locations, 5);
	CHECK_EQ(read.functions, 5);
	CHECK_EQ(read.comments, 2);
	CHECK(read.first_is_empty && read.clean);
}

TEST(names_choose_formats)
{
	static const struct {
		const char *name;
		const struct format_ops *ops;
		bool gzip, unknown;
	} names[] = {
		{ "x.folded", &format_folded, false, false },
		{ "a/x.txt", &format_folded, false, false },
		{ "X.HTML.GZ", &format_html, true, false },
		{ "x.pb.gz", &format_pprof, true, false },
		{ "x.pprof", &format_pprof, true, false },
		{ "x.pb", &format_pprof, false, false },
		{ "x.speedscope.json", &format_speedscope, false, false },
		{ "x.json", &format_speedscope, false, false },
		{ "x.Speedscope.JSON.gz", &format_speedscope, true, false },
		{ "x.jsonl", &format_jsonl, false, false },
		{ "x.gz", NULL, true, false },
		{ "x.svg", NULL, false, true },
		{ "x.svg.gz", NULL, true, true },
		{ "x.html.bak", NULL, false, true },
		{ "a.d/x", NULL, false, false },
		{ "x-3.12", NULL, false, false },
		{ "x.", NULL, false, false },
		{ ".txt", NULL, false, false },
		{ "a/.json", NULL, false, false },
		{ "-", NULL, false, false },
		{ "", NULL, false, false },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct ending e = ending_of(names[i].name);

		if (e.ops != names[i].ops || e.unknown != names[i].unknown ||
		    ending_gzips(&e, e.ops ?: &format_folded) != names[i].gzip)
			CHECK_STR(names[i].name, "understood");
	}
}

TEST(requested_format_wins)
{
	const struct ending pb = ending_of("x.pb"), gz = ending_of("x.pb.gz");

	CHECK(!ending_gzips(&pb, &format_folded) && ending_gzips(&gz, &format_folded));
	CHECK(!ending_gzips(&pb, &format_pprof) && ending_gzips(&gz, &format_pprof));
}

/* More data than zlib and stdio buffer. */
TEST(gzip_round_trip)
{
	enum { SIZE = 1 << 20 };
	_free_ unsigned char *data = malloc(SIZE), *back = malloc(SIZE);
	_free_ char *packed = NULL;
	size_t len;
	FILE *to = open_memstream(&packed, &len), *through = gzip_open(to);
	z_stream z = { .next_out = back, .avail_out = SIZE };

	for (uint32_t i = 0, x = 1; i < SIZE; i++, x = x * 1103515245 + 12345)
		data[i] = x >> 24;
	CHECK_EQ(fwrite(data, 1, SIZE, through), SIZE);
	CHECK_EQ(fclose(through), 0);
	CHECK_EQ(fclose(to), 0);
	z.next_in = (unsigned char *)packed;
	z.avail_in = len;
	CHECK_EQ(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	CHECK_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	CHECK(!memcmp(data, back, SIZE));
}

TEST(gzip_reports_the_errno_of_the_stream)
{
	_fclose_ FILE *full = fopen("/dev/full", "w");
	FILE *through = gzip_open(full);

	setvbuf(full, NULL, _IONBF, 0);
	fputs("text", through);
	errno = 0;
	CHECK_EQ(fclose(through), EOF);
	CHECK_EQ(errno, ENOSPC);
}
