/* SPDX-License-Identifier: BSD-2-Clause */
/* `krait dump`: its option rows. The dump itself is in run.c. */
#include "cmd/dump/dump.h"

#include <errno.h>

#include "cmd/cmd.h"

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
	  .name = "source",
	  .help = "also print the source line of each frame",
	  FIELD(flag, source) },
	{ .name = "locals",
	  .letter = 'l',
	  .help = "also print the arguments and local variables of each frame",
	  FIELD(flag, locals) },
	{ .name = "tasks",
	  .help = "also print the asyncio tasks of each event loop, with what they await",
	  FIELD(flag, tasks) },
	{ .name = "watch",
	  .letter = 'w',
	  .metavar = "SEC",
	  .help = "take a snapshot every SEC seconds, until interrupted or all --pid processes "
		  "have ended",
	  .zero = "one snapshot",
	  .min = 1,
	  .max = 86400,
	  FIELD(uint, watch) },
	{ .name = "json",
	  .help = "print a JSON document, on one line, instead of text",
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
	{ "krait dump -p 4711 --locals --source", "With variables and source lines" },
	{ "krait dump -p 4711 --tasks", "What every asyncio task waits for" },
	{ "krait dump --all", "Every thread of every Python process" },
	{ "krait dump -p 4711 --watch 5 --json >>series.jsonl", "A snapshot each five seconds" },
	{},
};

/* --- the command ------------------------------------------------------------------------------ */

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
	return dump_run_all(opts);
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
