/* SPDX-License-Identifier: BSD-2-Clause */
/* `krait record`: its option rows, and which options can be combined. The recording itself is in run.c. */
#include <errno.h>
#include <stddef.h>

#include "cmd/cmd.h"
#include "cmd/outputs.h"
#include "cmd/record/opts.h"
#include "cmd/record/run.h"

/* --- rows -------------------------------------------------------------------------------------- */

static const struct cli_term modes[] = {
	[MODE_CPU] = { "cpu", "threads that run on a CPU" },
	[MODE_WALL] = { "wall",
			"every thread of every Python process at every tick, whether it runs or "
			"waits, and what it waits for" },
	[MODE_GIL] = { "gil", "threads that hold the GIL, whether they run or not" },
	{},
};

static const struct cli_term idles[] = {
	[IDLE_SHOW] = { "show", "like all others" },
	[IDLE_SKIP] = { "skip", "left out; how many, is said" },
	{},
};

static const char chosen[] = "0, chosen to fit";

#define FIELD(kind, field) CLI_FIELD(kind, struct record_opts, field)

enum { MAX_ENTRIES = 16777216 };

static const struct cli_opt rows[] = {
	{ .group = "How long and how often",
	  .name = "duration",
	  .letter = 'd',
	  .metavar = "DUR",
	  .help = "stop after this time",
	  .min = 1000000,
	  .max = 8760 * 3600 * 1000000000ULL,
	  FIELD(duration, duration_ns) },
	{ .name = "frequency",
	  .letter = 'F',
	  .alias = "rate",
	  .alias_letter = 'r',
	  .metavar = "HZ",
	  .help = "samples a second of each CPU",
	  .min = 1,
	  .max = 20000,
	  FIELD(uint, frequency) },

	{ .name = "mode",
	  .letter = 'm',
	  .metavar = "MODE",
	  .help = "which threads are counted",
	  .choices = modes,
	  FIELD(choice, mode) },

	{ .name = "idle",
	  .metavar = "WHAT",
	  .help = "threads that wait for work in the usual places: threading.Condition.wait, "
		  "selectors, queue.get, accept, workers of a pool",
	  .choices = idles,
	  FIELD(choice, idle) },

	CMD_ROW_PID(struct record_opts, "What to record"),
	{ .name = "subprocesses",
	  .letter = 's',
	  .help = "with --pid: also the processes that they start",
	  FIELD(flag, subprocesses) },
	{ .name = "tid",
	  .letter = 't',
	  .metavar = "LIST",
	  .help = "only these threads",
	  .min = 1,
	  .max = CMD_PID_LIMIT,
	  FIELD(uint_list, tids) },
	CMD_ROW_COMM(struct record_opts),
	CMD_ROW_UID(struct record_opts),
	{ .name = "container",
	  .metavar = "LIST",
	  .help = "only what runs in these containers, by name or by the beginning of the id; also "
		  "in those that start later under the name",
	  .min = 1,
	  .max = 255,
	  FIELD(name_list, containers) },
	{ .name = "pod",
	  .metavar = "LIST",
	  .help = "only what runs in these pods of Kubernetes, each as NAMESPACE/NAME",
	  .min = 3,
	  .max = 320,
	  FIELD(name_list, pods) },
	{ .name = "unit",
	  .metavar = "LIST",
	  .help = "only what runs in these units of systemd",
	  .min = 1,
	  .max = 255,
	  FIELD(name_list, units) },
	{ .name = "cgroup",
	  .metavar = "LIST",
	  .help = "only what runs in these cgroups and below, each as its path in the hierarchy or "
		  "as it is mounted",
	  .expand = CLI_DIRECTORIES,
	  .min = 1,
	  .max = 4095,
	  FIELD(name_list, cgroups) },

	CMD_ROW_OUTPUT(struct record_opts, "What to write",
		       "-, as a table on a terminal, folded elsewhere; with CMD "
		       "krait-NAME-PID.FORMAT in this directory"),
	CMD_ROW_FORMAT(struct record_opts),
	CMD_ROW_BY(struct record_opts,
		   "root frames of each stack, the outermost first; groups of the table",
		   "process; none for the table"),
	CMD_ROW_NO_LINES(struct record_opts),
	CMD_ROW_NO_STATES(struct record_opts),
	CMD_ROW_FULL_PATHS(struct record_opts),

	{ .group = "Limits",
	  .name = "max-depth",
	  .metavar = "N",
	  .help = "frames of a stack that are kept; a deeper one says [truncated] and is cut at "
		  "the leaf",
	  .min = 1,
	  .max = 4096,
	  FIELD(uint, max_depth) },
	{ .name = "max-procs",
	  .metavar = "N",
	  .help = "processes known at once",
	  .min = 1024,
	  .max = 1048576,
	  FIELD(uint, max_procs) },
	{ .name = "ring-size",
	  .metavar = "SIZE",
	  .help = "buffer between kernel and krait, rounded up to a power of two",
	  .zero = chosen,
	  .min = 1 << 20,
	  .max = 1 << 30,
	  FIELD(size, ring_size) },
	{ .name = "max-counts",
	  .metavar = "N",
	  .help = "distinct pairs of thread and stack in a second",
	  .zero = chosen,
	  .max = MAX_ENTRIES,
	  FIELD(uint, max_counts) },
	{ .name = "max-stacks",
	  .metavar = "N",
	  .help = "distinct stacks known at once",
	  .zero = chosen,
	  .max = MAX_ENTRIES,
	  FIELD(uint, max_stacks) },
	{ .name = "max-codes",
	  .metavar = "N",
	  .help = "distinct functions known at once",
	  .zero = chosen,
	  .max = MAX_ENTRIES,
	  FIELD(uint, max_codes) },
	{ .name = "max-memory",
	  .metavar = "SIZE",
	  .help = "memory of krait while it records; when it is reached, what is known is counted "
		  "as ever, and new stacks are [memory limit] of their thread",
	  .zero = "a sixteenth of the host's or its cgroup's, 128M to 2G",
	  .min = 64 << 20,
	  .max = 1ULL << 46,
	  FIELD(size, max_memory) },
	{ .name = "visit-all",
	  .help = "find threads that wait by a pass over all of the host, as before Linux 6.2; to "
		  "measure it",
	  FIELD(flag, visit_all) },

	{ .group = "Other",
	  .name = "verbose",
	  .letter = 'v',
	  .help = "say more on standard error; twice: also what libbpf says",
	  FIELD(count, verbose) },
	{ .name = "quiet",
	  .letter = 'q',
	  .help = "say nothing on standard error but errors",
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
	"Samples the Python stacks of all CPUs, or of what the options choose, until the time is "
	"over or a signal ends it, and writes one profile: to a terminal the table of krait "
	"report, to a pipe or a file folded stacks, unless -o or -f say otherwise.",
	"With CMD, that program is started and recorded with all its descendants, from its first "
	"instruction until it ends; krait returns its status. CMD has krait's standard input, "
	"output "
	"and error. Where krait runs through sudo, CMD runs as the user who called sudo, with his "
	"groups of /etc/group and his USER, LOGNAME and HOME (the rest of the environment, such as "
	"PATH, is what sudo makes it), and the file belongs to him. When the time of --duration is "
	"over before CMD has ended, CMD gets SIGTERM and krait waits for it. Descendants that go "
	"on "
	"when CMD has ended are left to themselves.",
	"A LIST is separated by commas, and the option may be repeated. Where several options "
	"choose what to record, all of them must match, but of --container, --pod, --unit and "
	"--cgroup one. A process of --pid that is not Python is named on standard error, with its "
	"descendants that are; if none is, and no sample came, the status is 1. What was lost, and "
	"why, is said on "
	"standard error and in the profile.",
	NULL,
};

static const struct cli_term signals[] = {
	{ "SIGINT, SIGTERM, SIGHUP",
	  "end the recording and write the profile; a second one gives up" },
	{ "SIGINT, SIGTERM, SIGHUP with CMD", "are passed on (not SIGINT from the terminal: CMD "
					      "has it already); the recording goes on until "
					      "CMD ends, and a second one gives up" },
	{ "SIGQUIT, SIGUSR2 with CMD", "are passed on" },
	{ "SIGUSR1", "write what there is and go on; a file is written anew" },
	{},
};

static const struct cli_term examples[] = {
	{ "krait record -d 10", "The hottest functions of this host in ten seconds" },
	{ "krait record -d 10 >host.folded", "The same ten seconds as folded stacks, for scripts" },
	{ "krait record -p 4711 -s -d 1m -o web.speedscope.json -o web.pb.gz",
	  "One server and its workers for a minute, for two viewers" },
	{ "sudo krait record -o job.folded -- python3 job.py",
	  "A program from its first to its last line" },
	{ "krait record --uid www-data --by comm,thread", "A user's processes, a tree per thread" },
	{ "krait record --container web,db --by container", "Two containers, a tree for each" },
	{},
};

/* --- combinations ------------------------------------------------------------------------------ */

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
			return err_set(
				err, -EINVAL,
				"--%s: contradicts CMD, which is what is recorded; leave out one",
				rivals[i].name);
	return 0;
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
		return err_set(err, -EINVAL, "--subprocesses: needs --pid; add -p LIST");
	if (o->quiet && o->verbose)
		return err_set(err, -EINVAL, "--quiet: contradicts --verbose; leave out one");
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
