/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One turn: a survey chooses the processes, a snapshot is taken of each and printed. --watch repeats turns, with a
 * survey each time, because processes come and go.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "cmd/cmd.h"
#include "cmd/dump/dump.h"
#include "session/look.h"

/* Exit status, besides enum cli_exit. */
enum { SOME_UNREAD = 4 };

/* What was found and what was not. */
struct result {
	uint32_t read;    /* processes */
	uint32_t before;  /* processes that earlier snapshots have read */
	uint32_t refused; /* processes that krait may not read */
	uint32_t unread;  /* processes, threads and tasks that could not be read */
};

/* A message about a process, safe for terminals. */
static void complain(uint64_t pid, const char *comm, const char *what)
{
	_cleanup_(buf_done) struct buf b = {};

	buf_printf(&b, "krait: %" PRIu64, pid);
	if (comm) {
		buf_str(&b, " (");
		utf8_show(&b, comm, strlen(comm));
		buf_char(&b, ')');
	}
	buf_str(&b, ": ");
	utf8_show(&b, what, strlen(what));
	if (!b.err)
		fprintf(stderr, "%s\n", b.data);
}

static bool is_listed(const struct survey *s, uint64_t pid)
{
	const struct survey_process *p;
	size_t n;

	p = survey_processes(s, &n);
	for (size_t i = 0; i < n; i++)
		if (p[i].pid == pid)
			return true;
	return false;
}

/* The processes named by --pid that are not in the survey. */
static void note_missing(const struct dump_opts *o, const struct survey *s, struct result *r)
{
	const uint64_t *pid;

	vec_each (&o->pids, pid) {
		if (is_listed(s, *pid))
			continue;
		r->unread++;
		if (kill(*pid, 0) && errno == ESRCH)
			complain(*pid, NULL, "no such process");
		else if (survey_refused(s))
			complain(*pid, NULL, look_refusal());
		else
			complain(*pid, NULL, "no Python process, or not among the chosen ones");
	}
	r->refused += survey_refused(s);
}

static uint32_t unread_in(const struct snapshot *s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s->nthreads; i++)
		n += s->threads[i].shown && s->threads[i].unread;
	for (size_t i = 0; i < s->ntasks; i++)
		n += s->tasks[i].changed;
	return n + !!s->tasks_missing;
}

static int write_out(struct buf *out, struct err *err)
{
	if (out->err)
		return err_set(err, out->err, "dump: out of memory");
	if (fwrite(out->data ?: "", 1, out->len, stdout) != out->len || fflush(stdout))
		return err_set(err, -errno, "output: standard output: %m");
	return 0;
}

/* Where the output goes: JSON is one document, text is written process by process. */
struct sink {
	bool json, series;
	struct buf out;
	struct jsonwrite j;
};

static void add_unread(struct sink *to, const struct survey_process *p, const char *reason,
		       struct result *r)
{
	complain(p->pid, p->comm, reason);
	r->unread++;
	r->refused += p->link == SURVEY_UNKNOWN;
	if (to->json)
		dump_json_unread(p, reason, &to->j);
}

static int add_read(struct sink *to, const struct dump_one *one, struct result *r, struct err *err)
{
	int code;

	r->unread += unread_in(one->snapshot);
	if (one->snapshot->tasks_missing)
		complain(one->process->pid, one->process->comm, one->snapshot->tasks_missing);
	r->read++;
	if (to->json) {
		dump_json(one, &to->j);
		return 0;
	}
	if (r->before + r->read > 1)
		buf_char(&to->out, '\n');
	if (to->series && r->read == 1)
		dump_text_time(one->snapshot->taken, &to->out);
	dump_text(one, &to->out);
	code = write_out(&to->out, err);
	buf_clear(&to->out);
	return code;
}

static int dump_process(const struct dump_opts *o, const struct survey_process *p,
			struct snapshots *snapshots, struct sink *to, struct result *r,
			struct err *err)
{
	struct dump_one one = {
		.process = p,
		.snapshots = snapshots,
		.source = o->source,
		.locals = o->locals,
		.tasks = o->tasks,
	};
	struct err why = {};

	if (!p->reason)
		one.snapshot = snapshots_take(snapshots, p->pid, &why);
	if (why.code == -ENOMEM)
		return err_set(err, why.code, "dump: out of memory");
	if (one.snapshot)
		return add_read(to, &one, r, err);
	add_unread(to, p, p->reason ?: why.text, r);
	return 0;
}

static int dump_all(const struct dump_opts *o, const struct survey *survey,
		    struct snapshots *snapshots, struct result *r, struct err *err)
{
	struct sink to = { .json = o->json, .series = o->watch };
	const struct survey_process *p;
	int code = 0;
	size_t n;

	to.j.out = &to.out;
	if (to.json)
		dump_json_begin(&to.j);
	p = survey_processes(survey, &n);
	for (size_t i = 0; i < n && !code; i++)
		code = dump_process(o, &p[i], snapshots, &to, r, err);
	if (to.json) {
		dump_json_end(&to.j, survey_refused(survey));
		if (!code && (r->read || !to.series)) /* in a series, no document is an empty one */
			code = write_out(&to.out, err);
	}
	buf_done(&to.out);
	return code;
}

static int status_of(const struct result *r)
{
	if (!r->read)
		return r->refused ? CLI_UNABLE : CLI_FAILED;
	return r->unread ? SOME_UNREAD : CLI_DONE;
}

static int turn(const struct dump_opts *o, struct result *r, struct err *err)
{
	const struct survey_opts so = { CMD_WHO(o), .places = CMD_PLACES(o) };
	_cleanup_(survey_freep) struct survey *survey = survey_new(&so, err);
	_cleanup_(snapshots_freep) struct snapshots *snapshots = NULL;

	if (!survey)
		return err->code;
	snapshots = snapshots_new(&(struct snapshots_opts){
		.names = (const char *const *)o->threads.at,
		.nnames = o->threads.len,
		.locals = o->locals,
		.tasks = o->tasks,
	});
	if (!snapshots)
		return err_set(err, -ENOMEM, "dump: out of memory");
	note_missing(o, survey, r);
	if (dump_all(o, survey, snapshots, r, err))
		return err->code;
	if (!r->read && !r->unread)
		fputs("krait: no Python process found\n", stderr);
	return 0;
}

/* --- a series --------------------------------------------------------------------------------- */

/* A descriptor that is readable once a signal asks to end. -1: none can be had, and a signal kills krait. */
static int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd >= 0)
		sigprocmask(SIG_BLOCK, &set, NULL);
	return fd;
}

/* Waits until @when, CLOCK_MONOTONIC ns. True: a signal came first. */
static bool wait_until(int signals, int64_t when)
{
	struct pollfd fd = { .fd = signals, .events = POLLIN };
	int64_t left = when - clock_ns();
	struct timespec t = { left / 1000000000, left % 1000000000 };

	return ppoll(&fd, 1, left > 0 ? &t : &(struct timespec){}, NULL) > 0;
}

/* Turns until a signal, an error, or the end of all --pid processes. */
static int series(const struct dump_opts *o, struct result *all, struct err *err)
{
	_close_ int signals = open_signals();
	int64_t when = clock_ns();

	for (bool first = true;; first = false) {
		struct result r = { .before = all->read };
		int code;

		code = turn(o, &r, err);
		if (!first && o->pids.len && !r.read)
			return code; /* they have ended */
		all->read += r.read;
		all->unread += r.unread;
		all->refused += r.refused;
		if (code || (first && !r.read && o->pids.len))
			return code;
		when += o->watch * 1000000000;
		if (when < clock_ns())
			when = clock_ns();
		if (wait_until(signals, when))
			return 0;
	}
}

int dump_run_all(const struct dump_opts *o)
{
	struct result r = {};
	struct err err = {};
	int code = o->watch ? series(o, &r, &err) : turn(o, &r, &err);

	if (!code)
		return status_of(&r);
	fprintf(stderr, "krait: %s\n", err.text);
	return cli_exit_of(code);
}
