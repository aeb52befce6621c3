/* SPDX-License-Identifier: BSD-2-Clause */
/* py/value and py/locals: objects made up in this process's own memory, in the layout of 3.12, and records. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "py/locals.h"
#include "py/value.h"
#include "tap.h"

static const struct py_layout layout = {
	.version = 0x030c,
	.ob_type = 8,
	.us_length = 16,
	.us_state = 32,
	.us_kind = 2,
	.us_ascii_bit = 6,
	.us_ascii = 40,
	.us_compact = 56,
	.by_size = 16,
	.by_data = 32,
	.co_file = 112,
	.co_flags = 48,
	.fr_locals = 72,
};

/* A type: its name is at 24, tp_flags are at 168. */
struct type {
	uint64_t head[3];
	const char *name;
	uint64_t more[17], flags;
};

/* Names are as long as a reading of them. */
static char names[16][VALUE_TYPE];

static struct type make_type(const char *name, uint64_t bit)
{
	static int used;
	char *at = names[used++ % 16];

	memset(at, 0, VALUE_TYPE);
	strcpy(at, name);
	return (struct type){ .name = at, .flags = 1ULL << bit };
}

enum { IS_LONG = 24, IS_LIST, IS_TUPLE, IS_BYTES, IS_STR, IS_DICT, IS_EXCEPTION };

struct object {
	uint64_t refcnt;
	const struct type *type;
	uint64_t words[40];
};

static uint64_t at(const void *p)
{
	return (uintptr_t)p;
}

/* The text of an object, with @reads allowed. The caller frees it. */
static char *text_of(uint64_t object, uint32_t reads)
{
	struct value_reader r = { .pid = getpid(), .l = &layout, .left = reads };
	struct buf out = {};

	value_show(&r, object, &out);
	buf_char(&out, '\0');
	return out.data;
}

static void check(const void *object, const char *want)
{
	_free_ char *text = text_of(at(object), 1000);

	CHECK_STR(text, want);
}

TEST(ints)
{
	struct type t = make_type("int", IS_LONG), b = make_type("bool", IS_LONG);
	struct object o = { .type = &t };
	uint32_t digits[4] = { 7, 1 };

	memcpy(&o.words[1], digits, sizeof(digits));
	o.words[0] = 1 << 3;
	check(&o, "7");
	o.words[0] = 2 << 3 | 2;
	check(&o, "-1073741831");
	o.words[0] = 1;
	check(&o, "0");
	o.words[0] = 5 << 3 | 2;
	check(&o, "<negative int of about 150 bits>");
	o.words[0] = UINT64_MAX;
	check(&o, "[unreadable]");
	o.type = &b;
	o.words[0] = 1 << 3;
	check(&o, "True");
	t = make_type("Col\x1bour", IS_LONG);
	o.type = &t;
	check(&o, "Col\\x1bour(7)");
}

TEST(floats)
{
	static const struct {
		double value;
		const char *want;
	} rows[] = {
		{ 0.1, "0.1" },        { -0.0, "-0.0" },
		{ 3, "3.0" },          { 1e15, "1000000000000000.0" },
		{ 1e16, "1e+16" },     { 1.0 / 3, "0.3333333333333333" },
		{ 5e-324, "5e-324" },  { NAN, "nan" },
		{ -INFINITY, "-inf" },
	};
	struct type t = make_type("float", 0);
	struct object o = { .type = &t };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(o.words, &rows[i].value, sizeof(double));
		check(&o, rows[i].want);
	}
}

static struct object make_str(const struct type *t, const char *s)
{
	struct object o = { .type = t };

	o.words[0] = strlen(s);
	o.words[2] = 1 << 2 | 1 << 5 | 1 << 6; /* kind 1, compact, ASCII */
	strcpy((char *)&o.words[3], s);
	return o;
}

TEST(strs)
{
	struct type t = make_type("str", IS_STR), sub = make_type("Sub", IS_STR);
	struct object o = make_str(&t, "it's\n\\"), far = make_str(&t, "");
	uint16_t wide[] = { 0xdc80, 0x4e2d, 0x202e };
	_free_ char *many = NULL;

	check(&o, "'it\\'s\\n\\\\'");
	far.words[0] = 1ULL << 40; /* longer than there is memory: 80 characters are read */
	memset(&far.words[3], 'x', 8 * 12);
	many = text_of(at(&far), 1000);
	CHECK(strstr(many, "more"));
	o.words[0] = 3;
	o.words[2] = 2 << 2 | 1 << 5;
	memcpy(&o.words[5], wide, sizeof(wide));
	check(&o, "'\\udc80\xe4\xb8\xad\\u202e'");
	o.type = &sub;
	o.words[2] = 2 << 2; /* not compact */
	o.words[5] = at(wide);
	check(&o, "Sub('\\udc80\xe4\xb8\xad\\u202e')");
	o.words[2] = 5 << 2;
	check(&o, "Sub([unreadable])");
}

TEST(containers)
{
	struct type t = make_type("list", IS_LIST), tuple = make_type("tuple", IS_TUPLE);
	struct type str = make_type("str", IS_STR), set = make_type("set", 0);
	struct object a = make_str(&str, "a"), list = { .type = &t }, one = { .type = &tuple };
	struct object s = { .type = &set };
	uint64_t items[] = { at(&a), at(&list), 0, at(&a), at(&a), at(&a), at(&a), at(&a) };
	uint64_t table[8] = { at(&a), 1, 8, UINT64_MAX, 0, 0, at(&a), 2 };

	one.words[0] = 1;
	one.words[1] = at(&a);
	check(&one, "('a',)");
	list.words[1] = at(items);
	check(&list, "[]");
	list.words[0] = 2;
	check(&list, "['a', ['a', <list of 2>]]");
	list.words[0] = 3;
	check(&list, "['a', ['a', <list of 3>, [unreadable]], [unreadable]]");
	items[1] = at(&a);
	list.words[0] = 1000;
	items[2] = at(&a);
	check(&list, "['a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', ... 992 more]");
	list.words[0] = UINT64_MAX;
	check(&list, "[unreadable]");
	s.words[1] = 2;
	s.words[2] = 3;
	s.words[3] = at(table);
	check(&s, "{'a', 'a'}");
	s.words[1] = 0;
	check(&s, "set()");
}

TEST(other_objects)
{
	struct type none = make_type("NoneType", 0), cart = make_type("Cart", 0);
	struct object o = { .type = &none };
	_free_ char *text = NULL, *want = NULL;

	check(&o, "None");
	o.type = &cart;
	text = text_of(at(&o), 1000);
	CHECK(asprintf(&want, "<Cart at 0x%llx>", (unsigned long long)at(&o)) > 0);
	CHECK_STR(text, want);
	check(NULL, "[unreadable]");
	check((void *)8, "[unreadable]");
	check((const char *)&o + 1, "[unreadable]");
}

TEST(allowance)
{
	struct type t = make_type("list", IS_LIST), str = make_type("str", IS_STR);
	struct object a = make_str(&str, "a"), list = { .type = &t };
	uint64_t items[] = { at(&a), at(&a) };

	list.words[0] = 2;
	list.words[1] = at(items);
	for (uint32_t reads = 0; reads < 20; reads++) {
		_free_ char *text = text_of(at(&list), reads);

		CHECK(strlen(text) <= VALUE_MAX);
		CHECK(!strcmp(text, "['a', 'a']") || strstr(text, "[unreadable]"));
	}
}

/* --- variables of a frame --------------------------------------------------------------------- */

struct frame_3_12 {
	uint64_t head[9];
	uint64_t slots[3];
};

struct code_3_12 {
	uint64_t head[6];
	uint32_t flags, argcount, posonly, kwonly;
	uint64_t more[4];
	uint64_t names, kinds, file;
};

TEST(variables)
{
	struct type str = make_type("str", IS_STR), tuple = make_type("tuple", IS_TUPLE);
	struct type bytes = make_type("bytes", IS_BYTES), cell = make_type("cell", 0);
	struct object x = make_str(&str, "x"), y = make_str(&str, "y"), z = make_str(&str, "z");
	struct object names_ = { .type = &tuple, .words = { 3, at(&x), at(&y), at(&z) } };
	struct object kinds = { .type = &bytes, .words = { 3 } };
	struct object in_cell = { .type = &cell, .words = { at(&z) } };
	struct frame_3_12 f = { .slots = { at(&x), 1, at(&in_cell) } };
	struct code_3_12 c = {
		.flags = 1, .argcount = 1, .names = at(&names_), .kinds = at(&kinds)
	};
	struct value_reader r = { .pid = getpid(), .l = &layout, .left = 1000 };
	_cleanup_(buf_done) struct buf out = {};
	const struct local *l;
	size_t pos = 0;

	memcpy(&kinds.words[2], "\x20\x20\x80", 3);
	locals_read(&r, 5, at(&f), at(&c), &out);
	l = locals_next(out.data, out.len, &pos);
	if (!CHECK(l))
		return;
	CHECK_EQ(l->frame, 5);
	CHECK_EQ(l->flags, LOCAL_ARGUMENT);
	CHECK_EQ(l->name_len + l->type_len + l->value_len, 1 + 3 + 3);
	CHECK(!memcmp(l + 1, "xstr'x'", 7));
	l = locals_next(out.data, out.len, &pos); /* y is not bound */
	if (!CHECK(l))
		return;
	CHECK_EQ(l->flags, 0);
	CHECK(!memcmp(l + 1, "zstr'z'", 7));
	CHECK(!locals_next(out.data, out.len, &pos));
	c.flags = 0; /* a module */
	buf_clear(&out);
	locals_read(&r, 0, at(&f), at(&c), &out);
	CHECK_EQ(out.len, 0);
}

static void add(struct buf *b, uint32_t frame, const char *name, const char *value)
{
	const struct local l = { .frame = frame,
				 .name_len = strlen(name),
				 .value_len = strlen(value) };

	buf_add(b, &l, sizeof(l));
	buf_str(b, name);
	buf_str(b, value);
	while (b->len % 4)
		buf_char(b, '\0');
}

TEST(two_readings)
{
	static const bool moved[2] = { false, true };
	_cleanup_(buf_done) struct buf a = {}, b = {}, out = {};
	const struct local *l;
	size_t pos = 0;

	add(&a, 0, "same", "1");
	add(&a, 0, "other", "1");
	add(&a, 0, "gone", "1");
	add(&a, 0, "last", "1");
	add(&a, 1, "of a frame that moved", "1");
	add(&a, 2, "of a frame too many", "1");
	add(&b, 0, "same", "1");
	add(&b, 0, "other", "22");
	add(&b, 0, "last", "1");
	add(&b, 1, "of a frame that moved", "1");
	add(&b, 2, "of a frame too many", "1");
	locals_merge(&a, &b, moved, 2, &out);
	for (int i = 0; (l = locals_next(out.data, out.len, &pos)); i++) {
		bool kept = i == 0 || i == 3;

		CHECK_EQ(l->flags, kept ? 0 : LOCAL_CHANGED);
		CHECK_EQ(l->value_len, kept);
		CHECK(l->name_len > 3);
	}
	CHECK_EQ(pos, out.len);
}

TEST(malformed)
{
	struct local l[2] = { { .name_len = UINT32_MAX, .type_len = UINT32_MAX } };
	size_t pos = 0;

	CHECK(!locals_next(NULL, 0, &pos));
	CHECK(!locals_next((const char *)l, sizeof(l), &pos));
	CHECK(!locals_next((const char *)l, 3, &pos));
	l[0] = (struct local){ .value_len = sizeof(l[1]) + 1 };
	CHECK(!locals_next((const char *)l, sizeof(l), &pos));
	l[0].value_len--;
	CHECK(locals_next((const char *)l, sizeof(l), &pos));
	CHECK(!locals_next((const char *)l, sizeof(l), &pos));
}
