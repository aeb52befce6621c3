/* SPDX-License-Identifier: BSD-2-Clause */
/* `krait dump`: its option rows, and how it chooses processes and says what it could not read. */
#include "cmd/dump/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "cmd/cmd.h"
#include "session/look.h"

/* Exit status, besides enum cli_exit. */
enum { SOME_UNREAD = 4 };

/* --- rows ------------------------------------------------------------------------------------- */

#define FIELD(kind, field) CLI_FIELD(kind, struct dump_opts, field)

static const struct cli_opt rows[] = {
	CMD_ROW_PID(struct dump_opts, "Processes"),
	{ .name = "all",
	  .letter = 'a',
	  .help = "every Python process of this host",
	  FIELD(flag, all) },
	CMD_ROW_COMM(struct dump_opts),
	CMD_ROW_UID(struct dump_opts),
	CMD_ROW_CONTAINER(struct dump_opts, ""),
	CMD_ROW_POD(struct dump_opts),
	CMD_ROW_UNIT(struct dump_opts),
	CMD_ROW_CGROUP(struct dump_opts),

	{ .group = "Threads",
	  .name = "thread-name",
	  .metavar = "LIST",
	  .help = "only threads whose names match one of these patterns (* and ?)",
	  .min = 1,
	  .max = 255,
	  FIELD(name_list, threads) },

	{ .group = "Output",
	  .name = "json",
	  .help = "print one JSON document instead of text",
	  FIELD(flag, json) },
	{},
};

static const struct dump_opts defaults = {};

static const char *const text[] = {
	"Prints what every thread of the chosen Python processes does now: its name, its state, "
	"whether it holds or waits for the GIL, and its stack, leaf first. The processes are "
	"neither stopped nor changed, and nothing is loaded into the kernel: krait reads /proc and "
	"process memory, so it needs root or CAP_SYS_PTRACE, or for the caller's own processes "
	"only the right to trace them.",
	"A LIST is comma-separated, and its option is repeatable. A process must match all options "
	"that are given; of --container, --pod, --unit and --cgroup, one match is enough. At least "
	"one option must choose processes; --all chooses every one.",
	NULL,
};

static const struct cli_term exits[] = {
	{ "0", "every thread was read" },
	{ "1", "failure, or no Python process was found" },
	{ "2", "usage error" },
	{ "3", "krait may not read any of the processes" },
	{ "4", "some processes or stacks could not be read, or not whole; the others are printed" },
	{},
};

static const struct cli_term examples[] = {
	{ "krait dump -p 4711", "Where one process is stuck" },
	{ "krait dump --container web --thread-name 'worker-*'",
	  "What the workers in a container do" },
	{ "krait dump --all", "Every thread of every Python process" },
	{},
};

/* --- one run ---------------------------------------------------------------------------------- */

/* What was found and what was not. */
struct result {
	uint32_t read;    /* processes */
	uint32_t refused; /* processes that krait may not read */
	uint32_t unread;  /* processes and threads that could not be read */
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
	return n;
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
	bool json;
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
	r->read++;
	if (to->json) {
		dump_json(one, &to->j);
		return 0;
	}
	if (r->read > 1)
		buf_char(&to->out, '\n');
	dump_text(one, &to->out);
	code = write_out(&to->out, err);
	buf_clear(&to->out);
	return code;
}

static int dump_process(const struct survey_process *p, struct snapshots *snapshots,
			struct sink *to, struct result *r, struct err *err)
{
	struct dump_one one = { .process = p, .snapshots = snapshots };
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
	struct sink to = { .json = o->json };
	const struct survey_process *p;
	int code = 0;
	size_t n;

	to.j.out = &to.out;
	if (to.json)
		dump_json_begin(&to.j);
	p = survey_processes(survey, &n);
	for (size_t i = 0; i < n && !code; i++)
		code = dump_process(&p[i], snapshots, &to, r, err);
	if (to.json) {
		dump_json_end(&to.j, survey_refused(survey));
		if (!code)
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

static struct survey_opts survey_opts_of(const struct dump_opts *o)
{
	return (struct survey_opts){
		.pids = o->pids.at,
		.npids = o->pids.len,
		.uids = o->uids.at,
		.nuids = o->uids.len,
		.comms = (const char *const *)o->comms.at,
		.ncomms = o->comms.len,
		.places = { .containers = o->containers.at,
			    .ncontainers = o->containers.len,
			    .pods = o->pods.at,
			    .npods = o->pods.len,
			    .units = o->units.at,
			    .nunits = o->units.len,
			    .cgroups = o->cgroups.at,
			    .ncgroups = o->cgroups.len },
	};
}

/* The exit status, or -errno. */
static int dump(const struct dump_opts *o, struct err *err)
{
	const struct survey_opts so = survey_opts_of(o);
	_cleanup_(survey_freep) struct survey *survey = survey_new(&so, err);
	_cleanup_(snapshots_freep) struct snapshots *snapshots = NULL;
	struct result r = {};
	int code;

	if (!survey)
		return err->code;
	snapshots = snapshots_new((const char *const *)o->threads.at, o->threads.len);
	if (!snapshots)
		return err_set(err, -ENOMEM, "dump: out of memory");
	note_missing(o, survey, &r);
	code = dump_all(o, survey, snapshots, &r, err);
	if (!r.read && !r.unread)
		fputs("krait: no Python process found\n", stderr);
	return code ? code : status_of(&r);
}

static int dump_check(void *opts, struct err *err)
{
	const struct dump_opts *o = opts;

	if (o->all || o->pids.len || o->comms.len || o->uids.len || o->containers.len ||
	    o->pods.len || o->units.len || o->cgroups.len)
		return 0;
	return err_set(err, -EINVAL, "no process is chosen; use -p PID, --container NAME or --all");
}

static int dump_run(const void *opts)
{
	struct err err = {};
	int status = dump(opts, &err);

	if (status >= 0)
		return status;
	fprintf(stderr, "krait: %s\n", err.text);
	return cli_exit_of(status);
}

const struct cli_cmd cmd_dump = {
	.name = "dump",
	.usage = "[OPTION...]",
	.summary = "print what every thread of Python processes does now",
	.text = text,
	.opts = rows,
	.opts_size = sizeof(struct dump_opts),
	.defaults = &defaults,
	.check = dump_check,
	.run = dump_run,
	.examples = examples,
	.exits = exits,
};
