/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	task iterator ─┐
 *	EVENT_UNKNOWN ─┼─► look (detect) ─► entry in map procs
 *	EVENT_EXEC ────┤
 *	EVENT_AGAIN ───┤
 *	EVENT_FORK ────┘  │     ├ too young to tell ─► look again, PROC_PENDING until then
 *	                  │     └ in doubt ─► EVENT_AGAIN, later and later, while it is sampled
 *	                  └─► program (programs.c) ─► EVENT_KNOWN: the kernel has made the entry itself
 *	EVENT_EXIT ───────► dead ─► (counts drained) ─► forgotten
 *
 * A process right after exec has no interpreter mapped yet: "no" is believed only after the last
 * look. Until then its samples are counted as pending, and told apart when the answer is there. An answer
 * that came from what the memory was like at that moment, or from a file that could not be read then, is
 * never final: the kernel asks again.
 */
#include "session/procs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "proc/procfs.h"
#include "session/programs.h"
#include "session/reader.h"
#include "session/retries.h"

/* An interpreter of a process; no two of one process share a row of layouts. */
struct interp {
	uint32_t layout;
	uint64_t code_type;
};

struct entry {
	uint32_t kind;    /* enum proc_kind */
	uint32_t process; /* in the profile, PROFILE_NONE: no sample yet, or not Python */
	uint32_t
		reason; /* why it is not recorded: its number, from 1; 0: none was counted for it */
	uint32_t doubts; /* answers that were in doubt */
	uint32_t lives;  /* threads, by each of their names */
	char comm[WIRE_COMM];
	bool unchosen;  /* the filters leave it out: nothing is said of it */
	uint64_t ticks; /* of CPU that it had used when it was found */
	uint32_t ninterps;
	struct interp interps[WIRE_MAX_INTERPS];
};

/* A process whose memory or files do not answer. */
struct hanging {
	bool waits; /* for its next look */
	bool chosen;
};

struct procs {
	struct kern *kern;
	struct profile *profile;
	struct reader *reader;
	struct programs *programs;
	struct hmap *by_key; /* struct proc_key -> struct entry */
	VEC(struct py_layout) layouts;
	VEC(struct proc_key) dead, dying; /* ended, and counts may come; no more counts come */
	struct retries *retries;
	struct hmap *hanging; /* uint32_t pid -> struct hanging */
	VEC(struct procs_reason) reasons;
	struct strpool *texts;
	struct procs_pending pending;
	uint32_t python;
	bool need_gil;
	uint32_t filters; /* enum filter */
	void (*on_python)(void *ctx, uint32_t tgid);
	void *on_python_ctx;
};

struct procs *procs_new(struct kern *k, struct reader *r, struct profile *profile)
{
	struct procs *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->kern = k;
	p->profile = profile;
	p->reader = r;
	p->programs = programs_new(k);
	p->retries = retries_new();
	p->texts = strpool_new();
	p->hanging = hmap_new(sizeof(uint32_t), sizeof(struct hanging));
	p->by_key = hmap_new(sizeof(struct proc_key), sizeof(struct entry));
	if (!p->programs || !p->retries || !p->by_key || !p->texts || !p->hanging) {
		procs_free(p);
		return NULL;
	}
	return p;
}

void procs_on_python(struct procs *p, void (*fn)(void *ctx, uint32_t tgid), void *ctx)
{
	p->on_python = fn;
	p->on_python_ctx = ctx;
}

void procs_set_filters(struct procs *p, uint32_t filters)
{
	p->filters = filters;
}

void procs_need_gil(struct procs *p)
{
	p->need_gil = true;
}

void procs_free(struct procs *p)
{
	if (!p)
		return;
	programs_free(p->programs);
	hmap_free(p->by_key);
	hmap_free(p->hanging);
	strpool_free(p->texts);
	vec_done(&p->layouts);
	vec_done(&p->dead);
	vec_done(&p->dying);
	retries_free(p->retries);
	vec_done(&p->reasons);
	free(p);
}

/* --- what a look found -------------------------------------------------------------------------- */

/* Its number, or -ENOMEM. */
static int add_reason(struct procs *p, uint32_t pid, const struct err *why)
{
	const char *text = why->text;
	struct procs_reason *r, fresh = { .count = 1, .example = pid };
	uint32_t id;

	vec_each (&p->reasons, r) {
		if (!strcmp(r->text, text)) {
			if (!r->count++)
				r->example = pid;
			return r - p->reasons.at + 1;
		}
	}
	id = strpool_add(p->texts, text, strlen(text));
	if (id == UINT32_MAX)
		return -ENOMEM;
	fresh.text = strpool_str(p->texts, id);
	fresh.refused = why->code == -EPERM || why->code == -EACCES;
	return vec_push(&p->reasons, fresh) ?: (int)p->reasons.len;
}

/* Another process to name for this reason; those that have ended are not known any more. */
static void choose_example(struct procs *p, uint32_t reason)
{
	const void *key;
	size_t pos = 0;
	void *val;

	while (hmap_each(p->by_key, &pos, &key, &val))
		if (((const struct entry *)val)->reason == reason)
			p->reasons.at[reason - 1].example = ((const struct proc_key *)key)->tgid;
}

/* There is another answer now for a process that had this one. */
static void drop_reason(struct procs *p, uint32_t pid, uint32_t reason)
{
	struct procs_reason *r;

	if (!reason)
		return;
	r = &p->reasons.at[reason - 1];
	if (--r->count && r->example == pid)
		choose_example(p, reason);
}

static const struct interp *find_interp(const struct entry *e, uint32_t layout)
{
	for (uint32_t i = 0; i < e->ninterps; i++)
		if (e->interps[i].layout == layout)
			return &e->interps[i];
	return NULL;
}

/*
 * The index of an equal row that @e does not have already, or of a new one; -ENOSPC: too many
 * different interpreters.
 */
static int layout_index(struct procs *p, const struct entry *e, const struct py_layout *l)
{
	int err;

	for (size_t i = 0; i < p->layouts.len; i++)
		if (!memcmp(&p->layouts.at[i], l, sizeof(*l)) && !find_interp(e, i))
			return i;
	if (p->layouts.len == WIRE_MAX_LAYOUTS)
		return -ENOSPC;
	err = kern_set_layout(p->kern, p->layouts.len, l);
	if (!err)
		err = vec_push(&p->layouts, *l);
	return err ? err : (int)p->layouts.len - 1;
}

static const char *flavour(const struct py_layout *l)
{
	static const char *const flavours[PY_FLAVOURS] = {
		[0] = "",
		[PY_DEBUG] = "d",
		[PY_FREE_THREADED] = "t",
		[PY_FREE_THREADED | PY_DEBUG] = "td",
		[PY_NEWER] = " (newer than krait)",
		[PY_NEWER | PY_DEBUG] = "d (newer than krait)",
		[PY_NEWER | PY_FREE_THREADED] = "t (newer than krait)",
		[PY_NEWER | PY_FREE_THREADED | PY_DEBUG] = "td (newer than krait)",
	};

	return flavours[l->flavour & (PY_FLAVOURS - 1)];
}

/* "3.9", or "3.9 + 3.11t" where there are several; what follows the first is its flavour. */
static int set_version(struct procs *p, const struct entry *e)
{
	const struct py_layout *first;
	_cleanup_(buf_done) struct buf text = {};
	uint32_t id = UINT32_MAX;

	if (!e->ninterps)
		return 0;
	first = &p->layouts.at[e->interps[0].layout];
	buf_str(&text, flavour(first));
	for (uint32_t i = 1; i < e->ninterps; i++) {
		const struct py_layout *l = &p->layouts.at[e->interps[i].layout];

		buf_printf(&text, " + %u.%u%s", l->version >> 8, l->version & 0xff, flavour(l));
	}
	if (!text.err)
		id = strpool_add(p->texts, text.len ? text.data : "", text.len);
	if (id == UINT32_MAX)
		return -ENOMEM;
	profile_set_process_version(p->profile, e->process, first->version,
				    strpool_str(p->texts, id));
	return 0;
}

static int add_interp(struct procs *p, struct entry *e, struct python *py)
{
	int layout = layout_index(p, e, &py->layout);

	if (layout < 0)
		return layout;
	py->info.kind = PROC_PYTHON;
	py->info.layout = layout;
	e->interps[e->ninterps++] = (struct interp){ layout, py->info.code_type };
	return 0;
}

/* Most short processes are never sampled: in the profile are those that were. */
static int show_process(struct procs *p, const struct proc_key *key, struct entry *e)
{
	if (e->process != PROFILE_NONE)
		return 0;
	e->process = profile_add_process(p->profile, key->tgid, e->comm);
	if (e->process == PROFILE_NONE)
		return -ENOMEM;
	profile_set_process_start(p->profile, e->process, key->start_ns, 0);
	return set_version(p, e);
}

static void set_comm(struct entry *e, const char *comm)
{
	snprintf(e->comm, sizeof(e->comm), "%.*s", WIRE_COMM - 1, comm ? comm : "");
}

/*
 * The entry of @key, with @e's content but its process: one that replaces another (a sample may be read
 * before the event) goes on where that was shown. NULL: out of memory.
 */
static struct entry *put_entry(struct procs *p, const struct proc_key *key, const struct entry *e)
{
	bool fresh;
	struct entry *slot = hmap_put(p->by_key, key, &fresh);
	uint32_t process, reason;

	if (!slot)
		return NULL;
	process = fresh ? PROFILE_NONE : slot->process;
	reason = fresh ? 0 : slot->reason;
	p->python -= !fresh && slot->kind == PROC_PYTHON;
	p->python += e->kind == PROC_PYTHON;
	*slot = *e;
	slot->process = process;
	drop_reason(p, key->tgid, reason);
	return process != PROFILE_NONE && set_version(p, slot) ? NULL : slot;
}

/*
 * Further interpreters go to a map of their own before the process's entry says how many there are.
 * What cannot be read, or has no place, is a reason beside those of whole processes.
 */
static int add_more(struct procs *p, const struct proc_key *key, struct entry *e,
		    struct python *main)
{
	struct python py;
	int err = 0;

	for (uint32_t i = 0; i < main->count && err >= 0; i++) {
		struct err why = {};
		int kind = -ENOENT;

		if (i != main->index)
			kind = reader_interpreter(p->reader, key->tgid, i, &py, &why);
		if (kind == DETECT_UNSUPPORTED && !e->unchosen)
			err = add_reason(p, key->tgid, &why);
		if (kind != DETECT_PYTHON)
			continue;
		if (e->ninterps == WIRE_MAX_INTERPS) {
			err_set(&why, -ENOSPC, "more than %d interpreters in one process",
				WIRE_MAX_INTERPS);
			err = e->unchosen ? 0 : add_reason(p, key->tgid, &why);
			break;
		}
		err = add_interp(p, e, &py);
		if (!err && !kern_set_more(p->kern, key, e->ninterps - 1, &py.info))
			main->info.more = e->ninterps - 1;
	}
	return err < 0 ? err : 0;
}

static int add_python(struct procs *p, const struct proc_key *key, struct entry *e,
		      struct python *py)
{
	int err = add_interp(p, e, py);

	return !err && py->count > 1 ? add_more(p, key, e, py) : err;
}

/* Samples that waited in the kernel's entry now have an owner, or never will. */
static void settle_pending(struct procs *p, const struct proc_info *old, const struct entry *e)
{
	uint64_t *of = &p->pending.ended;

	if (e)
		of = e->kind == PROC_OTHER ? &p->pending.other : &p->pending.python;
	if (old->kind == PROC_PENDING)
		*of += old->pending;
}

static int publish(struct procs *p, const struct proc_key *key, const struct entry *e,
		   struct proc_info *info)
{
	struct proc_info old;

	info->kind = e->kind;
	/* At the start, and on a large host that is when it counts, there is no entry to settle. */
	if (!kern_set_proc(p->kern, key, info, true))
		return 0;
	if (!kern_get_proc(p->kern, key, &old)) {
		info->exec_pages = old.exec_pages;
		settle_pending(p, &old, e);
	}
	return kern_set_proc(p->kern, key, info, false);
}

/* One that is looked at early may be looked at again for its first sample. */
static bool is_settled(const struct procs *p, const struct proc_key *key)
{
	struct proc_info info = {};

	return hmap_get(p->by_key, key) &&
	       (kern_get_proc(p->kern, key, &info) || info.kind != PROC_PENDING);
}

static void tell_python(const struct procs *p, const struct proc_key *key)
{
	if (p->on_python)
		p->on_python(p->on_python_ctx, key->tgid);
}

/* Where only those with a GIL are wanted. */
static int check_gil(const struct procs *p, int kind, const struct python *py, struct err *why)
{
	if (kind != DETECT_PYTHON || !p->need_gil || !(py->layout.flavour & PY_FREE_THREADED))
		return kind;
	err_set(why, -ENOTSUP, "free-threaded: it has no GIL that could be held; use --mode=wall");
	return DETECT_UNSUPPORTED;
}

static int add_unsupported(struct procs *p, const struct proc_key *key, struct entry *e,
			   const struct err *why)
{
	int reason = e->unchosen ? 0 : add_reason(p, key->tgid, why);

	if (reason < 0)
		return reason;
	e->reason = reason;
	return 0;
}

/*
 * When is a process looked at again whose answer is in doubt? Its samples ask; in wall-clock mode, in
 * which it may have none, the clock asks, too, for a while.
 */
static int doubt(struct procs *p, const struct subject *who, struct entry *e,
		 struct proc_info *info)
{
	const struct entry *known = hmap_get(p->by_key, &who->key);
	uint32_t doubts = known ? known->doubts : 0;

	info->again_ms = retries_doubt_ms(doubts);
	info->pending = clock_ns();
	e->doubts = doubts + 1;
	return p->on_python ? retries_add_again(p->retries, who, doubts) : 0;
}

static uint64_t cpu_ticks(pid_t pid)
{
	struct proc_stat stat;

	return procfs_stat(pid, &stat) ? 0 : stat.utime_ticks + stat.stime_ticks;
}

/* Makes the entry of a process that was looked at. A full table is the kernel's to count. */
static int settle(struct procs *p, const struct subject *who, int kind, struct python *py,
		  const struct err *why)
{
	struct entry e = { .kind = PROC_OTHER };
	struct err no_gil = {};
	int err = 0;

	if (check_gil(p, kind, py, &no_gil) != kind) {
		kind = DETECT_UNSUPPORTED;
		why = &no_gil;
	}
	if (kind == DETECT_EXPECTED) /* for too long */
		kind = DETECT_UNSUPPORTED;
	set_comm(&e, who->comm);
	e.unchosen = who->unchosen;
	if (kind == DETECT_PYTHON) {
		e.kind = PROC_PYTHON;
		e.ticks = e.unchosen ? 0 : cpu_ticks(who->key.tgid);
		err = add_python(p, &who->key, &e, py);
	} else {
		memset(&py->info, 0, sizeof(py->info));
		if (kind == DETECT_UNSUPPORTED) {
			e.kind = PROC_UNSUPPORTED;
			err = add_unsupported(p, &who->key, &e, why);
		}
		if (!err && py->doubt)
			err = doubt(p, who, &e, &py->info);
	}
	if (err)
		return err;
	if (!put_entry(p, &who->key, &e))
		return -ENOMEM;
	publish(p, &who->key, &e, &py->info);
	if (e.kind == PROC_PYTHON)
		tell_python(p, &who->key);
	return 0;
}

/* --- what it tells of others with the same program ---------------------------------------------- */

/* Only of one that is initialised: then its live memory has agreed with the layout. */
static int learn(struct procs *p, const struct subject *who, struct python *py, int look)
{
	if (py->reusable && !py->agrees && !programs_has(p->programs, &who->exe))
		return retries_add_program(p->retries, who, look);
	if (!py->reusable || !py->agrees)
		return 0;
	py->program.info = py->info;
	py->program.info.kind = PROC_PYTHON;
	return programs_learn(p->programs, &who->key, &who->exe, &py->program);
}

static int look_for_program(struct procs *p, const struct retry *r)
{
	const struct entry *e = hmap_get(p->by_key, &r->who.key);
	struct python py = {};
	struct err why;

	if (!e || !e->ninterps || programs_has(p->programs, &r->who.exe))
		return 0;
	if (reader_look(p->reader, r->who.key.tgid, r->who.tid, &py, &why) != DETECT_PYTHON)
		return 0;
	py.info.layout = e->interps[0].layout;
	if (memcmp(&p->layouts.at[py.info.layout], &py.layout, sizeof(py.layout)))
		return 0;
	return learn(p, &r->who, &py, r->look);
}

/* Asked because a mapping that moves while it is read, at the start of a program, looks the same. */
static bool is_gone(uint32_t tgid)
{
	return kill(tgid, 0) && errno == ESRCH;
}

/* One interpreter cannot be read; perhaps another one of the process can. */
static int look_beside(struct procs *p, const struct proc_key *key, struct python *py)
{
	struct python other;
	struct err why;

	for (uint32_t i = 1; i < py->count; i++) {
		if (reader_interpreter(p->reader, key->tgid, i, &other, &why) == DETECT_PYTHON) {
			*py = other;
			return DETECT_PYTHON;
		}
	}
	return DETECT_UNSUPPORTED;
}

/* An interpreter was found, or is expected: no row may say anything else. */
static int tell_program(struct procs *p, const struct subject *who, int kind, struct python *py,
			int look)
{
	if (kind != DETECT_PYTHON || !programs_has(p->programs, &who->exe))
		programs_drop(p->programs, &who->exe);
	return kind == DETECT_PYTHON ? learn(p, who, py, look) : 0;
}

/*
 * None was found in what is mapped. Of the executable that is the truth at once, and serves others; the
 * process may still map one, so for it a "no" is final with the last look. Early, its first sample asks
 * again, if there ever is one.
 */
static int look_again(struct procs *p, const struct subject *who, struct python *py, int look)
{
	int err = 0;

	if (look == EARLY_LOOK)
		return 0;
	if (!py->doubt)
		err = programs_learn_other(p->programs, &who->key, &who->exe);
	if (err || !retries_add(p->retries, who, look, RETRY_NONE))
		return err;
	return settle(p, who, DETECT_OTHER, py, NULL);
}

static int reader_ended(struct err *why)
{
	err_set(why, -EIO, "what looked at it has ended; please report this");
	return DETECT_UNSUPPORTED;
}

/*
 * reader_look(), or -ESRCH: it is gone, and its exit event comes, or came; or -ETIMEDOUT: it hangs. What
 * cannot be looked at for another reason is nothing of which anything is known, in doubt.
 */
static int look_closely(struct procs *p, const struct subject *who, struct python *py,
			struct err *why)
{
	uint32_t tgid = who->key.tgid;
	int kind = reader_look(p->reader, tgid, who->tid, py, why);

	if (kind == DETECT_UNSUPPORTED)
		kind = look_beside(p, &who->key, py);
	if (kind != -ETIMEDOUT)
		hmap_del(p->hanging, &tgid);
	if (kind >= 0 || kind == -ENOMEM)
		return kind;
	if (is_gone(tgid)) {
		hmap_del(p->hanging, &tgid);
		return -ESRCH;
	}
	if (kind == -ETIMEDOUT)
		return kind;
	if (kind == -EIO)
		return reader_ended(why);
	py->doubt = true;
	return DETECT_OTHER;
}

/* What hangs costs nothing but a moment at first; so it is looked at until it answers, or is gone. */
static int look_when_it_answers(struct procs *p, const struct subject *who, int look, bool again)
{
	enum { PAUSE_NS = 1000000000 };
	struct hanging *h = hmap_put(p->hanging, &who->key.tgid, NULL);

	if (!h)
		return -ENOMEM;
	h->chosen |= !who->unchosen;
	if (h->waits)
		return 0;
	h->waits = true;
	return retries_add_later(p->retries, who, look, again, PAUSE_NS);
}

/* Looks at a process for the @look-th time (LAST_LOOK: a "no" is final). */
static int look_at(struct procs *p, const struct subject *who, int look)
{
	struct python py = {};
	struct err why = {};
	int kind, err;

	if (is_settled(p, &who->key))
		return 0;
	kind = look_closely(p, who, &py, &why);
	if (kind == -ETIMEDOUT)
		return look_when_it_answers(p, who, look, false);
	if (kind < 0)
		return kind == -ENOMEM ? kind : 0;
	if (kind == DETECT_OTHER)
		return look_again(p, who, &py, look);
	if (kind == DETECT_EXPECTED) {
		if (!retries_add(p->retries, who, look, RETRY_EXPECTED))
			return 0;
	} else if (kind == DETECT_UNSUPPORTED && py.doubt && why.code == -ENOTSUP &&
		   !retries_add(p->retries, who, look, RETRY_DOUBT)) {
		return 0;
	}
	err = settle(p, who, kind, &py, &why);
	return err ? err : tell_program(p, who, kind, &py, look);
}

/*
 * Looks at one that is settled: it may have loaded an interpreter, or the answer was in doubt. It stays what
 * it was said to be until that is known to be wrong.
 */
static int look_anew(struct procs *p, const struct subject *who)
{
	const struct entry *known = hmap_get(p->by_key, &who->key); /* a child of others has none */
	struct python py = {};
	struct err why = {};
	int kind, err;

	if (known && known->kind != PROC_OTHER && known->kind != PROC_UNSUPPORTED)
		return 0;
	kind = look_closely(p, who, &py, &why);
	if (kind == -ETIMEDOUT)
		return look_when_it_answers(p, who, FIRST_LOOK, true);
	if (kind < 0)
		return kind == -ENOMEM ? kind : 0;
	if (kind == DETECT_OTHER && !py.doubt && (!known || !known->doubts))
		return 0; /* the kernel's entry knows when it was asked about */
	err = settle(p, who, kind, &py, &why);
	if (err || kind == DETECT_OTHER)
		return err;
	return tell_program(p, who, kind, &py, FIRST_LOOK);
}

/* --- all processes ------------------------------------------------------------------------------ */

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

/* Those of @keys whose process is not in the list have ended. */
static int bury_missing(struct procs *p, const struct hmap *keys, const struct listing *l)
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
		if (!hmap_get(live, key) && vec_push(&p->dead, *(const struct proc_key *)key))
			return -ENOMEM;
	return 0;
}

/*
 * All that have an entry: of programs that are no Python the kernel makes some by itself. NULL: out of
 * memory. While keys come and go the next one may be the first again, so their number is bounded.
 */
static struct hmap *all_keys(struct procs *p)
{
	enum { STEPS = 1 << 20 };
	struct hmap *keys = hmap_new(sizeof(struct proc_key), 0);
	const void *known;
	struct proc_key key, *last = NULL;
	bool ok = keys;
	size_t pos = 0;

	while (ok && hmap_each(p->by_key, &pos, &known, NULL))
		ok = hmap_put(keys, known, NULL);
	for (int i = 0; ok && i < STEPS && !kern_next_proc(p->kern, last, &key); i++) {
		ok = hmap_put(keys, &key, NULL);
		last = &key;
	}
	if (ok)
		return keys;
	hmap_free(keys);
	return NULL;
}

/* --- events ------------------------------------------------------------------------------------- */

static bool has_chosen_thread(const struct procs *p, uint32_t tgid)
{
	procfs_pids tids = {};
	const pid_t *tid;
	bool found = false;

	procfs_list_threads(tgid, &tids);
	vec_each (&tids, tid)
		found |= kern_has_tid(p->kern, *tid);
	vec_done(&tids);
	return found;
}

static bool is_chosen(const struct procs *p, const struct wire_task *task)
{
	return task->chosen && (!(p->filters & BY_TID) || has_chosen_thread(p, task->proc.tgid));
}

static int on_task(struct procs *p, const struct wire_task *task)
{
	const struct subject who = { .key = task->proc,
				     .exe = task->exe,
				     .unchosen = !is_chosen(p, task),
				     .comm = task->comm };

	/* What runs already has long mapped what it will; one that links libpython is asked again. */
	return task->kthread ? 0 : look_at(p, &who, ONLY_LOOK);
}

static int look_ahead(struct procs *p, const struct listing *l)
{
	_free_ pid_t *pids = calloc(l->tasks.len + 1, sizeof(*pids));
	const struct wire_task *t;
	size_t n = 0;

	if (!pids)
		return -ENOMEM;
	vec_each (&l->tasks, t)
		if (!t->kthread)
			pids[n++] = t->proc.tgid;
	return reader_look_ahead(p->reader, pids, n);
}

static int look_at_listed(struct procs *p)
{
	_cleanup_(listing_done) struct listing l = {};
	const struct wire_task *t;
	int err = kern_list_tasks(p->kern, add_task, &l);

	if (!err)
		err = look_ahead(p, &l);
	vec_each (&l.tasks, t)
		if (!err)
			err = on_task(p, t);
	reader_look_done(p->reader);
	return err;
}

int procs_fill(struct procs *p)
{
	_cleanup_(listing_done) struct listing l = {};
	int err = look_at_listed(p);

	if (!err)
		err = programs_confirm(p->programs);
	/* One that ended between its look and its entry has told nobody. */
	if (!err)
		err = kern_list_tasks(p->kern, add_task, &l);
	return err ? err : bury_missing(p, p->by_key, &l);
}

static int on_fork(struct procs *p, const struct wire_event *e)
{
	const struct subject who = { .key = e->proc };
	const struct entry *parent = hmap_get(p->by_key, &e->parent);
	struct entry copy;

	if (!parent)
		return look_at(p, &who, ONLY_LOOK);
	copy = *parent;
	copy.lives = 0;
	copy.reason = copy.doubts = 0;
	copy.ticks = 0;
	if (p->filters & BY_PID)
		copy.unchosen = !kern_has_pid(p->kern, e->proc.tgid);
	if (parent->process != PROFILE_NONE)
		set_comm(&copy, profile_process(p->profile, parent->process)->comm);
	if (!put_entry(p, &e->proc, &copy))
		return -ENOMEM;
	if (copy.kind == PROC_PYTHON)
		tell_python(p, &e->proc);
	return 0;
}

/* The kernel has made the entry of a program that it knows; all that is to be told stands here. */
static int on_known(struct procs *p, const struct wire_event *e)
{
	struct entry fresh = { .kind = PROC_PYTHON, .ninterps = 1 };

	if (e->layout >= p->layouts.len)
		return -EBADMSG;
	/* Of what other filters choose the first sample tells. */
	fresh.unchosen =
		p->filters && !((p->filters & BY_PID) && kern_has_pid(p->kern, e->proc.tgid));
	fresh.interps[0] = (struct interp){ e->layout, e->code_type };
	if (!put_entry(p, &e->proc, &fresh))
		return -ENOMEM;
	tell_python(p, &e->proc);
	return 0;
}

static int on_again(struct procs *p, const struct wire_event *e)
{
	const struct subject who = { .key = e->proc, .tid = e->tid, .exe = e->exe };

	return look_anew(p, &who);
}

static int on_gone(struct procs *p, const struct wire_event *e)
{
	return vec_push(&p->dead, e->proc);
}

static int on_new(struct procs *p, const struct wire_event *e, int look)
{
	const struct subject who = { .key = e->proc, .tid = e->tid, .exe = e->exe };
	int err = look_at(p, &who, look);

	return err ? err : programs_confirm(p->programs);
}

int procs_event(struct procs *p, const struct wire_event *e)
{
	switch (e->kind) {
	case EVENT_UNKNOWN:
		return on_new(p, e, FIRST_LOOK);
	case EVENT_EXEC:
		return on_new(p, e, EARLY_LOOK);
	case EVENT_KNOWN:
		return on_known(p, e);
	case EVENT_AGAIN:
		return on_again(p, e);
	case EVENT_FORK:
		return on_fork(p, e);
	case EVENT_EXIT:
		return on_gone(p, e);
	}
	return -EBADMSG;
}

int procs_thread(struct procs *p, const struct wire_thread *t)
{
	uint32_t index = procs_thread_index(p, &t->proc, t->tid, t->life);
	const struct entry *e = hmap_get(p->by_key, &t->proc);

	if (index == PROFILE_NONE)
		return -ENOMEM;
	if (e && profile_has_life(p->profile, e->process, t->tid, t->life)) {
		profile_set_thread_comm(p->profile, index, t->comm);
		profile_set_thread_start(p->profile, index, t->start_ns);
	}
	if (e && e->process != PROFILE_NONE)
		profile_set_process_comm(p->profile, e->process, t->leader_comm);
	return 0;
}

int64_t procs_retry(struct procs *p)
{
	int64_t now = clock_ns();
	struct retry r;

	while (retries_due(p->retries, now, &r)) {
		struct hanging *h = hmap_get(p->hanging, &r.who.key.tgid);

		if (h)
			h->waits = false;
		if (r.program)
			look_for_program(p, &r); /* may add one for later */
		else if (r.again)
			look_anew(p, &r.who);
		else
			look_at(p, &r.who, r.look); /* so may this */
	}
	programs_confirm(p->programs);
	return retries_wait(p->retries, now);
}

static void forget(struct procs *p, const struct proc_key *key)
{
	const struct entry *e = hmap_get(p->by_key, key);
	struct proc_info old;

	if (!kern_get_proc(p->kern, key, &old))
		settle_pending(p, &old, e);
	if (e && e->kind == PROC_PYTHON)
		p->python--;
	for (uint32_t i = 1; e && i < e->ninterps; i++)
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

/* One pass: children of the wanted become wanted. Returns how many did, or -errno. */
static int follow_once(struct procs *p, const struct listing *l, struct hmap *wanted)
{
	const struct wire_task *t;
	bool fresh;
	int n = 0;

	vec_each (&l->tasks, t) {
		if (!hmap_get(wanted, &t->ppid) || hmap_get(wanted, &t->proc.tgid))
			continue;
		if (!hmap_put(wanted, &t->proc.tgid, &fresh) || kern_add_pid(p->kern, t->proc.tgid))
			return -ENOMEM;
		n++;
	}
	return n;
}

int procs_follow(struct procs *p, const uint32_t *pids, size_t n)
{
	_cleanup_(hmap_freep) struct hmap *wanted = hmap_new(sizeof(uint32_t), 0);
	int added;

	for (size_t i = 0; i < n; i++)
		if (!wanted || !hmap_put(wanted, &pids[i], NULL))
			return -ENOMEM;
	/* Listed anew until nothing is new: a child may have been forked before its parent was added. */
	do {
		_cleanup_(listing_done) struct listing l = {};

		added = kern_list_tasks(p->kern, add_task, &l);
		if (!added)
			added = follow_once(p, &l, wanted);
	} while (added > 0);
	return added;
}

int procs_resync(struct procs *p)
{
	/* Before the list: what is born after it lives. */
	_cleanup_(hmap_freep) struct hmap *keys = all_keys(p);
	_cleanup_(listing_done) struct listing l = {};
	const struct wire_task *t;
	int err = keys ? kern_list_tasks(p->kern, add_task, &l) : -ENOMEM;

	if (!err)
		err = bury_missing(p, keys, &l);
	vec_each (&l.tasks, t)
		if (!err && !hmap_get(p->by_key, &t->proc))
			err = on_task(p, t);
	return err ? err : programs_confirm(p->programs);
}

/* --- questions ---------------------------------------------------------------------------------- */

static void adopt_interp(struct procs *p, struct entry *e, const struct proc_info *info)
{
	if (info->layout < p->layouts.len && e->ninterps < WIRE_MAX_INTERPS)
		e->interps[e->ninterps++] = (struct interp){ info->layout, info->code_type };
}

/* A process whose event was lost, but whose samples arrive: the kernel's entry knows its layout. */
static struct entry *adopt(struct procs *p, const struct proc_key *key)
{
	struct entry fresh = { .kind = PROC_PYTHON };
	struct entry *e = hmap_get(p->by_key, key);
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

/* A program may take a new name for each thing that it does; what is beyond these has one in common. */
enum { LIVES = 16384 };

uint32_t procs_thread_index(struct procs *p, const struct proc_key *key, uint32_t tid,
			    uint64_t life)
{
	struct entry *e = adopt(p, key);
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
	const struct entry *e = hmap_get(p->by_key, key);

	return e && e->process != PROFILE_NONE &&
	       profile_has_life(p->profile, e->process, tid, life);
}

bool procs_layout(const struct procs *p, const struct proc_key *key, uint32_t layout,
		  const struct py_layout **ret, uint64_t *ret_code_type)
{
	const struct entry *e = hmap_get(p->by_key, key);
	const struct interp *interp;

	if (layout >= p->layouts.len)
		return false;
	*ret = &p->layouts.at[layout];
	interp = e ? find_interp(e, layout) : NULL;
	*ret_code_type = interp ? interp->code_type : 0;
	return true;
}

struct procs_pending procs_pending(const struct procs *p)
{
	return p->pending;
}

const struct procs_reason *procs_reasons(const struct procs *p, size_t *n)
{
	*n = p->reasons.len;
	return p->reasons.at;
}

bool procs_hanging(const struct procs *p, size_t *pos, uint32_t *ret_pid)
{
	const void *pid;
	void *h;

	while (hmap_each(p->hanging, pos, &pid, &h)) {
		*ret_pid = *(const uint32_t *)pid;
		if (((const struct hanging *)h)->chosen)
			return true;
	}
	return false;
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
		const struct entry *e = val;

		if (e->kind != PROC_PYTHON || e->unchosen)
			continue;
		n++;
		now = ret_cpu_seconds ? cpu_ticks(((const struct proc_key *)key)->tgid) : 0;
		ticks += now > e->ticks ? now - e->ticks : 0;
	}
	if (ret_cpu_seconds)
		*ret_cpu_seconds = (double)ticks / hz;
	return n;
}

/* Of a process that executed something else meanwhile: what it is now. */
static const struct entry *newest(const struct procs *p, uint32_t tgid)
{
	const struct entry *found = NULL;
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

enum proc_kind procs_kind(const struct procs *p, uint32_t tgid, struct err *why, bool *doubt)
{
	const struct entry *e = newest(p, tgid);
	struct python py = {};
	int kind;

	if (e && e->kind == PROC_PYTHON)
		return PROC_PYTHON;
	kind = reader_look(p->reader, tgid, 0, &py, why);
	*doubt = py.doubt || kind == DETECT_EXPECTED || kind == -ETIMEDOUT;
	if (kind == DETECT_PYTHON)
		return PROC_PYTHON;
	if (kind == -ETIMEDOUT) {
		err_set(why, kind, "its memory or its files do not answer");
		return PROC_UNSUPPORTED;
	}
	return kind == DETECT_UNSUPPORTED || kind == DETECT_EXPECTED ? PROC_UNSUPPORTED
								     : PROC_OTHER;
}
