/* SPDX-License-Identifier: BSD-2-Clause */
/* `krait record`: its option rows, and which options can be combined. The recording itself is in run.c. */
#include <errno.h>
#include <stddef.h>

#include "cmd/cmd.h"
#include "cmd/outputs.h"
#include "cmd/record/opts.h"
#include "cmd/record/run.h"

/* --- rows ------------------------------------------------------------------------------------- */

static const struct cli_term modes[] = {
	[MODE_CPU] = { "cpu", "threads running on a CPU" },
	[MODE_WALL] = { "wall", "every thread of every Python process at every tick, running or "
				"off-CPU, with what it waits for" },
	[MODE_GIL] = { "gil", "threads holding the GIL, running or off-CPU" },
	{},
};

static const struct cli_term idles[] = {
	[IDLE_SHOW] = { "show", "count them like other threads" },
	[IDLE_SKIP] = { "skip", "skip them; the summary counts them. Waits in "
				"threading.Condition.wait are skipped, too" },
	{},
};

static const char chosen[] = "automatic";

#define FIELD(kind, field) CLI_FIELD(kind, struct record_opts, field)

enum { MAX_ENTRIES = 16777216 };

static const struct cli_opt rows[] = {
	{ .group = "Sampling",
	  .name = "duration",
	  .letter = 'd',
	  .metavar = "DUR",
	  .help = "stop after this time, in seconds unless it has a unit",
	  .min = 1000000,
	  .max = 8760 * 3600 * 1000000000ULL,
	  FIELD(duration, duration_ns) },
	{ .name = "frequency",
	  .letter = 'F',
	  .alias = "rate",
	  .alias_letter = 'r',
	  .metavar = "HZ",
	  .help = "sampling rate per CPU, in Hz",
	  .min = 1,
	  .max = 20000,
	  FIELD(uint, frequency) },

	{ .name = "mode",
	  .letter = 'm',
	  .metavar = "MODE",
	  .help = "clock: cpu counts running threads, wall counts all threads, gil counts GIL "
		  "holders",
	  .choices = modes,
	  FIELD(choice, mode) },

	{ .name = "idle",
	  .metavar = "WHAT",
	  .help = "show or skip threads parked in idle waits: thread pools, queue.get, selectors, "
		  "accept",
	  .choices = idles,
	  FIELD(choice, idle) },

	{ .name = "native",
	  .letter = 'n',
	  .help = "also record C functions, between the Python functions that call them and are "
		  "called by them; twice: with the interpreter's own plumbing (x86-64)",
	  FIELD(count, native) },
	{ .name = "kernel",
	  .help = "also record the kernel's functions, where a sample found the kernel running "
		  "(--mode=cpu)",
	  FIELD(flag, kernel) },

	CMD_ROW_PID(struct record_opts, "Filters"),
	{ .name = "subprocesses",
	  .letter = 's',
	  .help = "with --pid: include their descendants, also those started later",
	  FIELD(flag, subprocesses) },
	{ .name = "tid",
	  .letter = 't',
	  .metavar = "LIST",
	  .help = "only these threads",
	  .min = 1,
	  .max = CMD_PID_LIMIT,
	  FIELD(uint_list, tids) },
	{ .name = "thread-name",
	  .metavar = "LIST",
	  .help = "only samples of threads whose names match one of these patterns (* and ?)",
	  .min = 1,
	  .max = 255,
	  FIELD(name_list, threads) },
	CMD_ROW_COMM(struct record_opts),
	CMD_ROW_UID(struct record_opts),
	CMD_ROW_CONTAINER(struct record_opts, ", including ones started later under that name"),
	CMD_ROW_POD(struct record_opts),
	CMD_ROW_UNIT(struct record_opts),
	CMD_ROW_CGROUP(struct record_opts),

	CMD_ROW_OUTPUT(struct record_opts, "Output",
		       "-, as a table on a terminal, else as folded stacks; with CMD: "
		       "krait-NAME-PID.FORMAT in the working directory"),
	CMD_ROW_FORMAT(struct record_opts),
	CMD_ROW_BY(
		struct record_opts,
		"group by these, outermost first: root frames of each stack, sections of the table",
		"process; for the table: none"),
	CMD_ROW_NO_LINES(struct record_opts),
	CMD_ROW_NO_STATES(struct record_opts),
	CMD_ROW_FULL_PATHS(struct record_opts),

	{ .group = "Limits",
	  .name = "max-depth",
	  .metavar = "N",
	  .help = "frames kept per stack; a deeper stack loses its leaf side and is marked "
		  "[truncated]",
	  .min = 1,
	  .max = 4096,
	  FIELD(uint, max_depth) },
	{ .name = "max-procs",
	  .metavar = "N",
	  .help = "processes tracked at once",
	  .min = 1024,
	  .max = 1048576,
	  FIELD(uint, max_procs) },
	{ .name = "ring-size",
	  .metavar = "SIZE",
	  .help = "fixed size of the ring buffer between kernel and krait, rounded up to a power "
		  "of two",
	  .zero = chosen,
	  .min = 1 << 20,
	  .max = 1 << 30,
	  FIELD(size, ring_size) },
	{ .name = "max-counts",
	  .metavar = "N",
	  .help = "distinct (thread, stack) pairs per second; 0: automatic",
	  .zero = chosen,
	  .max = MAX_ENTRIES,
	  FIELD(uint, max_counts) },
	{ .name = "max-stacks",
	  .metavar = "N",
	  .help = "distinct stacks tracked at once; 0: automatic",
	  .zero = chosen,
	  .max = MAX_ENTRIES,
	  FIELD(uint, max_stacks) },
	{ .name = "max-codes",
	  .metavar = "N",
	  .help = "distinct functions tracked at once; 0: automatic",
	  .zero = chosen,
	  .max = MAX_ENTRIES,
	  FIELD(uint, max_codes) },
	{ .name = "max-memory",
	  .metavar = "SIZE",
	  .help = "memory limit of krait while recording; beyond it, known stacks still count, and "
		  "new ones become [memory limit] of their thread",
	  .zero = "1/16 of the memory of the host or cgroup, 128M to 2G",
	  .min = 64 << 20,
	  .max = 1ULL << 46,
	  FIELD(size, max_memory) },
	{ .name = "visit-all",
	  .help = "find off-CPU threads by a pass over all threads of the host, as before Linux "
		  "6.2 (for measurements)",
	  FIELD(flag, visit_all) },

	{ .group = "Other",
	  .name = "verbose",
	  .letter = 'v',
	  .help = "print more details on standard error; twice: also messages of libbpf",
	  FIELD(count, verbose) },
	{ .name = "quiet",
	  .letter = 'q',
	  .help = "print only errors on standard error",
	  FIELD(flag, quiet) },
	{},
};

static const struct record_opts defaults = {
	.duration_ns = NUM_UNLIMITED,
	.frequency = 99,
	.max_depth = 4096,
	.max_procs = 32768,
};

static const char *const text[] = {
	"Samples the Python stacks on all CPUs, or those that the filters select, until the "
	"duration is over or a signal arrives, and writes one profile: the table of krait report "
	"to a terminal, folded stacks to a pipe or file, unless -o or -f say otherwise.",
	"With CMD, krait starts that program and records it with all its descendants, from its "
	"first instruction until it ends, and returns its status. CMD uses krait's standard input, "
	"output and error. Under sudo, CMD runs as the user who called sudo, with that user's "
	"groups from /etc/group and USER, LOGNAME and HOME (the rest of the environment, such as "
	"PATH, is as sudo sets it), and that user owns the output files. If the duration is over "
	"before CMD ends, CMD gets SIGTERM and krait waits for it. Descendants that outlive CMD "
	"are left running.",
	"A LIST is comma-separated, and its option is repeatable. A process must match all filters "
	"that are given; of --container, --pod, --unit and --cgroup, one match is enough. A --pid "
	"process that is not Python is reported on standard error with its Python descendants; if "
	"none is Python and there were no samples, the status is 1. Lost samples are reported with "
	"the reason on standard error and in the profile.",
	NULL,
};

static const struct cli_term signals[] = {
	{ "SIGINT, SIGTERM, SIGHUP",
	  "end the recording and write the profile; a second one kills krait" },
	{ "SIGINT, SIGTERM, SIGHUP with CMD",
	  "passed on to CMD (except SIGINT from the terminal, which CMD already has); the "
	  "recording continues until CMD ends; a second one kills krait" },
	{ "SIGQUIT, SIGUSR2 with CMD", "passed on to CMD" },
	{ "SIGUSR1", "write a snapshot and continue; files are replaced" },
	{},
};

static const struct cli_term examples[] = {
	{ "krait record -d 10", "Hottest functions of this host over ten seconds" },
	{ "krait record -d 10 >host.folded", "Folded stacks of ten seconds, for scripts" },
	{ "krait record -p 4711 -s -d 1m -o web.speedscope.json -o web.pb.gz",
	  "One server and its workers for a minute, in two formats" },
	{ "sudo krait record -o job.folded -- python3 job.py", "One program from start to end" },
	{ "krait record --uid www-data --by comm,thread",
	  "Processes of one user, grouped by process and thread name" },
	{ "krait record -p 4711 --thread-name 'worker-*'", "Some threads of a process, by name" },
	{ "krait record --container web,db --by container", "Two containers, one tree each" },
	{},
};

/* --- combinations ----------------------------------------------------------------------------- */

static int check_cmd(struct record_opts *o, struct err *err)
{
	const struct {
		const char *name;
		size_t given;
	} rivals[] = { { "pid", o->pids.len },
		       { "tid", o->tids.len },
		       { "comm", o->comms.len },
		       { "uid", o->uids.len },
		       { "container", o->containers.len },
		       { "pod", o->pods.len },
		       { "unit", o->units.len },
		       { "cgroup", o->cgroups.len } };

	for (size_t i = 0; i < sizeof(rivals) / sizeof(rivals[0]); i++)
		if (rivals[i].given)
			return err_set(err, -EINVAL,
				       "--%s cannot be combined with a command to run",
				       rivals[i].name);
	return 0;
}

static bool picks(const cli_picks *by, enum dim dim)
{
	const unsigned int *it;

	vec_each (by, it)
		if (*it == dim)
			return true;
	return false;
}

static int record_check(void *opts, struct err *err)
{
	struct record_opts *o = opts;
	int code = o->cmd ? check_cmd(o, err) : 0;

	if (code)
		return code;
	code = outputs_check_names(&o->outputs, o->format, err);
	if (code)
		return code;
	if (o->subprocesses && !o->pids.len && !o->cmd)
		return err_set(err, -EINVAL, "--subprocesses requires --pid; add -p LIST");
	if (o->kernel && o->mode != MODE_CPU)
		return err_set(err, -EINVAL,
			       "--kernel: kernel frames of off-CPU threads are not recorded; use "
			       "--mode=cpu");
	o->tasks = picks(&o->by, DIM_TASK);
	if ((o->native || o->kernel) && o->tasks)
		return err_set(
			err, -EINVAL,
			"--by task: not recorded together with native or kernel frames yet; leave "
			"out --native and --kernel");
	if (o->quiet && o->verbose)
		return err_set(err, -EINVAL, "--quiet cannot be combined with --verbose; use one");
	o->grouped = o->by.len;
	return cmd_check_by(&o->by, err);
}

static int record_run(const void *opts)
{
	return record_run_session(opts);
}

const struct cli_cmd cmd_record = {
	.name = "record",
	.usage = "[OPTION...] [-- CMD [ARG...]]",
	.summary = "record the stacks of running Python programs",
	.text = text,
	.opts = rows,
	.opts_size = sizeof(struct record_opts),
	.defaults = &defaults,
	.words = "CMD",
	.words_at = offsetof(struct record_opts, cmd),
	.check = record_check,
	.run = record_run,
	.signals = signals,
	.examples = examples,
};
