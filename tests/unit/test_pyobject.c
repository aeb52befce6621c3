/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects as CPython 3.9, 3.11 and 3.13 lay them out, made by hand in this process and read from it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "py/layout.h"
#include "py/pyobject.h"
#include "py/threadname.h"
#include "tap.h"

enum { V3_9 = 0x030902f0, V3_11 = 0x030b07f0 };

static struct py_layout layout_of(uint32_t hex)
{
	struct py_layout l;

	CHECK_EQ(layout_find(hex, 0, NULL, 0, &l, NULL), 0);
	return l;
}

static uint64_t address(const void *of)
{
	return (uint64_t)(uintptr_t)of;
}

/* A str of ASCII with compact data. */
struct str {
	uint64_t refcnt, type, length, hash;
	uint32_t state, pad;
	uint64_t wstr;
	char data[40];
};

static struct str str_of(const char *text)
{
	struct str s = { .length = strlen(text), .state = 1 << 2 | 1 << 5 | 1 << 6 };

	memcpy(s.data, text, s.length);
	return s;
}

/* An int of two digits. */
struct number {
	uint64_t refcnt, type, size;
	uint32_t digits[2];
};

static struct number number_of(uint64_t value)
{
	return (struct number){ .size = 2, .digits = { value & 0x3fffffff, value >> 30 } };
}

/* A dict of 3.11 with its keys; at most three entries of general kind. */
struct dict {
	uint64_t refcnt, type, used, version, keys, values;
	struct {
		uint64_t refcnt;
		uint8_t log2_size, log2_index_bytes, kind, pad;
		uint32_t version;
		uint64_t usable, n;
		uint8_t index[8];
		uint64_t entries[9];
	} k;
};

static void dict_init(struct dict *d, const uint64_t (*pairs)[2], size_t n)
{
	memset(d, 0, sizeof(*d));
	d->keys = address(&d->k);
	d->k.log2_size = d->k.log2_index_bytes = 3;
	d->k.n = n;
	for (size_t i = 0; i < n; i++)
		memcpy(&d->k.entries[3 * i + 1], pairs[i], sizeof(pairs[i]));
}

TEST(strs_and_ints)
{
	const struct py_layout l = layout_of(V3_11);
	uint32_t left = 100;
	const struct pyobject_reader r = { getpid(), &l, &left };
	_cleanup_(buf_done) struct buf text = {};
	struct str s = str_of("threading"), wide = str_of("");
	struct number n = number_of(0x7f0123456740);
	const uint16_t ucs2[] = { 0x4e2d, 0x6587 };

	CHECK(pyobject_is(&r, address(&s), "threading"));
	CHECK(!pyobject_is(&r, address(&s), "thread"));
	CHECK(!pyobject_is(&r, address(&s), "threading_"));
	CHECK(!pyobject_is(&r, 0, "threading"));
	CHECK(!pyobject_is(&r, 8, "threading"));
	CHECK_EQ(pyobject_text(&r, address(&s), 6, &text), 0);
	CHECK_STR(text.data, "thread");
	wide.length = 2;
	wide.state = 2 << 2 | 1 << 5;
	memcpy((char *)&wide + l.us_compact, ucs2, sizeof(ucs2));
	buf_clear(&text);
	CHECK_EQ(pyobject_text(&r, address(&wide), 64, &text), 0);
	CHECK_STR(text.data, "\xe4\xb8\xad\xe6\x96\x87");
	wide.state = 3 << 2;
	CHECK(pyobject_text(&r, address(&wide), 64, &text));
	CHECK_EQ(pyobject_int(&r, address(&n)), 0x7f0123456740);
	n.size = 3;
	CHECK_EQ(pyobject_int(&r, address(&n)), 0);
	n.size = -1;
	CHECK_EQ(pyobject_int(&r, address(&n)), 0);
}

TEST(items_of_a_dict)
{
	const struct py_layout l = layout_of(V3_11);
	uint32_t left = 100;
	const struct pyobject_reader r = { getpid(), &l, &left };
	struct str a = str_of("a"), b = str_of("_active");
	const uint64_t pairs[][2] = { { address(&a), 10 }, { address(&b), 20 } };
	struct dict d;

	dict_init(&d, pairs, 2);
	CHECK_EQ(pyobject_item(&r, address(&d), "_active"), 20);
	CHECK_EQ(pyobject_item(&r, address(&d), "a"), 10);
	CHECK_EQ(pyobject_item(&r, address(&d), "b"), 0);
	CHECK_EQ(pyobject_item(&r, 0, "a"), 0);
	d.k.entries[2] = 0; /* deleted */
	CHECK_EQ(pyobject_item(&r, address(&d), "a"), 0);
}

TEST(hostile_dicts_have_a_bound)
{
	const struct py_layout l = layout_of(V3_11), old = layout_of(V3_9);
	uint32_t left = UINT32_MAX;
	const struct pyobject_reader r = { getpid(), &l, &left }, r_old = { getpid(), &old, &left };
	struct str a = str_of("a");
	const uint64_t pairs[][2] = { { address(&a), 10 } };
	struct dict d;

	dict_init(&d, pairs, 1);
	d.k.n = UINT64_MAX;
	CHECK_EQ(pyobject_item(&r, address(&d), "a"), 0);
	d.k.n = 1 << 20; /* within the bound, but not in memory */
	d.k.log2_index_bytes = 24;
	CHECK_EQ(pyobject_item(&r, address(&d), "a"), 0);
	d.k.log2_index_bytes = 255;
	CHECK_EQ(pyobject_item(&r, address(&d), "a"), 0);
	d.keys = 16;
	CHECK_EQ(pyobject_item(&r, address(&d), "a"), 0);
	memset(&d.k, 0xff, sizeof(d.k));
	d.keys = address(&d.k);
	CHECK_EQ(pyobject_item(&r_old, address(&d), "a"), 0);
	CHECK_EQ(pyobject_attribute(&r, address(&d), "a"), 0);
}

TEST(entries_are_counted)
{
	const struct py_layout l = layout_of(V3_11);
	uint32_t left = 3;
	const struct pyobject_reader r = { getpid(), &l, &left };
	struct str a = str_of("a"), b = str_of("b");
	const uint64_t pairs[][2] = { { address(&a), 10 }, { address(&b), 20 } };
	struct dict d;

	dict_init(&d, pairs, 2);
	CHECK_EQ(pyobject_item(&r, address(&d), "b"), 20);
	CHECK_EQ(left, 1);
	CHECK_EQ(pyobject_item(&r, address(&d), "b"), 0);
}

/* --- names of threads ------------------------------------------------------------------------- */

enum { IDENT = 0x7f000000, FAR = 4096 };

/* sys.modules, threading, _active, a Thread and its class, linked as in 3.11. */
struct world {
	uint64_t interps;
	struct {
		uint64_t next;
		uint8_t other[1016];
	} interp;
	struct dict modules, module_dict, active;
	uint64_t module[3];
	struct str threading, active_name, name_key, ident_key, name;
	struct number ident;
	struct {
		uint64_t values, dict, gc[2], refcnt, type;
	} thread;
	uint64_t class[120];
	struct dict attributes;
};

static struct world *world_new(const struct py_layout *l)
{
	struct world *w = calloc(1, sizeof(*w));
	uint64_t modules[][2] = { { 0, 0 } }, names[][2] = { { 0, 0 } }, active[][2] = { { 0, 0 } };
	uint64_t attributes[][2] = { { 0, 0 }, { 0, 0 } };

	w->interps = address(&w->interp);
	w->threading = str_of("threading");
	w->active_name = str_of("_active");
	w->name_key = str_of("_name");
	w->ident_key = str_of("_ident");
	w->name = str_of("metrics");
	w->ident = number_of(IDENT);
	modules[0][0] = address(&w->threading);
	modules[0][1] = address(&w->module);
	dict_init(&w->modules, modules, 1);
	names[0][0] = address(&w->active_name);
	names[0][1] = address(&w->active);
	dict_init(&w->module_dict, names, 1);
	w->module[2] = address(&w->module_dict);
	active[0][0] = address(&w->ident);
	active[0][1] = address(&w->thread.refcnt);
	dict_init(&w->active, active, 1);
	attributes[0][0] = address(&w->name_key);
	attributes[0][1] = address(&w->name);
	attributes[1][0] = address(&w->ident_key);
	attributes[1][1] = address(&w->ident);
	dict_init(&w->attributes, attributes, 2);
	w->thread.type = address(&w->class);
	w->thread.dict = address(&w->attributes);
	w->class[(24 + 144) / 8] = 1 << 4; /* tp_flags: a managed dict */
	memcpy((char *)&w->interp + l->in_modules, &(uint64_t){ address(&w->modules) }, 8);
	return w;
}

static struct threadname_wanted wanted(const struct py_layout *l, const struct world *w,
				       uint64_t tp)
{
	return (struct threadname_wanted){
		getpid(), getpid(), 1, address(&w->interps), tp, "", *l
	};
}

TEST(name_of_a_thread)
{
	const struct py_layout l = layout_of(V3_11);
	_free_ struct world *w = world_new(&l);
	struct threadnames *t = threadnames_new();
	struct threadname_wanted ask = wanted(&l, w, IDENT);
	_cleanup_(buf_done) struct buf name = {};

	CHECK_EQ(threadnames_read(t, &ask, &name), 0);
	CHECK_STR(name.data, "metrics");
	ask = wanted(&l, w, IDENT + FAR - 1); /* the thread pointer lies behind pthread_self() */
	CHECK_EQ(threadnames_read(t, &ask, &name), 0);
	ask = wanted(&l, w, IDENT + FAR);
	CHECK(threadnames_read(t, &ask, &name));
	ask = wanted(&l, w, IDENT - 1);
	CHECK(threadnames_read(t, &ask, &name));
	ask = wanted(&l, w, IDENT);
	strcpy(ask.start, "metr");
	CHECK_EQ(threadnames_read(t, &ask, &name), 0);
	strcpy(ask.start, "job");
	CHECK(threadnames_read(t, &ask, &name));
	threadnames_free(t);
}

/* The Thread object belongs to another thread by now. */
TEST(object_replaced_meanwhile)
{
	const struct py_layout l = layout_of(V3_11);
	_free_ struct world *w = world_new(&l);
	struct threadnames *t = threadnames_new();
	const struct threadname_wanted ask = wanted(&l, w, IDENT);
	struct number other = number_of(IDENT + 64);
	_cleanup_(buf_done) struct buf name = {};

	w->attributes.k.entries[3 + 2] = address(&other);
	CHECK(threadnames_read(t, &ask, &name));
	w->attributes.k.entries[3 + 2] = address(&w->ident);
	w->thread.type = 8;
	CHECK(threadnames_read(t, &ask, &name));
	CHECK_EQ(name.len, 0);
	threadnames_free(t);
}
