/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	look, arguments, ...   ask ──────────────► answer, or -ETIMEDOUT
 *	code objects           post ─► answer ──► codes_found()
 *	                         ▲  `─ -ETIMEDOUT ─► held ─┐
 *	                         └──────── each second ────┘
 *	names of threads       the same; also if threading does not know the thread yet
 *
 * The reads themselves are in reading.c, which runs in the helper process.
 */
#include "session/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hmap.h"
#include "base/vec.h"
#include "session/reading.h"

enum {
	HELD_MAX = 1 << 16,      /* code objects of processes that hang */
	HELD_EVERY = 1000000000, /* ns between two requests for them */
	ENGINES = 0,             /* the subject of requests for files of container engines */
	SERVED_MAX = 256,
};

/*
 * Reads that can hang independently have a subject each: if only the memory with a process's arguments does
 * not respond, everything else of it can still be read. Pids have 22 bits, so the kind fits above them.
 */
enum subject_kind { OF_PROCESS, OF_ARGUMENTS, OF_MOUNTS, OF_THREADS, OF_SOURCES };

static pid_t subject(pid_t pid, enum subject_kind kind)
{
	return pid | kind << 24;
}

/* A code object that is being read, or waits to be. */
struct held {
	struct reader *reader;
	struct code_wanted wanted;
};

/* A thread whose name is being read, or will be read again. */
struct naming {
	struct reader *reader;
	struct threadname_wanted wanted;
	uint32_t thread;
	int tries;
	void (*named)(void *ctx, uint32_t thread, const char *name);
	void *ctx;
};

struct reader {
	struct aside *aside;
	/* pid_t -> struct reading_looked *, NULL for DETECT_OTHER. No map: nothing was read ahead. */
	struct hmap *ahead;
	struct codes *codes;
	VEC(struct held *) held;
	VEC(struct naming *) unnamed; /* threads to ask for once more */
	VEC(struct reader_missing) missing;
	int64_t again; /* CLOCK_MONOTONIC ns of the next request for the held */
};

/* --- the reader ------------------------------------------------------------------------------- */

struct reader *reader_new(void)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->aside = aside_new(&reading_ops);
	if (r->aside)
		return r;
	free(r);
	return NULL;
}

void reader_free(struct reader *r)
{
	struct naming **n;
	struct held **h;

	if (!r)
		return;
	aside_free(r->aside);
	reader_look_done(r);
	vec_each (&r->held, h)
		free(*h);
	vec_done(&r->held);
	vec_each (&r->unnamed, n)
		free(*n);
	vec_done(&r->unnamed);
	vec_done(&r->missing);
	free(r);
}

int reader_follow(struct reader *r)
{
	return aside_follow(r->aside);
}

/* --- blocking requests ------------------------------------------------------------------------ */

/* The buffer for an answer; a longer answer is truncated. */
struct place {
	void *to;
	size_t size, len;
	int code;
};

static void take(void *ctx, int code, const void *data, size_t len)
{
	struct place *p = ctx;

	p->code = code;
	p->len = len < p->size ? len : p->size;
	if (p->len)
		memcpy(p->to, data, p->len);
}

static int ask(struct reader *r, enum reading_op op, pid_t about, const void *question,
	       struct place *p)
{
	int err = aside_ask(r->aside, about, op, question, reading_size(op), take, p);

	return err ? err : p->code;
}

static int ask_look(struct reader *r, enum reading_op op, const struct reading_who *who,
		    struct python *py, struct err *why)
{
	struct reading_looked l = {};
	struct place p = { .to = &l, .size = sizeof(l) };
	int kind = ask(r, op, who->pid, who, &p);

	if (p.len == sizeof(l)) {
		*py = l.py;
		*why = l.why;
	}
	return kind;
}

int reader_interpreter(struct reader *r, pid_t pid, uint32_t index, struct python *py,
		       struct err *why)
{
	return ask_look(r, READING_INTERPRETER, &(struct reading_who){ .pid = pid, .index = index },
			py, why);
}

int reader_build(struct reader *r, pid_t pid, struct python_build *ret)
{
	const struct reading_who who = { .pid = pid };
	struct place p = { .to = ret, .size = sizeof(*ret) };

	return ask(r, READING_BUILD, pid, &who, &p);
}

ssize_t reader_arguments(struct reader *r, pid_t pid, char *ret, size_t size)
{
	const struct reading_who who = { .pid = pid, .size = size };
	struct place p = { .to = ret, .size = size };
	int err = ask(r, READING_ARGUMENTS, subject(pid, OF_ARGUMENTS), &who, &p);

	return err ? err : (ssize_t)p.len;
}

struct collecting {
	struct buf *out;
	int code;
};

static void collect(void *ctx, int code, const void *data, size_t len)
{
	struct collecting *c = ctx;

	c->code = code;
	if (!code && len)
		buf_add(c->out, data, len);
}

/* The same for an answer of any length, which is appended to @out. */
static int ask_more(struct reader *r, enum reading_op op, pid_t about, const void *question,
		    struct buf *out)
{
	struct collecting c = { .out = out };
	int err = aside_ask(r->aside, about, op, question, reading_size(op), collect, &c);

	return err ? err : c.code ? c.code : out->err;
}

int reader_idents(struct reader *r, const struct idents_wanted *w, struct buf *out)
{
	return ask_more(r, READING_IDENTS, w->pid, w, out);
}

int reader_stack(struct reader *r, const struct stack_wanted *w, struct buf *out)
{
	return ask_more(r, READING_STACK, w->pid, w, out);
}

int reader_tasklist(struct reader *r, const struct tasklist_wanted *w, struct buf *out)
{
	return ask_more(r, READING_TASKLIST, w->pid, w, out);
}

int reader_tasks(struct reader *r, const struct task_wanted *w, struct buf *out)
{
	return ask_more(r, READING_TASKS, w->pid, w, out);
}

int reader_task_place(struct reader *r, const struct taskplace_wanted *w, struct task_place *ret)
{
	struct place p = { .to = ret, .size = sizeof(*ret) };
	int err = ask(r, READING_PLACE, w->pid, w, &p);

	return err ? err : p.len == sizeof(*ret) ? 0 : -EIO;
}

int reader_source(struct reader *r, const struct source_wanted *w, struct buf *out)
{
	return ask_more(r, READING_SOURCE, subject(w->pid, OF_SOURCES), w, out);
}

size_t reader_gil(struct reader *r, const struct gil_wanted *w, struct gil_now ret[GIL_MAX])
{
	struct place p = { .to = ret, .size = GIL_MAX * sizeof(*ret) };

	return ask(r, READING_GIL, w->pid, w, &p) ? 0 : p.len / sizeof(*ret);
}

/* @root as seen from the helper process, where /proc/self would be another process. */
static int set_root(const char *root, char *ret, size_t size)
{
	static const char self[] = "/proc/self/";
	bool is_own = !strncmp(root, self, strlen(self));
	int len = is_own ? snprintf(ret, size, "/proc/%d/%s", getpid(), root + strlen(self))
			 : snprintf(ret, size, "%s", root);

	return (size_t)len < size ? 0 : -ENAMETOOLONG;
}

bool reader_names(struct reader *r, const char *root, const char *id, struct runtime_names *ret,
		  struct runtime_refused *refused)
{
	struct reading_container w = {};
	struct reading_named n = {};
	struct place p = { .to = &n, .size = sizeof(n) };
	bool found;

	memset(ret, 0, sizeof(*ret));
	if (strlen(id) >= sizeof(w.id) || set_root(root, w.root, sizeof(w.root)))
		return false;
	strcpy(w.id, id);
	found = ask(r, READING_NAMES, ENGINES, &w, &p) > 0;
	*ret = n.names;
	runtime_refuse(refused, n.refused.first, n.refused.texts);
	return found;
}

/* --- looks ------------------------------------------------------------------------------------ */

/* One request of reader_look_ahead(). */
struct ahead {
	struct reader *reader;
	pid_t pid;
};

/* Stores a result. Without memory it is dropped, and reader_look() asks again. */
static void keep_look(void *ctx, int kind, const void *data, size_t len)
{
	const struct ahead *one = ctx;
	struct reading_looked *l = NULL, **slot;

	if (kind != DETECT_OTHER || len)
		l = calloc(1, sizeof(*l));
	if ((kind != DETECT_OTHER || len) && !l)
		return;
	slot = hmap_put(one->reader->ahead, &one->pid, NULL);
	if (!slot) {
		free(l);
		return;
	}
	if (l && len == sizeof(*l))
		memcpy(l, data, len);
	if (l)
		l->kind = kind;
	*slot = l;
}

int reader_look_ahead(struct reader *r, const pid_t *pids, size_t n)
{
	_free_ struct ahead *all = calloc(n + 1, sizeof(*all));
	int err = 0;

	reader_look_done(r);
	r->ahead = hmap_new(sizeof(pid_t), sizeof(struct reading_looked *));
	if (!all || !r->ahead)
		return -ENOMEM;
	for (size_t i = 0; i < n && !err; i++) {
		const struct reading_who who = { .pid = pids[i] };

		all[i] = (struct ahead){ r, pids[i] };
		err = aside_post(r->aside, pids[i], READING_LOOK, &who, sizeof(who), keep_look,
				 &all[i]);
	}
	aside_settle(r->aside);
	return err;
}

void reader_look_done(struct reader *r)
{
	size_t pos = 0;
	void *val;

	if (!r->ahead)
		return;
	while (hmap_each(r->ahead, &pos, NULL, &val))
		free(*(struct reading_looked **)val);
	hmap_free(r->ahead);
	r->ahead = NULL;
}

/* Takes a stored result. False: there is none. */
static bool take_ahead(struct reader *r, pid_t pid, struct python *py, struct err *why, int *ret)
{
	struct reading_looked **slot = r->ahead ? hmap_get(r->ahead, &pid) : NULL, *l;

	if (!slot)
		return false;
	l = *slot;
	hmap_del(r->ahead, &pid);
	*ret = l ? l->kind : DETECT_OTHER;
	if (l) {
		*py = l->py;
		*why = l->why;
	}
	free(l);
	return true;
}

int reader_look(struct reader *r, pid_t pid, pid_t tid, struct python *py, struct err *why)
{
	int kind;

	if (take_ahead(r, pid, py, why, &kind))
		return kind;
	return ask_look(r, READING_LOOK, &(struct reading_who){ .pid = pid, .tid = tid }, py, why);
}

/* --- code objects ----------------------------------------------------------------------------- */

static struct reader_missing *find_missing(const struct reader *r, pid_t pid)
{
	struct reader_missing *m;

	vec_each (&r->missing, m)
		if (m->pid == pid)
			return m;
	return NULL;
}

static void note_missing(struct reader *r, pid_t pid, int n)
{
	struct reader_missing *m = find_missing(r, pid), fresh = { .pid = pid };

	if (!m && n > 0 && !vec_push(&r->missing, fresh))
		m = &r->missing.at[r->missing.len - 1];
	if (m)
		m->codes += n;
}

static void hold(struct held *h)
{
	struct reader *r = h->reader;

	note_missing(r, h->wanted.proc.tgid, 1);
	if (r->held.len >= HELD_MAX || vec_push(&r->held, h))
		free(h);
}

static void take_code(void *ctx, int err, const void *data, size_t len)
{
	struct held *h = ctx;

	if (err == -ETIMEDOUT) {
		hold(h);
		return;
	}
	codes_found(h->reader->codes, h->wanted.id, data, err ? 0 : len);
	free(h);
}

static int post_code(struct held *h)
{
	int err = aside_post(h->reader->aside, h->wanted.proc.tgid, READING_CODE, &h->wanted,
			     sizeof(h->wanted), take_code, h);

	if (err)
		free(h);
	return err;
}

static int fetch(void *ctx, const struct code_wanted *w)
{
	struct held *h = malloc(sizeof(*h));

	if (!h)
		return -ENOMEM;
	*h = (struct held){ .reader = ctx, .wanted = *w };
	return post_code(h);
}

void reader_complete(struct reader *r, struct codes *c)
{
	r->codes = c;
	codes_on_missing(c, fetch, r);
}

/* Requests all held code objects again; take_code() holds those whose process still hangs. */
static void post_held(struct reader *r)
{
	__typeof__(r->held) all = r->held;
	struct held **h;

	memset(&r->held, 0, sizeof(r->held));
	vec_each (&all, h) {
		note_missing(r, (*h)->wanted.proc.tgid, -1);
		post_code(*h);
	}
	vec_done(&all);
}

static void take_touch(void *ctx, int err, const void *data, size_t len)
{
	*(uint64_t *)ctx += !err;
}

int reader_touch(struct reader *r, pid_t pid, uint64_t addr, uint64_t *count)
{
	const struct reading_who who = { .pid = pid, .addr = addr };

	return aside_post(r->aside, pid, READING_TOUCH, &who, sizeof(who), take_touch, count);
}

/* --- names of threads ------------------------------------------------------------------------- */

/* A thread that is just starting is not yet in the list of threading, and gets its name in a moment. */
enum { TRIES = 3, UNNAMED_MAX = 1 << 14 };

static void take_name(void *ctx, int err, const void *data, size_t len)
{
	struct naming *n = ctx;
	struct reader *r = n->reader;

	if (err && ++n->tries < TRIES && r->unnamed.len < UNNAMED_MAX && !vec_push(&r->unnamed, n))
		return;
	if (!err && len)
		n->named(n->ctx, n->thread, data);
	else if (err && err != -ENOENT)
		n->named(n->ctx, n->thread, NULL);
	free(n);
}

static int post_name(struct naming *n)
{
	int err = aside_post(n->reader->aside, subject(n->wanted.pid, OF_THREADS), READING_THREAD,
			     &n->wanted, sizeof(n->wanted), take_name, n);

	if (err)
		free(n);
	return err;
}

int reader_thread_name(struct reader *r, const struct threadname_wanted *w, uint32_t thread,
		       void (*named)(void *ctx, uint32_t thread, const char *name), void *ctx)
{
	struct naming *n = malloc(sizeof(*n));

	if (!n)
		return -ENOMEM;
	*n = (struct naming){ r, *w, thread, 0, named, ctx };
	return post_name(n);
}

static void post_unnamed(struct reader *r)
{
	__typeof__(r->unnamed) all = r->unnamed;
	struct naming **n;

	memset(&r->unnamed, 0, sizeof(r->unnamed));
	vec_each (&all, n)
		post_name(*n);
	vec_done(&all);
}

/* --- time ------------------------------------------------------------------------------------- */

void reader_turn(struct reader *r)
{
	int64_t now = clock_ns();

	if ((r->held.len || r->unnamed.len) && now >= r->again) {
		r->again = now + HELD_EVERY;
		post_held(r);
		post_unnamed(r);
	}
	aside_turn(r->aside);
}

void reader_settle(struct reader *r)
{
	post_unnamed(r);
	aside_settle(r->aside);
}

const struct reader_missing *reader_missing(const struct reader *r, size_t *ret_n)
{
	*ret_n = r->missing.len;
	return r->missing.at;
}

void reader_served(struct reader *r, pid_t pid, char *ret, size_t size)
{
	const struct reading_who who = { .pid = pid };
	char text[SERVED_MAX] = "";
	struct place p = { .to = text, .size = sizeof(text) - 1 };

	if (ask(r, READING_SERVED, subject(pid, OF_MOUNTS), &who, &p))
		text[0] = '\0';
	snprintf(ret, size, "%s", text);
}
