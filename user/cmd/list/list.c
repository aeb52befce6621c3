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

/* --- rows -------------------------------------------------------------------------------------- */

#define FIELD(kind, field) CLI_FIELD(kind, struct list_opts, field)

static const struct cli_opt rows[] = {
	CMD_ROW_PID(struct list_opts, "What to list"),
	CMD_ROW_COMM(struct list_opts),
	CMD_ROW_UID(struct list_opts),

	{ .group = "How to print",
	  .name = "json",
	  .help = "one JSON document instead of a table",
	  FIELD(flag, json) },
	{},
};

static const struct list_opts defaults = {};

static const char *const text[] = {
	"Lists every Python process that /proc shows, by container, those in none first, and by "
	"ascending pid: its pid here and in its "
	"own namespace (NSPID), the version and build of its interpreter, whether that is in the "
	"executable (static) or in a library, in the program python or embedded in another one, "
	"the number of threads, the container, and whether krait can record it, or why not.",
	"It needs no privilege, but without one only one's own processes can be looked at. Others "
	"are listed if they are called python; how many more there are is said on standard "
	"error. On a terminal a line ends where the terminal does.",
	"With --json the document is an object: \"processes\" is an array of objects, and "
	"\"not_permitted\" the number of processes that could not be looked at. \"container\" is "
	"null or an object with the whole \"id\", the \"engine\", and what the engine's files or "
	"its "
	"socket tell, else null: \"name\", \"image\", and of Kubernetes \"pod\", \"namespace\" and "
	"\"pod_uid\", and an object with its \"labels\"; \"unit\" is that of systemd, or null; "
	"\"command\" is the array of "
	"arguments, of which the first 4095 bytes are kept; \"version\", \"build\", \"linked\" "
	"and \"library\" are null where they are not known, \"reason\" where there is none. "
	"\"more_versions\" are those of interpreters beside the first in one process.",
	NULL,
};

static const struct cli_term examples[] = {
	{ "krait list", "What runs Python here" },
	{ "krait list --json | jq '.processes | group_by(.container.name)'",
	  "The processes of each container" },
	{ "krait list --json | jq '.processes[] | select(.supported | not)'",
	  "What cannot be recorded, and why" },
	{},
};

/* --- one run ----------------------------------------------------------------------------------- */

static int check_pids(const struct list_opts *o, struct err *err)
{
	const uint64_t *pid;

	vec_each (&o->pids, pid)
		if (kill(*pid, 0) && errno == ESRCH)
			return err_set(err, -ESRCH, "--pid: %" PRIu64 ": there is no such process",
				       *pid);
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
			"krait: %" PRIu32
			" more process%s could not be looked at: not permitted; %s\n",
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
	const struct survey_opts so = {
		.pids = o->pids.at,
		.npids = o->pids.len,
		.uids = o->uids.at,
		.nuids = o->uids.len,
		.comms = (const char *const *)o->comms.at,
		.ncomms = o->comms.len,
	};
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
