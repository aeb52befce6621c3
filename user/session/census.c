/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	task iterator ─┬─ new ────────► look (inspector.c) ─► entry (procs.c)
 *	               └─ not listed ─► marked as ended
 *	EVENT_UNKNOWN ─┐
 *	EVENT_EXEC ────┼─► look
 *	EVENT_AGAIN ───┘
 *	EVENT_FORK ──────► copy of the parent's entry
 *	EVENT_KNOWN ─────► entry that the kernel has made itself, for a program that it knows (programs.c)
 *	EVENT_EXIT ──────► marked as ended
 */
#include "session/census.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/vec.h"
#include "proc/procfs.h"
#include "session/reader.h"

struct census {
	struct kern *kern;
	struct reader *reader;
	struct procs *procs;
	struct inspector *inspector;
	uint32_t filters; /* enum filter */
};

struct census *census_new(struct kern *k, struct reader *r, struct procs *p, struct inspector *i,
			  uint32_t filters)
{
	struct census *c = malloc(sizeof(*c));

	if (c)
		*c = (struct census){ k, r, p, i, filters };
	return c;
}

void census_free(struct census *c)
{
	free(c);
}

/* --- all processes ---------------------------------------------------------------------------- */

struct listing {
	VEC(struct wire_task) tasks;
};

static int add_task(void *ctx, const struct wire_task *task)
{
	struct listing *l = ctx;

	return vec_push(&l->tasks, *task);
}

static void listing_done(struct listing *l)
{
	vec_done(&l->tasks);
}

/* Marks the processes of @keys that are not in the list as ended. */
static int bury_missing(struct census *c, const struct hmap *keys, const struct listing *l)
{
	_cleanup_(hmap_freep) struct hmap *live = hmap_new(sizeof(struct proc_key), 0);
	const struct wire_task *t;
	const void *key;
	size_t pos = 0;

	if (!live)
		return -ENOMEM;
	vec_each (&l->tasks, t)
		if (!hmap_put(live, &t->proc, NULL))
			return -ENOMEM;
	while (hmap_each(keys, &pos, &key, NULL))
		if (!hmap_get(live, key) && procs_bury(c->procs, key))
			return -ENOMEM;
	return 0;
}

/*
 * The keys of all entries, here and in the kernel, which makes entries of its own for programs known not to be
 * Python. NULL: out of memory. The loop is bounded because iterating over a BPF map that changes may start
 * over.
 */
static struct hmap *all_keys(struct census *c)
{
	enum { STEPS = 1 << 20 };
	struct hmap *keys = hmap_new(sizeof(struct proc_key), 0);
	struct proc_key key, *last = NULL;
	bool ok = keys && !procs_keys(c->procs, keys);

	for (int i = 0; ok && i < STEPS && !kern_next_proc(c->kern, last, &key); i++) {
		ok = hmap_put(keys, &key, NULL);
		last = &key;
	}
	if (ok)
		return keys;
	hmap_free(keys);
	return NULL;
}

static bool has_chosen_thread(const struct census *c, uint32_t tgid)
{
	procfs_pids tids = {};
	const pid_t *tid;
	bool found = false;

	procfs_list_threads(tgid, &tids);
	vec_each (&tids, tid)
		found |= kern_has_tid(c->kern, *tid);
	vec_done(&tids);
	return found;
}

static bool is_chosen(const struct census *c, const struct wire_task *task)
{
	return task->chosen && (!(c->filters & BY_TID) || has_chosen_thread(c, task->proc.tgid));
}

static int on_task(struct census *c, const struct wire_task *task)
{
	const struct subject who = { .key = task->proc,
				     .exe = task->exe,
				     .unchosen = !is_chosen(c, task),
				     .comm = task->comm };

	/* One look is enough, as it has been running for a while. If it links libpython, the result is in doubt. */
	return task->kthread ? 0 : inspector_look(c->inspector, &who, ONLY_LOOK);
}

static int look_ahead(struct census *c, const struct listing *l)
{
	_free_ pid_t *pids = calloc(l->tasks.len + 1, sizeof(*pids));
	const struct wire_task *t;
	size_t n = 0;

	if (!pids)
		return -ENOMEM;
	vec_each (&l->tasks, t)
		if (!t->kthread)
			pids[n++] = t->proc.tgid;
	return reader_look_ahead(c->reader, pids, n);
}

static int look_at_listed(struct census *c)
{
	_cleanup_(listing_done) struct listing l = {};
	const struct wire_task *t;
	int err = kern_list_tasks(c->kern, add_task, &l);

	if (!err)
		err = look_ahead(c, &l);
	vec_each (&l.tasks, t)
		if (!err)
			err = on_task(c, t);
	reader_look_done(c->reader);
	return err;
}

int census_fill(struct census *c)
{
	_cleanup_(hmap_freep) struct hmap *keys = hmap_new(sizeof(struct proc_key), 0);
	_cleanup_(listing_done) struct listing l = {};
	int err = keys ? look_at_listed(c) : -ENOMEM;

	if (!err)
		err = inspector_confirm(c->inspector);
	if (!err)
		err = procs_keys(c->procs, keys);
	/* No exit event is sent for a process that ended after its look but before it had an entry. */
	if (!err)
		err = kern_list_tasks(c->kern, add_task, &l);
	return err ? err : bury_missing(c, keys, &l);
}

int census_resync(struct census *c)
{
	/* Collect keys before listing tasks: an entry made after the list would seem to have ended. */
	_cleanup_(hmap_freep) struct hmap *keys = all_keys(c);
	_cleanup_(listing_done) struct listing l = {};
	const struct wire_task *t;
	int err = keys ? kern_list_tasks(c->kern, add_task, &l) : -ENOMEM;

	if (!err)
		err = bury_missing(c, keys, &l);
	vec_each (&l.tasks, t)
		if (!err && !procs_get(c->procs, &t->proc))
			err = on_task(c, t);
	return err ? err : inspector_confirm(c->inspector);
}

/* One pass: adds the children of wanted processes. Returns how many were added, or -errno. */
static int follow_once(struct census *c, const struct listing *l, struct hmap *wanted)
{
	const struct wire_task *t;
	bool fresh;
	int n = 0;

	vec_each (&l->tasks, t) {
		if (!hmap_get(wanted, &t->ppid) || hmap_get(wanted, &t->proc.tgid))
			continue;
		if (!hmap_put(wanted, &t->proc.tgid, &fresh) || kern_add_pid(c->kern, t->proc.tgid))
			return -ENOMEM;
		n++;
	}
	return n;
}

int census_follow(struct census *c, const uint32_t *pids, size_t n)
{
	_cleanup_(hmap_freep) struct hmap *wanted = hmap_new(sizeof(uint32_t), 0);
	int added;

	for (size_t i = 0; i < n; i++)
		if (!wanted || !hmap_put(wanted, &pids[i], NULL))
			return -ENOMEM;
	/* Repeat until a pass adds nothing: a child may have been forked before its parent was added. */
	do {
		_cleanup_(listing_done) struct listing l = {};

		added = kern_list_tasks(c->kern, add_task, &l);
		if (!added)
			added = follow_once(c, &l, wanted);
	} while (added > 0);
	return added;
}

/* --- events ----------------------------------------------------------------------------------- */

static int on_fork(struct census *c, const struct wire_event *e)
{
	const struct subject who = { .key = e->proc };
	const struct procs_entry *parent = procs_get(c->procs, &e->parent);

	if (!parent)
		return inspector_look(c->inspector, &who, ONLY_LOOK);
	return procs_settle_child(c->procs, &e->proc, parent,
				  c->filters & BY_PID ? !kern_has_pid(c->kern, e->proc.tgid)
						      : parent->unchosen);
}

/* The kernel has already made its entry, as it knows the program; only ours is missing. */
static int on_known(struct census *c, const struct wire_event *e)
{
	/* For filters other than --pid, the first sample shows that the process is chosen. */
	const bool unchosen =
		c->filters && !((c->filters & BY_PID) && kern_has_pid(c->kern, e->proc.tgid));

	return procs_settle_known(c->procs, &e->proc,
				  &(struct interp){ e->layout, e->code_type, e->interps },
				  unchosen);
}

static int on_again(struct census *c, const struct wire_event *e)
{
	const struct subject who = { .key = e->proc, .tid = e->tid, .exe = e->exe };

	return inspector_look_anew(c->inspector, &who);
}

static int on_new(struct census *c, const struct wire_event *e, int look)
{
	const struct subject who = { .key = e->proc, .tid = e->tid, .exe = e->exe };
	int err = inspector_look(c->inspector, &who, look);

	return err ? err : inspector_confirm(c->inspector);
}

int census_event(struct census *c, const struct wire_event *e)
{
	switch (e->kind) {
	case EVENT_UNKNOWN:
		return on_new(c, e, FIRST_LOOK);
	case EVENT_EXEC:
		return on_new(c, e, EARLY_LOOK);
	case EVENT_KNOWN:
		return on_known(c, e);
	case EVENT_AGAIN:
		return on_again(c, e);
	case EVENT_FORK:
		return on_fork(c, e);
	case EVENT_EXIT:
		return procs_bury(c->procs, &e->proc);
	}
	return -EBADMSG;
}
