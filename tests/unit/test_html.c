/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTML page as bytes: its JSON block, hostile names inside and outside of it, sums. Its scripts
 * are tested in a browser (tests/e2e/t_html.py).
 */
#include "format/format.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "tap.h"

#include "base/cleanup.h"
#include "base/utf8.h"
#include "format/html/graph.h"
#include "format/html/top.h"
#include "format/path.h"

static const char *rig_write(struct rig *r)
{
	return rig_put(r, &format_html);
}

/* The text between @from and @to, which must both be there. The caller frees it. */
static char *between(const char *text, const char *from, const char *to)
{
	const char *start = strstr(text, from), *end;

	CHECK(start != NULL);
	if (!start)
		return strdup("");
	start += strlen(from);
	end = strstr(start, to);
	CHECK(end != NULL);
	return end ? strndup(start, end - start) : strdup("");
}

static char *data_of(const char *page)
{
	return between(page, "<script type=\"application/json\" id=\"profile\">\n", "\n</script>");
}

/* @part: a column or value of the data, from its key to the end of the array. */
static void data_has(const char *data, const char *part)
{
	if (!CHECK(strstr(data, part) != NULL))
		printf("# not there: %s\n# in: %.2000s\n", part, data);
}

static size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

static bool is_utf8(const char *s)
{
	size_t len = strlen(s), n;
	uint32_t c;

	for (; len; s += n, len -= n) {
		n = utf8_next(s, len, &c);
		if (!n)
			return false;
	}
	return true;
}

/* --- the data --------------------------------------------------------------------------------- */

static const struct frame plain[] = {
	{ "<module>", "/srv/app/main.py", 3, FRAME_PYTHON, false, 0, 0, NULL },
	{ "pay", "/srv/app/shop/pay.py", 120, FRAME_PYTHON, false, 0, 0, NULL },
	{ "loads", "/usr/lib/python3.11/json/__init__.py", 346, FRAME_PYTHON, true, 0, 0, NULL },
	{ "[unreadable]", "a mark has no place", 7, FRAME_MARK, false, 0, 0, NULL },
	{ "get", "/v/lib/python3.11/site-packages/web/get.py", 9, FRAME_PYTHON, false, 0, 0, NULL },
	{ "pay", "/srv/app/shop/pay.py", 121, FRAME_PYTHON, false, 0, 0, NULL },
	{ "pay", "/srv/app/shop/pay.py", 120, FRAME_PYTHON, false, 0, 0, NULL },
	{ "run", "<frozen runpy>", 1, FRAME_PYTHON, false, 0, 0, NULL },
};

static void fill_plain(struct rig *r)
{
	uint32_t web;

	rig_init(r, plain);
	web = rig_thread(r, 41, "web", 44, "worker");
	rig_add(r, web, "ab", 0, 2);
	rig_add(r, web, "ac", 0, 3);
	rig_add(r, web, "ad", 0, 1);
	rig_add(r, web, "hae", 0, 5);
}

TEST(tables)
{
	_free_ char *data = NULL;
	_rig_ r;

	fill_plain(&r);
	data = data_of(rig_write(&r));
	data_has(data, "{\"version\":1,\"meta\":{");
	data_has(data, "\"files\":{\"path\":[\"/srv/app/main.py\",\"/srv/app/shop/pay.py\",");
	data_has(data, "\"short\":[\"app/main.py\",\"shop/pay.py\",\"json/__init__.py\"");
	data_has(data, "\"funcs\":{\"name\":[\"\\u003cmodule>\",\"pay\",\"loads\",\"[unreadable]\","
		       "\"run\",\"get\"],\"file\":[1,2,3,0,4,5],\"kind\":[0,0,1,3,1,2]}");
	data_has(data, "\"frames\":{\"func\":[0,1,2,3,4,5],\"place\":[6,240,693,0,2,18]}");
	data_has(data, "\"nodes\":{\"up\":[0,1,1,2,3,5,1,1],\"frame\":[0,0,1,2,3,4,0,5]}");
	data_has(data, "\"rows\":{\"node\":[2,3,4,7],\"group\":[0,0,0,0],\"weight\":[2,3,1,5]}");
}

TEST(without_lines)
{
	_free_ char *data = NULL;
	_rig_ r;

	fill_plain(&r);
	r.opts.lines = false;
	data = data_of(rig_write(&r));
	data_has(data, "\"place\":[0,0,0,0,0,0]");
	data_has(data, "\"lines\":false");
}

/* Frames with equal texts merge; another line of a function is a separate frame. */
TEST(equal_frames_are_one)
{
	_free_ char *data = NULL;
	uint32_t t;
	_rig_ r;

	rig_init(&r, plain);
	t = rig_thread(&r, 1, "a", 1, "a");
	rig_add(&r, t, "b", 0, 1);
	rig_add(&r, t, "g", 0, 2);
	rig_add(&r, t, "f", 0, 4);
	data = data_of(rig_write(&r));
	data_has(data, "\"frames\":{\"func\":[0,0],\"place\":[240,242]}");
	data_has(data, "\"rows\":{\"node\":[1,1,2],\"group\":[0,0,0],\"weight\":[1,2,4]}");
}

TEST(dimensions)
{
	const struct state sleeping = { .kind = STATE_SLEEPING, .call = "read" };
	_free_ char *data = NULL;
	uint32_t a, b, state;
	_rig_ r;

	rig_init(&r, plain);
	a = rig_thread(&r, 41, "web", 41, "main");
	b = rig_thread(&r, 42, "web", 43, "w");
	state = profile_add_state(r.profile, &sleeping);
	rig_add(&r, a, "a", 0, 1);
	rig_add(&r, b, "a", state, 2);
	rig_add(&r, a, "b", 0, 4);
	r.opts.dims[r.opts.ndims++] = DIM_COMM;
	r.opts.dims[r.opts.ndims++] = DIM_THREAD;
	data = data_of(rig_write(&r));
	data_has(data,
		 "{\"name\":\"program\",\"title\":\"Programs\",\"values\":[\"web\"],\"of\":[0,0]}");
	data_has(data, "\"values\":[\"web-41\",\"web-42\"],\"of\":[0,1]}");
	data_has(data, "\"values\":[\"main-41\",\"w-43\"],\"of\":[0,1]}");
	data_has(data, "\"values\":[\"running\",\"sleeping\"],\"of\":[0,1]}");
	data_has(data, "\"by\":[\"program\",\"thread\"]");
	data_has(data, "\"group\":[0,1,0],\"weight\":[1,2,4]");
	CHECK(!strstr(data, "[sleep: read]"));
	CHECK_EQ(count_of(data, "\"title\":\""), DIM_MAX);
}

TEST(states_are_leaves_if_requested)
{
	const struct state sleeping = { .kind = STATE_SLEEPING, .call = "read" };
	_free_ char *data = NULL;
	uint32_t t;
	_rig_ r;

	rig_init(&r, plain);
	t = rig_thread(&r, 41, "web", 41, "web");
	rig_add(&r, t, "a", profile_add_state(r.profile, &sleeping), 2);
	rig_add(&r, t, "a", 0, 3);
	r.opts.states = true;
	data = data_of(rig_write(&r));
	data_has(data,
		 "\"name\":[\"\\u003cmodule>\",\"[sleep: read]\"],\"file\":[1,0],\"kind\":[0,4]");
	data_has(data, "\"rows\":{\"node\":[2,1],\"group\":[0,1],\"weight\":[2,3]}");
}

TEST(meta_and_losses)
{
	const struct profile_meta meta = { .host = "<h>",
					   .mode = "cpu",
					   .event = "cpu-clock",
					   .unit = "samples",
					   .asked_hz = 99,
					   .achieved_hz = 98.76,
					   .started.tv_sec = 1700000000,
					   .seconds = 10.04,
					   .krait = "1.2.3" };
	_free_ char *data = NULL;
	_rig_ r;

	rig_init(&r, plain);
	profile_set_meta(r.profile, &meta);
	CHECK_EQ(profile_set_loss(r.profile, "a", "for <b>", 7), 0);
	data = data_of(rig_write(&r));
	data_has(
		data,
		"\"hz\":\"99.0\",\"achieved\":\"98.8\",\"seconds\":\"10.0\",\"started\":1700000000,"
		"\"krait\":\"1.2.3\"");
	data_has(data, "\"losses\":[{\"name\":\"a\",\"text\":\"for \\u003cb>\",\"count\":7}]");
	CHECK(strstr(
		r.text,
		">0 samples in 10.0 s at 98.8 Hz, started 2023-11-14 22:13:20 UTC, on &lt;h&gt;<"));
	CHECK(strstr(r.text, "\t7 samples were lost or truncated"));
}

TEST(time_axis)
{
	_free_ char *data = NULL;
	uint32_t t;
	_rig_ r;

	rig_init(&r, plain);
	t = rig_thread(&r, 1, "a", 1, "a");
	rig_add(&r, t, "a", 0, 1);
	rig_add(&r, t, "b", 0, 2);
	profile_set_time(r.profile, 2 * profile_bin_ns(r.profile));
	rig_add(&r, t, "a", 0, 4);
	data = data_of(rig_write(&r));
	data_has(data, "\"count\":3},");
	data_has(data, "\"weight\":[5,2],\"bins\":[2,1],\"bin\":[2,0,0],\"binWeight\":[4,1,2]}");
}

TEST(nothing_recorded)
{
	_free_ char *data = NULL;
	_rig_ r;

	rig_init(&r, NULL);
	data = data_of(rig_write(&r));
	data_has(data, "\"files\":{\"path\":[],\"short\":[]}");
	data_has(data, "\"nodes\":{\"up\":[0],\"frame\":[0]}");
	data_has(data, "\"rows\":{\"node\":[],\"group\":[],\"weight\":[]}");
	CHECK(strstr(r.text, "<tbody>\n</tbody>"));
}

TEST(zero_counts_give_no_row)
{
	_free_ char *data = NULL;
	_rig_ r;

	rig_init(&r, plain);
	rig_add(&r, rig_thread(&r, 1, "a", 1, "a"), "a", 0, 0);
	rig_add(&r, rig_thread(&r, 2, "a", 2, "a"), "", 0, UINT64_C(12345678901));
	data = data_of(rig_write(&r));
	data_has(data, "\"rows\":{\"node\":[0],\"group\":[0],\"weight\":[12345678901]}");
}

/* --- hostile names ---------------------------------------------------------------------------- */

static const struct frame hostile[] = {
	{ "</script><script>alert(1)</script>", "/x</script>.py", 1, FRAME_PYTHON, false, 0, 0,
	  NULL },
	{ "<!--<script>", "/x/<img src=x onerror=alert(1)>.py", 1, FRAME_PYTHON, false, 0, 0,
	  NULL },
	{ "]]>\"'&amp;\\", "a\\\"b.py", 1, FRAME_PYTHON, false, 0, 0, NULL },
	{ "\xe2\x80\xa8line\xe2\x80\xa9\xe2\x80\xae", "\x1b]0;title\x07", 1, FRAME_PYTHON, false, 0,
	  0, NULL },
	{ "\xff\xfe\xed\xa0\x80", "\xc3", 1, FRAME_PYTHON, false, 0, 0, NULL },
	{ "\x1b[31mred\n@@script@@", "\x9b", 1, FRAME_PYTHON, false, 0, 0, NULL },
	{ "", "", 1, FRAME_PYTHON, false, 0, 0, NULL },
};

TEST(hostile_names)
{
	_free_ char *data = NULL, *top = NULL;
	uint32_t t;
	_rig_ r;

	rig_init(&r, hostile);
	t = rig_thread(&r, 1, "</script>", 1, "<b>&\"\n\xff");
	rig_add(&r, t, "abcdefg", 0, 1);
	rig_write(&r);
	/* Names must not open or close elements of the page. */
	CHECK_EQ(count_of(r.text, "</script"), 2);
	CHECK_EQ(count_of(r.text, "<script"), 2);
	CHECK_EQ(count_of(r.text, "<img"), 0);
	CHECK(is_utf8(r.text));
	data = data_of(r.text);
	CHECK_EQ(count_of(data, "<"), 0);
	CHECK_EQ(strcspn(data, "\x1b\x07\n\x7f"), strlen(data));
	data_has(data, "\"\\u003c/script>\\u003cscript>alert(1)\\u003c/script>\"");
	data_has(data, "\"]]>\\\"'&amp;\\\\\"");
	data_has(data, "\"\\\\u2028line\\\\u2029\\\\u202e\"");
	top = between(r.text, "<tbody>\n", "</tbody>");
	CHECK(strstr(top, "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt; "
			  "(x&lt;/script&gt;.py)"));
	CHECK(strstr(top, "]]&gt;&quot;&#39;&amp;amp;\\"));
}

TEST(long_names)
{
	_free_ char *name = malloc(10241), *data = NULL;
	struct frame frame = { name, name, 1, FRAME_PYTHON, false, 0, 0, NULL };
	_rig_ r;

	memset(name, '<', 10240);
	name[10240] = '\0';
	rig_init(&r, &frame);
	rig_add(&r, rig_thread(&r, 1, "a", 1, "a"), "a", 0, 1);
	data = data_of(rig_write(&r));
	CHECK_EQ(count_of(data, "\\u003c"), 3 * 10240);
	CHECK_EQ(count_of(data, "<"), 0);
}

TEST(origins)
{
	static const struct {
		const char *path;
		enum path_origin origin;
	} rows[] = {
		{ "/srv/app/main.py", PATH_OWN },
		{ "main.py", PATH_OWN },
		{ "", PATH_OWN },
		{ "<string>", PATH_OWN },
		{ "<frozen importlib._bootstrap>", PATH_STDLIB },
		{ "/usr/lib/python3.11/os.py", PATH_STDLIB },
		{ "/opt/lib/python3.13t/json/decoder.py", PATH_STDLIB },
		{ "/usr/lib/python311.zip/os.py", PATH_STDLIB },
		{ "/opt/python3.13/os.py", PATH_OWN },
		{ "/v/lib/python3.11/site-packages/django/a.py", PATH_SITE },
		{ "/usr/lib/python3/dist-packages/apt/a.py", PATH_SITE },
		{ "/v/site-packages/", PATH_OWN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_EQ(path_origin(rows[i].path), rows[i].origin);
}

/* --- the table without scripts ---------------------------------------------------------------- */

/* A function counts once per stack, even if it calls itself directly or indirectly. */
TEST(top_functions)
{
	_free_ char *top = NULL;
	uint32_t t;
	_rig_ r;

	rig_init(&r, plain);
	t = rig_thread(&r, 1, "a", 1, "a");
	rig_add(&r, t, "bb", 0, 40);
	rig_add(&r, t, "bcb", 0, 20);
	rig_add(&r, t, "ec", 0, 30);
	rig_add(&r, t, "", 0, 10);
	top = between(rig_write(&r), "<tbody>\n", "</tbody>");
	CHECK_STR(top, "<tr><td>60.00 %</td><td>60.00 %</td><td>60</td><td>60</td>"
		       "<td>pay (shop/pay.py)</td></tr>\n"
		       "<tr><td>30.00 %</td><td>50.00 %</td><td>30</td><td>50</td>"
		       "<td>loads (json/__init__.py)</td></tr>\n"
		       "<tr><td>0.00 %</td><td>30.00 %</td><td>0</td><td>30</td>"
		       "<td>get (web/get.py)</td></tr>\n");
}

/* --- the page --------------------------------------------------------------------------------- */

TEST(whole_page)
{
	_rig_ r;

	fill_plain(&r);
	rig_write(&r);
	CHECK(!strncmp(r.text, "<!doctype html>\n", 16));
	CHECK_STR(r.text + strlen(r.text) - 8, "</html>\n");
	CHECK_EQ(count_of(r.text, "@@"), 0);
	CHECK_EQ(count_of(r.text, "http://") + count_of(r.text, "https://"), 0);
	CHECK(format_find("html") == &format_html);
}

TEST(full_device)
{
	struct err err = {};
	_fclose_ FILE *to = fopen("/dev/full", "w");
	_rig_ r;

	fill_plain(&r);
	CHECK_EQ(format_html.write(r.profile, r.stacks, &r.opts, to, &err), -ENOSPC);
	CHECK(strstr(err.text, "html: 'output': "));
}
