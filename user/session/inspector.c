/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	a process ─► look ─┬─ Python, or one that cannot be recorded ─► entry (procs.c) ─► program (programs.c)
 *	                   ├─ too young to tell ─► look again, PROC_PENDING until then
 *	                   ├─ in doubt ─► entry; EVENT_AGAIN while it is sampled, at growing intervals
 *	                   └─ hangs ─► look again until it responds, or has ended
 *
 * Right after exec a process has no interpreter mapped yet, so "not Python" is final only after the last look.
 * Until then its samples are counted as pending. A result is in doubt, and never final, if it depends on a
 * momentary state of memory or on a file that could not be read: the kernel then asks again.
 */
#include "session/inspector.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hmap.h"
#include "proc/procfs.h"
#include "session/programs.h"
#include "session/reader.h"

/* A process that hangs: reading its memory or files blocks. */
struct hanging {
	bool waits; /* its next look is scheduled */
	bool chosen;
};

struct inspector {
	struct kern *kern;
	struct reader *reader;
	struct procs *procs;
	struct programs *programs;
	struct retries *retries;
	struct hmap *hanging; /* uint32_t pid -> struct hanging */
	bool need_gil;
};

struct inspector *inspector_new(struct kern *k, struct reader *r, struct procs *p)
{
	struct inspector *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->kern = k;
	i->reader = r;
	i->procs = p;
	i->programs = programs_new(k);
	i->retries = retries_new();
	i->hanging = hmap_new(sizeof(uint32_t), sizeof(struct hanging));
	if (!i->programs || !i->retries || !i->hanging) {
		inspector_free(i);
		return NULL;
	}
	return i;
}

void inspector_free(struct inspector *i)
{
	if (!i)
		return;
	programs_free(i->programs);
	retries_free(i->retries);
	hmap_free(i->hanging);
	free(i);
}

void inspector_need_gil(struct inspector *i)
{
	i->need_gil = true;
}

/* --- results of a look ------------------------------------------------------------------------ */

/*
 * Adds further interpreters of a process to a map of their own, before the process's entry says how many there
 * are. An interpreter that cannot be read, or exceeds the limit, is counted as a reason, as processes are.
 */
static int add_more(struct inspector *i, const struct proc_key *key, struct procs_entry *e,
		    struct python *main)
{
	struct python py;
	int err = 0;

	for (uint32_t k = 0; k < main->count && err >= 0; k++) {
		struct err why = {};
		int kind = -ENOENT;

		if (k != main->index)
			kind = reader_interpreter(i->reader, key->tgid, k, &py, &why);
		if (kind == DETECT_UNSUPPORTED && !e->unchosen)
			err = procs_add_reason(i->procs, key->tgid, &why);
		if (kind != DETECT_PYTHON)
			continue;
		if (e->interps.n == WIRE_MAX_INTERPS) {
			err_set(&why, -ENOSPC, "more than %d interpreters in one process",
				WIRE_MAX_INTERPS);
			err = e->unchosen ? 0 : procs_add_reason(i->procs, key->tgid, &why);
			break;
		}
		err = procs_add_interp(i->procs, e, &py);
		if (!err && !kern_set_more(i->kern, key, e->interps.n - 1, &py.info))
			main->info.more = e->interps.n - 1;
	}
	return err < 0 ? err : 0;
}

static int add_python(struct inspector *i, const struct proc_key *key, struct procs_entry *e,
		      struct python *py)
{
	int err = procs_add_interp(i->procs, e, py);

	return !err && py->count > 1 ? add_more(i, key, e, py) : err;
}

/* Rejects interpreters without a GIL if one is needed. */
static int check_gil(const struct inspector *i, int kind, const struct python *py, struct err *why)
{
	if (kind != DETECT_PYTHON || !i->need_gil || !(py->layout.flavour & PY_FREE_THREADED))
		return kind;
	err_set(why, -ENOTSUP, "free-threaded: it has no GIL; use --mode=wall");
	return DETECT_UNSUPPORTED;
}

static int add_unsupported(struct inspector *i, const struct proc_key *key, struct procs_entry *e,
			   const struct err *why)
{
	int reason = e->unchosen ? 0 : procs_add_reason(i->procs, key->tgid, why);

	if (reason < 0)
		return reason;
	e->reason = reason;
	return 0;
}

/*
 * Arranges the next look at a process in doubt. The kernel asks for one on a later sample; in wall-clock mode,
 * where the process may never be sampled on a CPU, looks are also scheduled by time, for a while.
 */
static int doubt(struct inspector *i, const struct subject *who, struct procs_entry *e,
		 struct proc_info *info)
{
	const struct procs_entry *known = procs_get(i->procs, &who->key);
	uint32_t doubts = known ? known->doubts : 0;

	info->again_ms = retries_doubt_ms(doubts);
	info->pending = clock_ns();
	e->doubts = doubts + 1;
	return procs_has_listener(i->procs) ? retries_add_again(i->retries, who, doubts) : 0;
}

/* Enters the result of a look in the table of processes. */
static int settle(struct inspector *i, const struct subject *who, int kind, struct python *py,
		  const struct err *why)
{
	struct procs_entry e = { .kind = PROC_OTHER };
	struct err no_gil = {};
	int err = 0;

	if (check_gil(i, kind, py, &no_gil) != kind) {
		kind = DETECT_UNSUPPORTED;
		why = &no_gil;
	}
	if (kind == DETECT_EXPECTED) /* the expected library was never mapped */
		kind = DETECT_UNSUPPORTED;
	procs_set_comm(&e, who->comm);
	e.unchosen = who->unchosen;
	if (kind == DETECT_PYTHON) {
		e.kind = PROC_PYTHON;
		e.ticks = e.unchosen ? 0 : procfs_cpu_ticks(who->key.tgid);
		err = add_python(i, &who->key, &e, py);
	} else {
		memset(&py->info, 0, sizeof(py->info));
		if (kind == DETECT_UNSUPPORTED) {
			e.kind = PROC_UNSUPPORTED;
			err = add_unsupported(i, &who->key, &e, why);
		}
		if (!err && py->doubt)
			err = doubt(i, who, &e, &py->info);
	}
	return err ? err : procs_settle(i->procs, &who->key, &e, &py->info);
}

/* --- what is learned about the executable ----------------------------------------------------- */

/* Learns only from an initialised interpreter: only its memory can confirm the layout. */
static int learn(struct inspector *i, const struct subject *who, struct python *py, int look)
{
	if (py->reusable && !py->agrees && !programs_has(i->programs, &who->exe))
		return retries_add_program(i->retries, who, look);
	if (!py->reusable || !py->agrees)
		return 0;
	py->program.info = py->info;
	py->program.info.kind = PROC_PYTHON;
	return programs_learn(i->programs, &who->key, &who->exe, &py->program);
}

static int look_for_program(struct inspector *i, const struct retry *r)
{
	const struct procs_entry *e = procs_get(i->procs, &r->who.key);
	const struct py_layout *known;
	struct python py = {};
	uint64_t code_type;
	struct err why;

	if (!e || !e->interps.n || programs_has(i->programs, &r->who.exe))
		return 0;
	if (reader_look(i->reader, r->who.key.tgid, r->who.tid, &py, &why) != DETECT_PYTHON)
		return 0;
	py.info.layout = e->interps.at[0].layout;
	if (!procs_layout(i->procs, &r->who.key, py.info.layout, &known, &code_type) ||
	    memcmp(known, &py.layout, sizeof(py.layout)) != 0)
		return 0;
	return learn(i, &r->who, &py, r->look);
}

/* An interpreter was found, or is expected: drop a row that disagrees. */
static int tell_program(struct inspector *i, const struct subject *who, int kind, struct python *py,
			int look)
{
	if (kind != DETECT_PYTHON || !programs_has(i->programs, &who->exe))
		programs_drop(i->programs, &who->exe);
	return kind == DETECT_PYTHON ? learn(i, who, py, look) : 0;
}

int inspector_confirm(struct inspector *i)
{
	return programs_confirm(i->programs);
}

/* --- looks ------------------------------------------------------------------------------------ */

/* Has the process ended? The failed read alone does not tell: mappings that change at program start also fail. */
static bool is_gone(uint32_t tgid)
{
	return kill(tgid, 0) && errno == ESRCH;
}

/* The first interpreter is unsupported; look for another one in the process that is not. */
static int look_beside(struct inspector *i, const struct proc_key *key, struct python *py)
{
	struct python other;
	struct err why;

	for (uint32_t k = 1; k < py->count; k++) {
		if (reader_interpreter(i->reader, key->tgid, k, &other, &why) == DETECT_PYTHON) {
			*py = other;
			return DETECT_PYTHON;
		}
	}
	return DETECT_UNSUPPORTED;
}

/*
 * No interpreter is mapped. For the executable this is final at once and is learned for other processes. The
 * process may still map a library, so for itself the result is final only after the last look. After an early
 * look nothing is scheduled: its first sample, if any, triggers the next one.
 */
static int look_again(struct inspector *i, const struct subject *who, struct python *py, int look)
{
	int err = 0;

	if (look == EARLY_LOOK)
		return 0;
	if (!py->doubt)
		err = programs_learn_other(i->programs, &who->key, &who->exe);
	if (err || !retries_add(i->retries, who, look, RETRY_NONE))
		return err;
	return settle(i, who, DETECT_OTHER, py, NULL);
}

static int reader_ended(struct err *why)
{
	err_set(why, -EIO, "the helper that examined it has ended; please report this");
	return DETECT_UNSUPPORTED;
}

/*
 * reader_look(), with errors sorted out. -ESRCH: the process has ended, and its exit event takes care of it;
 * -ETIMEDOUT: it hangs. Any other error becomes DETECT_OTHER, in doubt.
 */
static int look_closely(struct inspector *i, const struct subject *who, struct python *py,
			struct err *why)
{
	uint32_t tgid = who->key.tgid;
	int kind = reader_look(i->reader, tgid, who->tid, py, why);

	if (kind == DETECT_UNSUPPORTED)
		kind = look_beside(i, &who->key, py);
	if (kind != -ETIMEDOUT)
		hmap_del(i->hanging, &tgid);
	if (kind >= 0 || kind == -ENOMEM)
		return kind;
	if (is_gone(tgid)) {
		hmap_del(i->hanging, &tgid);
		return -ESRCH;
	}
	if (kind == -ETIMEDOUT)
		return kind;
	if (kind == -EIO)
		return reader_ended(why);
	py->doubt = true;
	return DETECT_OTHER;
}

/* Only the first read of a hanging process costs time, so it is examined again until it responds or ends. */
static int look_when_it_answers(struct inspector *i, const struct subject *who, int look,
				bool again)
{
	enum { PAUSE_NS = 1000000000 };
	struct hanging *h = hmap_put(i->hanging, &who->key.tgid, NULL);

	if (!h)
		return -ENOMEM;
	h->chosen |= !who->unchosen;
	if (h->waits)
		return 0;
	h->waits = true;
	return retries_add_later(i->retries, who, look, again, PAUSE_NS);
}

int inspector_look(struct inspector *i, const struct subject *who, int look)
{
	struct python py = {};
	struct err why = {};
	int kind, err;

	if (procs_is_settled(i->procs, &who->key))
		return 0;
	kind = look_closely(i, who, &py, &why);
	if (kind == -ETIMEDOUT)
		return look_when_it_answers(i, who, look, false);
	if (kind < 0)
		return kind == -ENOMEM ? kind : 0;
	if (kind == DETECT_OTHER)
		return look_again(i, who, &py, look);
	if (kind == DETECT_EXPECTED) {
		if (!retries_add(i->retries, who, look, RETRY_EXPECTED))
			return 0;
	} else if (kind == DETECT_UNSUPPORTED && py.doubt && why.code == -ENOTSUP &&
		   !retries_add(i->retries, who, look, RETRY_DOUBT)) {
		return 0;
	}
	err = settle(i, who, kind, &py, &why);
	return err ? err : tell_program(i, who, kind, &py, look);
}

int inspector_look_anew(struct inspector *i, const struct subject *who)
{
	const struct procs_entry *known =
		procs_get(i->procs, &who->key); /* NULL: a child of a process without an entry */
	struct python py = {};
	struct err why = {};
	int kind, err;

	if (known && known->kind != PROC_OTHER && known->kind != PROC_UNSUPPORTED)
		return 0;
	kind = look_closely(i, who, &py, &why);
	if (kind == -ETIMEDOUT)
		return look_when_it_answers(i, who, FIRST_LOOK, true);
	if (kind < 0)
		return kind == -ENOMEM ? kind : 0;
	if (kind == DETECT_OTHER && !py.doubt && (!known || !known->doubts))
		return 0; /* nothing new; the kernel's entry has the time of this request */
	err = settle(i, who, kind, &py, &why);
	if (err || kind == DETECT_OTHER)
		return err;
	return tell_program(i, who, kind, &py, FIRST_LOOK);
}

int64_t inspector_retry(struct inspector *i)
{
	int64_t now = clock_ns();
	struct retry r;

	while (retries_due(i->retries, now, &r)) {
		struct hanging *h = hmap_get(i->hanging, &r.who.key.tgid);

		if (h)
			h->waits = false;
		if (r.program)
			look_for_program(i, &r); /* may schedule another look */
		else if (r.again)
			inspector_look_anew(i, &r.who);
		else
			inspector_look(i, &r.who, r.look); /* likewise */
	}
	programs_confirm(i->programs);
	return retries_wait(i->retries, now);
}

/* --- questions -------------------------------------------------------------------------------- */

bool inspector_hanging(const struct inspector *i, size_t *pos, uint32_t *ret_pid)
{
	const void *pid;
	void *h;

	while (hmap_each(i->hanging, pos, &pid, &h)) {
		*ret_pid = *(const uint32_t *)pid;
		if (((const struct hanging *)h)->chosen)
			return true;
	}
	return false;
}

enum proc_kind inspector_kind(const struct inspector *i, uint32_t tgid, struct err *why,
			      bool *doubt)
{
	const struct procs_entry *e = procs_newest(i->procs, tgid);
	struct python py = {};
	int kind;

	if (e && e->kind == PROC_PYTHON)
		return PROC_PYTHON;
	kind = reader_look(i->reader, tgid, 0, &py, why);
	*doubt = py.doubt || kind == DETECT_EXPECTED || kind == -ETIMEDOUT;
	if (kind == DETECT_PYTHON)
		return PROC_PYTHON;
	if (kind == -ETIMEDOUT) {
		err_set(why, kind, "its memory or files do not answer");
		return PROC_UNSUPPORTED;
	}
	return kind == DETECT_UNSUPPORTED || kind == DETECT_EXPECTED ? PROC_UNSUPPORTED
								     : PROC_OTHER;
}
