/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	/proc ─► each process ─► chosen? ─► look ─┬─► Python: row, with what /proc says of it
 *	                                          ├─► refused: a row if it is called python, else counted
 *	                                          └─► something else, or gone
 *
 * Processes start and end meanwhile: one that ends before its row is complete is left out.
 */
#include "session/survey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "proc/procfs.h"
#include "py/pyname.h"
#include "session/containers.h"
#include "session/places.h"
#include "session/reader.h"

enum {
	ARGUMENTS_MAX = 4096,
	ANSWER_MS = 2000,  /* to wait for container engines */
	PATIENCE_MS = 300, /* to wait for processes in doubt, in total */
	DOUBT_MS = 100,    /* and for each of them */
};

struct survey {
	const struct survey_opts *opts; /* valid only in survey_new() */
	struct reader *reader;
	struct strpool *texts;
	struct profile *profile; /* has no samples, only containers */
	struct containers *containers;
	struct places *places;
	VEC(struct survey_process) processes;
	uint32_t refused;
	uint32_t waited_ms; /* time spent on processes in doubt */
};

/* A process that is being examined. */
struct subject {
	pid_t pid, tid; /* tid: a thread that still has the mappings */
	struct proc_stat stat;
	struct proc_ids ids;
	char arguments[ARGUMENTS_MAX];
	size_t arguments_len;
};

/* --- filters ---------------------------------------------------------------------------------- */

/* An empty list selects every number. */
static bool is_chosen(const uint64_t *chosen, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (chosen[i] == id)
			return true;
	return !n;
}

static bool is_named(const struct survey_opts *o, const char *comm)
{
	for (size_t i = 0; i < o->ncomms; i++)
		if (!strcmp(o->comms[i], comm))
			return true;
	return !o->ncomms;
}

/* A live thread of a process whose first thread has ended. */
static pid_t other_thread(pid_t pid)
{
	procfs_pids tids = {};
	pid_t found = pid;

	if (!procfs_list_threads(pid, &tids))
		for (size_t i = 0; i < tids.len && found == pid; i++)
			found = tids.at[i];
	vec_done(&tids);
	return found;
}

/* Reads the facts and applies the filters. 1: to be examined, 0: filtered out or without a program, or -errno. */
static int meet(const struct survey *survey, struct subject *s)
{
	const struct survey_opts *o = survey->opts;
	ssize_t len;
	int err = procfs_stat(s->pid, &s->stat);

	if (err)
		return err;
	if (s->stat.kthread || !is_named(o, s->stat.comm))
		return 0;
	err = procfs_ids(s->pid, &s->ids);
	if (err)
		return err;
	if (!is_chosen(o->uids, o->nuids, s->ids.uid) || !places_have(survey->places, s->pid))
		return 0;
	s->tid = s->pid;
	if (s->stat.state == 'Z' && s->stat.threads > 1)
		s->tid = other_thread(s->pid);
	len = reader_arguments(survey->reader, s->tid, s->arguments, sizeof(s->arguments));
	if (len == -ETIMEDOUT)
		len = snprintf(s->arguments, sizeof(s->arguments), "[unreadable]");
	s->arguments_len = len > 0 ? len : 0;
	return len < 0 ? len : s->stat.state != 'Z' || s->tid != s->pid;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* Stores a text for the life of the survey. Out of memory: returns "" and sets *@err. */
static const char *keep(struct survey *s, const char *text, size_t len, int *err)
{
	uint32_t id = strpool_add(s->texts, text, len);

	if (id == UINT32_MAX)
		*err = -ENOMEM;
	return id == UINT32_MAX ? "" : strpool_str(s->texts, id);
}

static void add_build(struct survey *s, const struct subject *subject, struct survey_process *p,
		      int *err)
{
	struct python_build b;
	int code = reader_build(s->reader, subject->pid, &b);

	if (code == -ENOENT)
		code = reader_build(s->reader, subject->tid, &b);
	if (code == -ENOENT && p->reason) /* only the reason is known */
		return;
	if (code) {
		*err = code;
		return;
	}
	p->link = b.library ? SURVEY_SHARED : SURVEY_STATIC;
	p->embedded = b.embedded;
	p->debug = b.debug;
	p->free_threaded = b.free_threaded;
	if (b.library)
		p->library = keep(s, b.path, strlen(b.path), err);
}

/* Adds the other interpreters that run in the process, and why the last unsupported one cannot be read. */
static void add_more(struct survey *s, const struct subject *subject, const struct python *first,
		     struct survey_process *p, int *err)
{
	struct python py;
	size_t n = 0;

	for (uint32_t i = first->index + 1; i < first->count && n < SURVEY_MORE; i++) {
		struct err why = {};
		int kind = reader_interpreter(s->reader, subject->pid, i, &py, &why);

		if (kind == DETECT_UNSUPPORTED)
			p->reason = keep(s, why.text, strlen(why.text), err);
		if (kind == DETECT_UNSUPPORTED || (kind == DETECT_PYTHON && !py.idle))
			p->more[n++] = py.hex;
	}
}

/* @why: why krait cannot read the process, or NULL. */
static int add_row(struct survey *s, const struct subject *subject, const struct python *py,
		   const struct err *why)
{
	struct survey_process p = {
		.pid = subject->pid,
		.ns_pid = subject->ids.ns_pid,
		.uid = subject->ids.uid,
		.threads = subject->stat.threads,
		.hex = py->hex,
		.library = "",
		.place = containers_of_process(s->containers, subject->pid),
		.arguments_len = subject->arguments_len,
	};
	int err = 0;

	p.comm = keep(s, subject->stat.comm, strlen(subject->stat.comm), &err);
	p.arguments = keep(s, subject->arguments, subject->arguments_len, &err);
	if (why)
		p.reason = keep(s, why->text, strlen(why->text), &err);
	if (py->count > 1)
		add_more(s, subject, py, &p, &err);
	if (p.place == PROFILE_NONE)
		err = -ENOMEM;
	if (!err && (!why || why->code == -ENOTSUP))
		add_build(s, subject, &p, &err);
	return err ? err : vec_push(&s->processes, p);
}

/* A process that krait may not read is listed as Python only if its name says so. */
static int add_refused(struct survey *s, const struct subject *subject, const struct err *why)
{
	if (pyname_is_python(subject->stat.comm) ||
	    (subject->arguments_len && pyname_is_python(subject->arguments)))
		return add_row(s, subject, &(struct python){}, why);
	s->refused++;
	return 0;
}

/* In doubt: the process is probably just starting, so another look will tell. */
static bool is_doubtful(int kind, const struct python *py, const struct err *why)
{
	return kind == DETECT_EXPECTED ||
	       (kind == DETECT_UNSUPPORTED && py->doubt && why->code == -ENOTSUP);
}

/* reader_look(), repeated for a moment while the result is in doubt. */
static int look_closely(struct survey *s, const struct subject *subject, struct python *py,
			struct err *why)
{
	int kind;

	for (uint32_t ms = 1, waited = 0;; ms *= 2) {
		*py = (struct python){};
		*why = (struct err){};
		kind = reader_look(s->reader, subject->pid, subject->tid, py, why);
		if (!is_doubtful(kind, py, why) || waited + ms > DOUBT_MS ||
		    s->waited_ms + ms > PATIENCE_MS)
			return kind;
		usleep(ms * 1000);
		waited += ms;
		s->waited_ms += ms;
	}
}

/* A process that hangs, so it is unknown whether it is Python. */
static int add_hanging(struct survey *s, const struct subject *subject)
{
	char served[128];
	struct err why = {};

	reader_served(s->reader, subject->pid, served, sizeof(served));
	err_set(&why, -ETIMEDOUT, "its memory or files do not answer (%s)",
		*served ? served : "stalled file system?");
	return add_row(s, subject, &(struct python){}, &why);
}

static int look_at(struct survey *s, pid_t pid)
{
	struct subject subject = { .pid = pid };
	struct python py = {};
	struct err why = {};
	int kind = meet(s, &subject);

	if (kind <= 0)
		return kind;
	kind = look_closely(s, &subject, &py, &why);
	switch (kind) {
	case DETECT_PYTHON: /* an interpreter that is linked but idle may never be started */
		return py.idle && py.count == 1 ? 0 : add_row(s, &subject, &py, NULL);
	case DETECT_EXPECTED:
	case DETECT_UNSUPPORTED:
		if (why.code != -ENOTSUP)
			return add_refused(s, &subject, &why);
		return add_row(s, &subject, &py, &why);
	case -ETIMEDOUT:
		return add_hanging(s, &subject);
	default:
		return kind < 0 ? kind : 0;
	}
}

/* --- all -------------------------------------------------------------------------------------- */

static int look_at_all(struct survey *s)
{
	procfs_pids pids = {};
	pid_t *pid;
	int err = procfs_list(&pids);

	vec_each (&pids, pid) {
		if (!err && is_chosen(s->opts->pids, s->opts->npids, *pid))
			err = look_at(s, *pid);
		if (err != -ENOMEM)
			err = 0; /* it has ended, or cannot be read: go on with the others */
	}
	vec_done(&pids);
	return err;
}

/* --- where they run --------------------------------------------------------------------------- */

static void set_place(const struct survey *s, struct survey_process *p)
{
	const struct container *c = profile_container(s->profile, p->place);

	p->container = c->id;
	p->engine = c->engine;
	p->name = c->name;
	p->image = c->image;
	p->pod = c->pod;
	p->ns = c->ns;
	p->pod_uid = c->pod_uid;
	p->unit = c->unit;
	p->labels = c->labels;
}

static const char *sort_name(const struct survey_process *p)
{
	return *p->name ? p->name : p->container;
}

static int compare(const void *a, const void *b)
{
	const struct survey_process *x = a, *y = b;
	int order = strcmp(sort_name(x), sort_name(y));

	if (!order)
		order = strcmp(x->container, y->container);
	return order ? order : x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* Fills in the containers after all rows: each engine is then asked once for all names. */
static int place_all(struct survey *s)
{
	struct survey_process *p;
	int err = containers_settle(s->containers, ANSWER_MS);

	vec_each (&s->processes, p)
		set_place(s, p);
	if (s->processes.len)
		qsort(s->processes.at, s->processes.len, sizeof(*s->processes.at), compare);
	return err;
}

struct survey *survey_new(const struct survey_opts *o, struct err *err)
{
	_cleanup_(survey_freep) struct survey *s = calloc(1, sizeof(*s));
	int code = -ENOMEM;

	if (s) {
		s->opts = o;
		s->reader = reader_new();
		s->texts = strpool_new();
		s->profile = profile_new();
		s->containers =
			s->profile && s->reader ? containers_new(s->profile, s->reader) : NULL;
	}
	if (s && s->texts && s->containers) {
		s->places = places_new(&o->places, s->containers, err);
		code = s->places ? look_at_all(s) : err->code;
	}
	if (!code)
		code = place_all(s);
	if (code) {
		if (!err->code)
			err_set(err, code, "survey: '/proc': %s", strerror(-code));
		return NULL;
	}
	s->opts = NULL;
	return take_ptr(s);
}

void survey_free(struct survey *s)
{
	if (!s)
		return;
	strpool_free(s->texts);
	places_free(s->places);
	containers_free(s->containers);
	reader_free(s->reader);
	profile_free(s->profile);
	vec_done(&s->processes);
	free(s);
}

const struct survey_process *survey_processes(const struct survey *s, size_t *ret_n)
{
	*ret_n = s->processes.len;
	return s->processes.at;
}

uint32_t survey_refused(const struct survey *s)
{
	return s->refused;
}
