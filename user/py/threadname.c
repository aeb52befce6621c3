/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	interpreter ─► sys.modules ─► "threading" ─► _active: pthread_self() ─► Thread ─► _name
 *
 * Threads come in bursts, and a process may have thousands. So _active is read once for all that
 * are asked for within a second, and sorted. pthread_self() is the thread pointer on x86-64, and
 * lies a little before it on aarch64.
 *
 * The target runs meanwhile, and the C library gives the pthread_self() of an ended thread to a new
 * one. A name is believed if the thread is older than the list, if its Thread object says the same
 * pthread_self(), if a second reading gives the same name, and if the thread still exists then.
 */
#include "py/threadname.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hmap.h"
#include "base/vec.h"
#include "proc/procfs.h"
#include "py/pyobject.h"

enum {
	INTERPS = 8,
	SNAPSHOT_ITEMS =
		1 << 14,      /* entries of dicts that are read for a snapshot: modules, threads */
	NAME_ITEMS = 1 << 10, /* for a name: attributes of the Thread object */
	SNAPSHOTS = 64,
	FRESH = 1000000000, /* ns */
	THREAD_STRUCT =
		4096, /* more than a struct pthread has; less than lies between two threads */
};

struct entry {
	uint64_t ident; /* pthread_self() */
	uint64_t thread;
};

/* _active of all interpreters of a process, sorted by ident. */
struct snapshot {
	uint64_t taken; /* before it was read; CLOCK_BOOTTIME, ns */
	VEC(struct entry) entries;
};

struct snapshot_key {
	uint64_t pid, interps;
};

struct threadnames {
	struct hmap *snapshots; /* struct snapshot_key -> struct snapshot */
};

struct threadnames *threadnames_new(void)
{
	struct threadnames *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->snapshots = hmap_new(sizeof(struct snapshot_key), sizeof(struct snapshot));
	if (t->snapshots)
		return t;
	free(t);
	return NULL;
}

static void drop_snapshots(struct threadnames *t)
{
	size_t pos = 0;
	void *val;

	while (hmap_each(t->snapshots, &pos, NULL, &val))
		vec_done(&((struct snapshot *)val)->entries);
	hmap_free(t->snapshots);
	t->snapshots = NULL;
}

void threadnames_free(struct threadnames *t)
{
	if (!t)
		return;
	if (t->snapshots)
		drop_snapshots(t);
	free(t);
}

/* --- snapshots -------------------------------------------------------------------------------- */

struct filling {
	const struct pyobject_reader *r;
	struct snapshot *snapshot;
	int err;
};

static bool add_thread(void *ctx, uint64_t key, uint64_t value)
{
	struct filling *f = ctx;
	const struct entry e = { pyobject_int(f->r, key), value };

	f->err = e.ident ? vec_push(&f->snapshot->entries, e) : 0;
	return f->err;
}

static void add_interp(struct filling *f, uint64_t interp)
{
	const struct pyobject_reader *r = f->r;
	uint64_t modules = pyobject_word(r, interp + r->l->in_modules), module, names;

	/* A module's dict follows its head. */
	module = pyobject_item(r, modules, "threading");
	names = module ? pyobject_word(r, module + r->l->ob_type + 8) : 0;
	pyobject_each(r, pyobject_item(r, names, "_active"), add_thread, f);
}

static int by_ident(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->ident < y->ident ? -1 : x->ident > y->ident;
}

static int fill(struct snapshot *s, const struct pyobject_reader *r, uint64_t interps)
{
	struct filling f = { .r = r, .snapshot = s };
	uint64_t interp = pyobject_word(r, interps);

	for (int i = 0; i < INTERPS && interp && !f.err; i++) {
		add_interp(&f, interp);
		interp = pyobject_word(r, interp + r->l->in_next);
	}
	if (s->entries.len)
		qsort(s->entries.at, s->entries.len, sizeof(struct entry), by_ident);
	return f.err;
}

/* The snapshot of a process, taken within the last second. NULL: out of memory. */
static const struct snapshot *snapshot_of(struct threadnames *t, const struct pyobject_reader *r,
					  uint64_t interps)
{
	const struct snapshot_key key = { r->pid, interps };
	uint64_t now = clock_boot_ns();
	struct snapshot *s;

	if (t->snapshots && hmap_count(t->snapshots) >= SNAPSHOTS)
		drop_snapshots(t);
	if (!t->snapshots)
		t->snapshots = hmap_new(sizeof(struct snapshot_key), sizeof(struct snapshot));
	s = t->snapshots ? hmap_put(t->snapshots, &key, NULL) : NULL;
	if (!s || (s->taken && now - s->taken < FRESH))
		return s;
	s->taken = now;
	s->entries.len = 0;
	return fill(s, r, interps) ? NULL : s;
}

/* --- names ------------------------------------------------------------------------------------ */

/* The entry with the largest ident up to the thread pointer; NULL: it is another thread's. */
static const struct entry *find(const struct snapshot *s, uint64_t thread_pointer)
{
	size_t low = 0, high = s->entries.len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->entries.at[middle].ident <= thread_pointer)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || thread_pointer - s->entries.at[low - 1].ident >= THREAD_STRUCT)
		return NULL;
	return &s->entries.at[low - 1];
}

static int read_name(const struct pyobject_reader *r, const struct entry *e, struct buf *out)
{
	uint64_t name = pyobject_attribute(r, e->thread, "_name");

	if (pyobject_int(r, pyobject_attribute(r, e->thread, "_ident")) != e->ident ||
	    pyobject_text(r, name, THREADNAME_MAX, out))
		return -ENOENT;
	return out->err;
}

static bool starts_with(const struct buf *name, const char start[16])
{
	size_t len = strnlen(start, 16);

	return name->len >= len && (!len || !memcmp(name->data, start, len));
}

static int read_thread(struct threadnames *t, const struct threadname_wanted *w, struct buf *out)
{
	_cleanup_(buf_done) struct buf name = {}, again = {};
	uint32_t items = SNAPSHOT_ITEMS;
	const struct pyobject_reader r = { w->pid, &w->layout, &items };
	const struct snapshot *s;
	const struct entry *e;
	int err;

	if (!w->thread_pointer || !w->interps || !w->layout.in_modules)
		return -ENOENT;
	s = snapshot_of(t, &r, w->interps);
	if (!s)
		return -ENOMEM;
	e = w->started < s->taken ? find(s, w->thread_pointer) : NULL;
	if (!e)
		return -ENOENT;
	items = NAME_ITEMS;
	err = read_name(&r, e, &name) ?: read_name(&r, e, &again);
	if (err)
		return err;
	if (name.len != again.len || (name.len && memcmp(name.data, again.data, name.len)) ||
	    !starts_with(&name, w->start) || !procfs_has_thread(w->pid, w->tid))
		return -ENOENT;
	buf_add(out, name.data ?: "", name.len);
	return out->err;
}

int threadnames_read(struct threadnames *t, const struct threadname_wanted *w, struct buf *out)
{
	int err = read_thread(t, w, out);

	return err == -ENOENT && !procfs_has_thread(w->pid, w->tid) ? -ESRCH : err;
}
