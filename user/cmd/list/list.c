/* SPDX-License-Identifier: BSD-2-Clause */
/* `krait list`: its option rows, and how it makes and prints a survey. */
#include "cmd/list/list.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/term.h"
#include "cmd/cmd.h"
#include "session/look.h"

/* --- rows ------------------------------------------------------------------------------------- */

#define FIELD(kind, field) CLI_FIELD(kind, struct list_opts, field)

static const struct cli_opt rows[] = {
	CMD_ROW_PID(struct list_opts, "Filters"),
	CMD_ROW_COMM(struct list_opts),
	CMD_ROW_UID(struct list_opts),

	{ .group = "Output",
	  .name = "json",
	  .help = "print one JSON document instead of a table",
	  FIELD(flag, json) },
	{},
};

static const struct list_opts defaults = {};

static const char *const text[] = {
	"Lists every Python process visible in /proc, sorted by container (processes in none "
	"first), then by pid. The columns are the pid here and in the process's own pid namespace "
	"(NSPID), version and build of the interpreter, how it is linked (static in the "
	"executable, or in a library; embedded in a program other than python), the number of "
	"threads, the container, and whether krait can record the process, or why not.",
	"It runs unprivileged, but can then examine only the caller's own processes. Others are "
	"listed if they are named python; the number of the rest is reported on standard error. On "
	"a terminal, lines are cut at the right edge.",
	"With --json the output is one object: \"processes\" is an array of objects, and "
	"\"not_permitted\" the number of processes that could not be examined. \"container\" is "
	"null or an object with the full \"id\" and the \"engine\"; with \"name\", \"image\" and, "
	"for Kubernetes, \"pod\", \"namespace\" and \"pod_uid\", each null unless the engine's "
	"files or socket provide it; and with an object of \"labels\". \"unit\" is the systemd "
	"unit, or null. \"command\" is the array of arguments, limited to the first 4095 bytes. "
	"\"version\", \"build\", \"linked\" and \"library\" are null if unknown, \"reason\" if the "
	"process can be recorded. \"more_versions\" are the versions of further interpreters in "
	"the same process.",
	NULL,
};

static const struct cli_term examples[] = {
	{ "krait list", "Python processes on this host" },
	{ "krait list --json | jq '.processes | group_by(.container.name)'",
	  "Processes of each container" },
	{ "krait list --json | jq '.processes[] | select(.supported | not)'",
	  "Processes that cannot be recorded, and why" },
	{},
};

/* --- one run ---------------------------------------------------------------------------------- */

static int check_pids(const struct list_opts *o, struct err *err)
{
	const uint64_t *pid;

	vec_each (&o->pids, pid)
		if (kill(*pid, 0) && errno == ESRCH)
			return err_set(err, -ESRCH, "--pid: %" PRIu64 ": no such process", *pid);
	return 0;
}

static void say_rest(const struct survey *s)
{
	uint32_t n = survey_refused(s);
	size_t found;

	survey_processes(s, &found);
	if (!found)
		fputs("krait: no Python process found\n", stderr);
	if (n)
		fprintf(stderr,
			"krait: %" PRIu32 " more process%s not examined: permission denied; %s\n",
			n, n == 1 ? "" : "es", look_refusal());
}

static int print(const struct list_opts *o, const struct survey *s, struct err *err)
{
	_cleanup_(buf_done) struct buf out = {};
	const struct survey_process *p;
	size_t n;

	p = survey_processes(s, &n);
	if (o->json)
		list_print_json(p, n, survey_refused(s), &out);
	else
		list_print_table(p, n, term_columns(STDOUT_FILENO), &out);
	if (out.err)
		return err_set(err, out.err, "list: out of memory");
	if (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout))
		return err_set(err, -errno, "output: standard output: %m");
	return 0;
}

static int list(const struct list_opts *o, struct err *err)
{
	_cleanup_(survey_freep) struct survey *s = NULL;
	const struct survey_opts so = { CMD_WHO(o) };
	int code = check_pids(o, err);

	if (code)
		return code;
	s = survey_new(&so, err);
	if (!s)
		return err->code;
	code = print(o, s, err);
	if (!code)
		say_rest(s);
	return code;
}

static int list_run(const void *opts)
{
	struct err err = {};
	int code = list(opts, &err);

	if (code)
		fprintf(stderr, "krait: %s\n", err.text);
	return cli_exit_of(code);
}

const struct cli_cmd cmd_list = {
	.name = "list",
	.usage = "[OPTION...]",
	.summary = "list the Python processes of this host",
	.text = text,
	.opts = rows,
	.opts_size = sizeof(struct list_opts),
	.defaults = &defaults,
	.run = list_run,
	.examples = examples,
};
