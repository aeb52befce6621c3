/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs `krait record`: opens a session, handles the signals that end or interrupt it, and writes the outputs. */
#include "cmd/record/run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/cleanup.h"
#include "cmd/outputs.h"
#include "cmd/record/capture.h"
#include "cmd/record/say.h"
#include "model/where.h"
#include "session/child.h"
#include "session/named.h"
#include "session/privilege.h"
#include "session/session.h"

struct recorder {
	const struct record_opts *o;
	struct format_opts out;
	outputs outputs;
	struct session *session;
	struct where *where;    /* of --thread-name; NULL: every thread */
	struct profile *chosen; /* what it selects, as of the last time that outputs were written */
	struct named *named;    /* processes of --pid */
	struct child *child;    /* CMD, NULL: none */
	struct account user;    /* the user who runs CMD, */
	bool as_user;           /* if not the caller */
	unsigned int told;      /* number of signals that asked to end */
	int signals;            /* signalfd */
	bool journal_failed;
	bool progress;
	char *own_output; /* the default file name, if no -o was given */
};

/* --- processes and threads named by options --------------------------------------------------- */

static int check_pids(struct recorder *r, struct err *err)
{
	int code = named_check(r->named, err);

	return code ? code : named_look(r->named, session_inspector(r->session));
}

static int check_tids(const struct recorder *r, struct err *err)
{
	const uint64_t *tid;

	vec_each (&r->o->tids, tid)
		if (kill(*tid, 0) && errno == ESRCH)
			return err_set(err, -ESRCH, "--tid: %" PRIu64 ": no such thread", *tid);
	return 0;
}

/* --- the run ---------------------------------------------------------------------------------- */

/* From here on signals have their default action, so a second one kills krait while it finishes. */
static void let_signals_through(void)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGUSR1); /* asks for outputs, which are about to be written */
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Appends new counts to the journals. If that fails, they stay in memory and are tried again. */
static void journal(struct recorder *r)
{
	struct err err = {};
	int code =
		outputs_journal(&r->outputs, session_profile(r->session),
				session_stacks(r->session), session_counted_ms(r->session), &err);

	if (code && !r->journal_failed)
		fprintf(stderr, "krait: %s (samples are kept in memory)\n", err.text);
	r->journal_failed = code;
}

static const struct profile *shown(const struct recorder *r)
{
	return r->chosen ? r->chosen : session_profile(r->session);
}

/*
 * Names of threads are read after their first samples, so the kernel cannot filter by them: all samples of the chosen
 * processes are kept, and selected each time that outputs are written.
 */
static int choose(struct recorder *r, struct err *err)
{
	if (!r->where)
		return 0;
	profile_free(r->chosen);
	r->chosen = where_apply(r->where, session_profile(r->session), session_stacks(r->session));
	return r->chosen ? 0 : err_set(err, -ENOMEM, "record: out of memory");
}

static int write_outputs(struct recorder *r, bool wait, struct err *err)
{
	int code = choose(r, err);

	return code ? code
		    : outputs_write(&r->outputs, shown(r), session_stacks(r->session), &r->out,
				    wait, err);
}

/* Ends the journals and writes all other outputs. */
static int end_outputs(struct recorder *r, struct err *err)
{
	struct err other = {};
	int code = outputs_end_journals(&r->outputs, err), more;

	more = write_outputs(r, true, code ? &other : err);
	return code ? code : more;
}

/* Clears the progress line, before a table or the summary is printed to the same terminal. */
static void clear_progress(const struct recorder *r)
{
	if (r->progress)
		fputs("\r\033[K", stderr);
}

static int snapshot(struct recorder *r)
{
	struct err err = {};
	int code = session_collect(r->session);

	if (!code)
		journal(r);
	outputs_again(&r->outputs);
	clear_progress(r);
	if (!code)
		code = write_outputs(r, false, &err);
	if (code)
		fprintf(stderr, "krait: snapshot: %s\n", err.code ? err.text : strerror(-code));
	return code == -ENOMEM ? code : 0;
}

/*
 * While CMD runs, signals are passed to CMD, and the recording ends when CMD does. A second signal to end also
 * ends krait itself.
 */
static int on_child_signal(struct recorder *r, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo == SIGCHLD)
		return child_ended(r->child);
	child_pass(r->child, info);
	if (info->ssi_signo == SIGQUIT || info->ssi_signo == SIGUSR2 || !r->told++)
		return 0;
	let_signals_through();
	raise(info->ssi_signo);
	return 0;
}

static int on_signal(void *ctx)
{
	struct recorder *r = ctx;
	struct signalfd_siginfo info;

	if (read(r->signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo == SIGUSR1)
		return snapshot(r);
	if (r->child)
		return on_child_signal(r, &info);
	let_signals_through();
	return 1;
}

/* The recording has ended: discard pending signals, as what they ask for is done now anyway. */
static void end_signals(const struct recorder *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof(info)) == sizeof(info))
		;
	let_signals_through();
}

static int on_second(void *ctx)
{
	struct recorder *r = ctx;

	journal(r);
	if (r->progress)
		record_say_progress(r->session);
	if (!r->o->pids.len || r->o->subprocesses)
		return 0;
	return !named_run(r->named);
}

static int open_signals(struct recorder *r, struct err *err)
{
	/* SIGCHLD and the following ones are only for a child. */
	static const int ours[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD, SIGQUIT, SIGUSR2 };
	enum { ALL = sizeof(ours) / sizeof(ours[0]), WITHOUT_CHILD = 4 };
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < (r->child ? ALL : WITHOUT_CHILD); i++)
		sigaddset(&set, ours[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return err_set(err, -errno, "record: signals: %m");
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return r->signals < 0 ? err_set(err, -errno, "record: signalfd: %m") : 0;
}

/* --- a command -------------------------------------------------------------------------------- */

/* Finds the user who called sudo, unless that was root. */
static int find_user(struct recorder *r, struct err *err)
{
	int code = geteuid() ? -ENOENT : account_of_sudo(&r->user, err);

	if (code && code != -ENOENT)
		return code;
	r->as_user = !code && r->user.uid;
	return 0;
}

static int start_child(struct recorder *r, struct err *err)
{
	r->child = child_new(r->o->cmd, r->as_user ? &r->user : NULL, err);
	return r->child ? 0 : err->code;
}

/* Ends CMD if the duration is over before CMD is; if the recording failed, CMD continues. */
static void stop_child(const struct recorder *r, int code)
{
	if (r->child && !code)
		child_signal(r->child, SIGTERM);
}

/* Waits for CMD. Returns its exit status. */
static int end_child(struct recorder *r)
{
	struct err err = {};
	int status;

	child_wait(r->child);
	status = child_status(r->child, &err);
	if (err.code)
		fprintf(stderr, "krait: %s\n", err.text);
	return status;
}

/* --- outputs ---------------------------------------------------------------------------------- */

static int add_own_output(struct recorder *r, struct err *err)
{
	const struct format_ops *ops = format_find(cmd_formats[r->o->format].name);

	if (!ops)
		ops = &format_folded;
	r->own_output = outputs_name_after(r->o->cmd[0], child_pid(r->child), ops->extension);
	if (!r->own_output)
		return err_set(err, -ENOMEM, "output: out of memory");
	return outputs_add(&r->outputs, r->own_output, false, r->o->format, ops, err);
}

static int open_outputs(struct recorder *r, struct err *err)
{
	const struct out_owner owner = { r->as_user, r->user.uid, r->user.gid };
	const char *const *name;
	int code = 0;

	vec_each (&r->o->outputs, name)
		if (!code)
			code = outputs_add(&r->outputs, *name, true, r->o->format, &format_folded,
					   err);
	if (!code && !r->outputs.len)
		code = r->child ? add_own_output(r, err)
				: outputs_add_stdout(&r->outputs, r->o->format, err);
	outputs_set_owner(&r->outputs, &owner);
	if (!code)
		code = outputs_check(&r->outputs, err);
	/* A journal has all samples, before names are known. */
	return code || r->where ? code : outputs_open_journals(&r->outputs, err);
}

static bool is_full(int code)
{
	return code == -ENOSPC || code == -EDQUOT;
}

/*
 * If the disk is full, writing is tried again for a while: the recording is still in memory, and somebody may
 * make room. Signals have their default action by now, so the user can give up.
 */
static int write_patiently(struct recorder *r, struct err *err)
{
	enum { TRIES = 60 };
	const struct timespec second = { .tv_sec = 1 };
	int code = end_outputs(r, err);
	sigset_t usr1;

	if (!is_full(code) || !outputs_regular(&r->outputs))
		return code;
	fprintf(stderr,
		"krait: %s\nkrait: the recording is kept in memory; retrying for %d s (SIGUSR1: "
		"retry now; SIGINT, SIGTERM: give up)\n",
		err->text, TRIES);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	for (int i = 0; i < TRIES && is_full(code); i++) {
		sigtimedwait(&usr1, NULL, &second);
		*err = (struct err){};
		code = end_outputs(r, err);
	}
	return code;
}

/* --- the whole run ---------------------------------------------------------------------------- */

static int open_where(struct recorder *r, struct err *err)
{
	char *const *pattern;
	int code = 0;

	if (!r->o->threads.len)
		return 0;
	r->where = where_new();
	if (!r->where)
		return -ENOMEM;
	vec_each (&r->o->threads, pattern)
		if (!code)
			code = where_add_name(r->where, *pattern, err);
	return code;
}

static int open_session(struct recorder *r, struct err *err)
{
	r->session = record_capture(r->o, r->child ? child_pid(r->child) : 0,
				    outputs_grow(&r->outputs), err);
	return r->session ? 0 : err->code;
}

static int open_all(struct recorder *r, struct err *err)
{
	/* Fork CMD first, so that it inherits nothing that krait opens. */
	int code = find_user(r, err);

	r->named = named_new(r->o->pids.at, r->o->pids.len, r->o->subprocesses);
	if (!r->named)
		return -ENOMEM;
	if (!code)
		code = open_where(r, err);
	if (!code && r->o->cmd)
		code = start_child(r, err);
	if (!code)
		code = open_outputs(r, err);
	if (!code)
		code = open_session(r, err);
	if (!code)
		code = check_pids(r, err);
	if (!code)
		code = check_tids(r, err);
	if (!code)
		code = open_signals(r, err);
	if (!code)
		code = privilege_drop(err);
	return code;
}

static void say_start(const struct recorder *r)
{
	bool endless = r->o->duration_ns == NUM_UNLIMITED && !r->child;
	_cleanup_(buf_done) struct buf others = {};
	uint32_t n = procs_chosen(session_procs(r->session), NULL);
	const char *where = record_filters(r->o) ? "selected" : "found";
	int cpus = session_cpus(r->session);

	named_say(r->named, false, "krait: ", "\n", &others);
	if (others.len)
		fputs(others.data, stderr);
	fprintf(stderr, "krait: sampling %d CPU%s at %" PRIu64 " Hz", cpus, cpus == 1 ? "" : "s",
		r->o->frequency);
	if (!r->child)
		fprintf(stderr, "; %u Python process%s %s", n, n == 1 ? "" : "es", where);
	fprintf(stderr, "%s\n", endless ? "; press Ctrl-C to stop" : "");
}

static void on_started(void *ctx)
{
	struct recorder *r = ctx;

	if (!r->o->quiet)
		say_start(r);
	if (r->child)
		child_go(r->child);
}

static void say_end(const struct recorder *r)
{
	record_say_summary(r->session, shown(r), r->o);
	outputs_say(&r->outputs);
}

/* With --pid, no samples and no Python is an error: there is nothing to read in the output. */
static int check_recorded(struct recorder *r, struct err *err)
{
	const struct books_sums *sums = session_sums(r->session);
	_cleanup_(buf_done) struct buf why = {};
	int code;

	if (!r->o->pids.len || sums->fate[FATE_SHOWN] + sums->waiting + sums->parked)
		return 0;
	code = named_look(r->named, session_inspector(r->session));
	if (code || named_python(r->named))
		return code;
	named_say(r->named, true, "; ", "", &why);
	if (why.err || !why.len)
		return why.err;
	return err_set(err, named_refused(r->named) ? -EPERM : -ESRCH, "--pid: no samples: %s",
		       why.data + 2);
}

static int record(struct recorder *r, struct err *err)
{
	const struct session_hooks hooks = { on_signal, on_second, on_started, r };
	int code;

	code = session_run(r->session, r->o->duration_ns, r->signals, &hooks, err);
	end_signals(r);
	stop_child(r, code);
	if (r->child && !child_began(r->child))
		return code;
	outputs_again(&r->outputs);
	clear_progress(r);
	if (!code)
		journal(r);
	if (!code)
		code = write_patiently(r, err);
	if (!code && !r->o->quiet)
		say_end(r);
	return code ? code : check_recorded(r, err);
}

static void set_out(struct recorder *r)
{
	r->out.lines = !r->o->no_lines;
	r->out.full_paths = r->o->full_paths;
	r->out.states = !r->o->no_states;
	r->out.grouped = r->o->grouped;
	r->out.live = true;
	r->out.limit = 30;
	r->out.ndims = r->o->by.len;
	for (size_t i = 0; i < r->o->by.len; i++)
		r->out.dims[i] = r->o->by.at[i];
}

int record_run_session(const struct record_opts *o)
{
	struct recorder r = { .o = o,
			      .signals = -1,
			      /* The terminal is CMD's. */
			      .progress = !o->quiet && !o->cmd && isatty(STDERR_FILENO) };
	struct err err = {};
	int code, status = 0;

	set_out(&r);
	code = open_all(&r, &err);
	if (!code) {
		code = record(&r, &err);
		status = r.child ? end_child(&r) : 0;
	}
	if (code)
		fprintf(stderr, "krait: %s\n", err.code ? err.text : strerror(-code));
	profile_free(r.chosen);
	where_free(r.where);
	session_free(r.session);
	named_free(r.named);
	child_free(r.child);
	close_fd(&r.signals);
	outputs_done(&r.outputs);
	free(r.own_output);
	account_done(&r.user);
	return code ? (int)cli_exit_of(code) : status;
}
