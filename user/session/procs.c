/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	census, inspector ─► entry ─┬─► map procs: what the sampler reads
 *	a record, a count ─► key ───┴─► process and thread of the profile, once they have a sample
 *	ended ─► dead ─► (counts drained) ─► dying ─► (counts drained) ─► forgotten
 *
 * Samples may arrive before a process is identified. The kernel's entry counts them as pending; once the process
 * is identified, they are added to its kind. A sample may also arrive before the event of its process, or after
 * that event was lost: then the entry is made from the kernel's.
 */
#include "session/procs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "proc/procfs.h"

struct procs {
	struct kern *kern;
	struct profile *profile;
	struct hmap *by_key; /* struct proc_key -> struct procs_entry */
	struct layouts *layouts;
	struct reasons *reasons;
	struct strpool *flavours;
	VEC(struct proc_key) dead, dying; /* ended; only dead may still get counts */
	struct procs_pending pending;
	uint32_t python;
	void (*on_python)(void *ctx, uint32_t tgid);
	void *on_python_ctx;
};

struct procs *procs_new(struct kern *k, struct profile *profile)
{
	struct procs *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->kern = k;
	p->profile = profile;
	p->layouts = layouts_new(k);
	p->reasons = reasons_new();
	p->flavours = strpool_new();
	p->by_key = hmap_new(sizeof(struct proc_key), sizeof(struct procs_entry));
	if (!p->layouts || !p->reasons || !p->flavours || !p->by_key) {
		procs_free(p);
		return NULL;
	}
	return p;
}

void procs_free(struct procs *p)
{
	if (!p)
		return;
	hmap_free(p->by_key);
	layouts_free(p->layouts);
	reasons_free(p->reasons);
	strpool_free(p->flavours);
	vec_done(&p->dead);
	vec_done(&p->dying);
	free(p);
}

void procs_on_python(struct procs *p, void (*fn)(void *ctx, uint32_t tgid), void *ctx)
{
	p->on_python = fn;
	p->on_python_ctx = ctx;
}

bool procs_has_listener(const struct procs *p)
{
	return p->on_python;
}

const struct procs_entry *procs_get(const struct procs *p, const struct proc_key *key)
{
	return hmap_get(p->by_key, key);
}

const struct procs_entry *procs_newest(const struct procs *p, uint32_t tgid)
{
	const struct procs_entry *found = NULL;
	uint32_t exec_id = 0;
	const void *at;
	size_t pos = 0;
	void *val;

	while (hmap_each(p->by_key, &pos, &at, &val)) {
		const struct proc_key *key = at;

		if (key->tgid != tgid || (found && key->exec_id < exec_id))
			continue;
		found = val;
		exec_id = key->exec_id;
	}
	return found;
}

int procs_keys(const struct procs *p, struct hmap *ret)
{
	const void *key;
	size_t pos = 0;

	while (hmap_each(p->by_key, &pos, &key, NULL))
		if (!hmap_put(ret, key, NULL))
			return -ENOMEM;
	return 0;
}

bool procs_is_settled(const struct procs *p, const struct proc_key *key)
{
	struct proc_info info = {};

	return hmap_get(p->by_key, key) &&
	       (kern_get_proc(p->kern, key, &info) || info.kind != PROC_PENDING);
}

/* --- reasons ---------------------------------------------------------------------------------- */

int procs_add_reason(struct procs *p, uint32_t pid, const struct err *why)
{
	return reasons_add(p->reasons, pid, why);
}

/* A process no longer has this reason. If it was the example, another known process with it takes over. */
static void drop_reason(struct procs *p, uint32_t pid, uint32_t reason)
{
	const void *key;
	size_t pos = 0;
	void *val;

	if (!reasons_drop(p->reasons, pid, reason))
		return;
	while (hmap_each(p->by_key, &pos, &key, &val))
		if (((const struct procs_entry *)val)->reason == reason)
			reasons_name(p->reasons, reason, ((const struct proc_key *)key)->tgid);
}

/* --- entries ---------------------------------------------------------------------------------- */

int procs_add_interp(struct procs *p, struct procs_entry *e, struct python *py)
{
	int layout = layouts_add(p->layouts, &e->interps, &py->layout);

	if (layout < 0)
		return layout;
	py->info.kind = PROC_PYTHON;
	py->info.layout = layout;
	e->interps.at[e->interps.n++] =
		(struct interp){ layout, py->info.code_type, py->info.interps };
	return 0;
}

void procs_set_comm(struct procs_entry *e, const char *comm)
{
	snprintf(e->comm, sizeof(e->comm), "%.*s", WIRE_COMM - 1, comm ? comm : "");
}

/* "3.9", or "3.9 + 3.11t" for several interpreters: all after the first version is stored as the flavour. */
static int set_version(struct procs *p, const struct procs_entry *e)
{
	_cleanup_(buf_done) struct buf text = {};
	uint32_t id = UINT32_MAX;

	if (!e->interps.n)
		return 0;
	layouts_flavour(p->layouts, &e->interps, &text);
	if (!text.err)
		id = strpool_add(p->flavours, text.len ? text.data : "", text.len);
	if (id == UINT32_MAX)
		return -ENOMEM;
	profile_set_process_version(p->profile, e->process,
				    layouts_at(p->layouts, e->interps.at[0].layout)->version,
				    strpool_str(p->flavours, id));
	return 0;
}

/* Adds a process to the profile at its first sample: most short-lived processes are never sampled. */
static int show_process(struct procs *p, const struct proc_key *key, struct procs_entry *e)
{
	if (e->process != PROFILE_NONE)
		return 0;
	e->process = profile_add_process(p->profile, key->tgid, e->comm);
	if (e->process == PROFILE_NONE)
		return -ENOMEM;
	profile_set_process_start(p->profile, e->process, key->start_ns, 0);
	return set_version(p, e);
}

/*
 * Stores @e as the entry of @key. An entry that replaces another keeps its process of the profile, which an
 * earlier sample may have added. NULL: out of memory.
 */
static struct procs_entry *put_entry(struct procs *p, const struct proc_key *key,
				     const struct procs_entry *e)
{
	bool fresh;
	struct procs_entry *slot = hmap_put(p->by_key, key, &fresh);
	uint32_t process, reason;

	if (!slot)
		return NULL;
	process = fresh ? PROFILE_NONE : slot->process;
	reason = fresh ? 0 : slot->reason;
	p->python -= !fresh && slot->kind == PROC_PYTHON;
	p->python += e->kind == PROC_PYTHON;
	*slot = *e;
	slot->process = process;
	if (reason)
		drop_reason(p, key->tgid, reason);
	return process != PROFILE_NONE && set_version(p, slot) ? NULL : slot;
}

/* Adds the pending samples of the kernel's entry to the kind of @e; NULL: the process ended unidentified. */
static void settle_pending(struct procs *p, const struct proc_info *old,
			   const struct procs_entry *e)
{
	uint64_t *of = &p->pending.ended;

	if (e)
		of = e->kind == PROC_OTHER ? &p->pending.other : &p->pending.python;
	if (old->kind == PROC_PENDING)
		*of += old->pending;
}

static int publish(struct procs *p, const struct proc_key *key, const struct procs_entry *e,
		   struct proc_info *info)
{
	struct proc_info old;

	info->kind = e->kind;
	/* Try to create the entry first: at startup, when many are made, there is none to replace. */
	if (!kern_set_proc(p->kern, key, info, true))
		return 0;
	if (!kern_get_proc(p->kern, key, &old)) {
		info->exec_pages = old.exec_pages;
		settle_pending(p, &old, e);
	}
	return kern_set_proc(p->kern, key, info, false);
}

static void tell_python(const struct procs *p, const struct proc_key *key)
{
	if (p->on_python)
		p->on_python(p->on_python_ctx, key->tgid);
}

int procs_settle(struct procs *p, const struct proc_key *key, const struct procs_entry *e,
		 struct proc_info *info)
{
	if (!put_entry(p, key, e))
		return -ENOMEM;
	publish(p, key, e, info);
	if (e->kind == PROC_PYTHON)
		tell_python(p, key);
	return 0;
}

int procs_settle_child(struct procs *p, const struct proc_key *key,
		       const struct procs_entry *parent, bool unchosen)
{
	struct procs_entry copy = *parent;

	copy.lives = 0;
	copy.reason = copy.doubts = 0;
	copy.ticks = 0;
	copy.unchosen = unchosen;
	if (parent->process != PROFILE_NONE)
		procs_set_comm(&copy, profile_process(p->profile, parent->process)->comm);
	if (!put_entry(p, key, &copy))
		return -ENOMEM;
	if (copy.kind == PROC_PYTHON)
		tell_python(p, key);
	return 0;
}

int procs_settle_known(struct procs *p, const struct proc_key *key, const struct interp *interp,
		       bool unchosen)
{
	const struct procs_entry fresh = { .kind = PROC_PYTHON,
					   .unchosen = unchosen,
					   .interps = { 1, { *interp } } };

	if (!layouts_at(p->layouts, interp->layout))
		return -EBADMSG;
	if (!put_entry(p, key, &fresh))
		return -ENOMEM;
	tell_python(p, key);
	return 0;
}

/* --- ended processes -------------------------------------------------------------------------- */

int procs_bury(struct procs *p, const struct proc_key *key)
{
	return vec_push(&p->dead, *key);
}

static void forget(struct procs *p, const struct proc_key *key)
{
	const struct procs_entry *e = hmap_get(p->by_key, key);
	struct proc_info old;

	if (!kern_get_proc(p->kern, key, &old))
		settle_pending(p, &old, e);
	if (e && e->kind == PROC_PYTHON)
		p->python--;
	for (uint32_t i = 1; e && i < e->interps.n; i++)
		kern_del_more(p->kern, key, i);
	hmap_del(p->by_key, key);
	kern_del_proc(p->kern, key);
}

void procs_reap(struct procs *p)
{
	struct proc_key *key;
	__typeof__(p->dying) empty;

	vec_each (&p->dying, key)
		forget(p, key);
	p->dying.len = 0;
	memcpy(&empty, &p->dying, sizeof(empty));
	memcpy(&p->dying, &p->dead, sizeof(p->dying));
	memcpy(&p->dead, &empty, sizeof(p->dead));
}

/* --- samples ---------------------------------------------------------------------------------- */

static void adopt_interp(struct procs *p, struct procs_entry *e, const struct proc_info *info)
{
	if (layouts_at(p->layouts, info->layout) && e->interps.n < WIRE_MAX_INTERPS)
		e->interps.at[e->interps.n++] =
			(struct interp){ info->layout, info->code_type, info->interps };
}

/* Makes the entry of a process that was sampled but whose event is missing, from the kernel's entry. */
static struct procs_entry *adopt(struct procs *p, const struct proc_key *key)
{
	struct procs_entry fresh = { .kind = PROC_PYTHON };
	struct procs_entry *e = hmap_get(p->by_key, key);
	struct proc_info info, more;

	if (e)
		e->unchosen = false;
	if (e && e->kind == PROC_PYTHON)
		return show_process(p, key, e) ? NULL : e;
	if (!kern_get_proc(p->kern, key, &info)) {
		adopt_interp(p, &fresh, &info);
		for (uint32_t i = 1; i <= info.more; i++)
			if (!kern_get_more(p->kern, key, i, &more))
				adopt_interp(p, &fresh, &more);
	}
	e = put_entry(p, key, &fresh);
	return e && !show_process(p, key, e) ? e : NULL;
}

/* A program may rename its threads without end; names beyond this limit share the entry "[many names]". */
enum { LIVES = 16384 };

uint32_t procs_thread_index(struct procs *p, const struct proc_key *key, uint32_t tid,
			    uint64_t life)
{
	struct procs_entry *e = adopt(p, key);
	const struct process *process;

	if (!e)
		return PROFILE_NONE;
	if (!profile_has_life(p->profile, e->process, tid, life)) {
		if (e->lives >= LIVES)
			return profile_add_life(p->profile, e->process, tid, 0, "[many names]");
		e->lives++;
	}
	process = profile_process(p->profile, e->process);
	return profile_add_life(p->profile, e->process, tid, life, process->comm);
}

bool procs_has_thread(const struct procs *p, const struct proc_key *key, uint32_t tid,
		      uint64_t life)
{
	const struct procs_entry *e = hmap_get(p->by_key, key);

	return e && e->process != PROFILE_NONE &&
	       profile_has_life(p->profile, e->process, tid, life);
}

int procs_thread(struct procs *p, const struct wire_thread *t)
{
	uint32_t index = procs_thread_index(p, &t->proc, t->tid, t->life);
	const struct procs_entry *e = hmap_get(p->by_key, &t->proc);

	if (index == PROFILE_NONE)
		return -ENOMEM;
	if (e && profile_has_life(p->profile, e->process, t->tid, t->life)) {
		if (!profile_thread(p->profile, index)->named)
			profile_set_thread_comm(p->profile, index, t->comm);
		profile_set_thread_start(p->profile, index, t->start_ns);
	}
	if (e && e->process != PROFILE_NONE)
		profile_set_process_comm(p->profile, e->process, t->leader_comm);
	return 0;
}

bool procs_name_wanted(const struct procs *p, const struct wire_thread *t, uint32_t interp,
		       struct threadname_wanted *ret)
{
	enum { TOLD_KERNEL = 0x030e }; /* the first version whose threading passes names on */
	const struct procs_entry *e = hmap_get(p->by_key, &t->proc);
	const struct interp *i = e && interp < e->interps.n ? &e->interps.at[interp] : NULL;
	const struct py_layout *l = i ? layouts_at(p->layouts, i->layout) : NULL;
	bool inherited;

	if (!l || !i->interps || t->tid == t->proc.tgid)
		return false;
	inherited = !strcmp(t->comm, t->leader_comm) || !strcmp(t->comm, e->comm);
	if (!inherited && l->version < TOLD_KERNEL)
		return false;
	*ret = (struct threadname_wanted){ t->proc.tgid,      t->tid, t->start_ns, i->interps,
					   t->thread_pointer, "",     *l };
	if (!inherited)
		memcpy(ret->start, t->comm, strnlen(t->comm, sizeof(ret->start) - 1));
	return true;
}

bool procs_layout(const struct procs *p, const struct proc_key *key, uint32_t layout,
		  const struct py_layout **ret, uint64_t *ret_code_type)
{
	const struct procs_entry *e = hmap_get(p->by_key, key);
	const struct interp *interp = e ? interps_find(&e->interps, layout) : NULL;

	*ret = layouts_at(p->layouts, layout);
	*ret_code_type = interp ? interp->code_type : 0;
	return *ret;
}

/* --- questions -------------------------------------------------------------------------------- */

struct procs_pending procs_pending(const struct procs *p)
{
	return p->pending;
}

const struct reason *procs_reasons(const struct procs *p, size_t *n)
{
	return reasons_all(p->reasons, n);
}

uint32_t procs_python(const struct procs *p)
{
	return p->python;
}

uint32_t procs_chosen(const struct procs *p, double *ret_cpu_seconds)
{
	const long hz = sysconf(_SC_CLK_TCK);
	uint64_t ticks = 0, now;
	uint32_t n = 0;
	const void *key;
	size_t pos = 0;
	void *val;

	while (hmap_each(p->by_key, &pos, &key, &val)) {
		const struct procs_entry *e = val;

		if (e->kind != PROC_PYTHON || e->unchosen)
			continue;
		n++;
		now = ret_cpu_seconds ? procfs_cpu_ticks(((const struct proc_key *)key)->tgid) : 0;
		ticks += now > e->ticks ? now - e->ticks : 0;
	}
	if (ret_cpu_seconds)
		*ret_cpu_seconds = (double)ticks / hz;
	return n;
}
