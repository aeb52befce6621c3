/* SPDX-License-Identifier: BSD-2-Clause */
/* The program krait: its list of commands. Everything else about the command line is in the commands' rows. */
#include "cmd/cmd.h"

static const struct cli_cmd *const cmds[] = {
	&cmd_record, &cmd_report, &cmd_list, &cmd_dump, &cmd_doctor, NULL,
};

static const char *const text[] = {
	"krait samples the stacks of all Python programs on a Linux host without modifying them: "
	"on a timer of each CPU, a BPF program reads the stack of the running thread. Nothing is "
	"installed in the programs or written to them, and none is paused.",
	"Recording needs root, or CAP_BPF and CAP_PERFMON, and Linux 5.10 or newer with BTF. "
	"Profiles go to standard output or to files, messages to standard error.",
	NULL,
};

static const struct cli_term exits[] = {
	{ "0", "done" },
	{ "1", "failure; of doctor: recording works, with limits" },
	{ "2", "usage error" },
	{ "3", "a privilege or kernel feature is missing" },
	{ "4", "of dump: a part could not be read" },
	{ "126, 127", "CMD cannot be executed; CMD is not found" },
	{ "another", "status of CMD; 128 + N if signal N ended it" },
	{},
};

static const struct cli_term examples[] = {
	{ "sudo krait record -d 10", "Hottest functions of this host over ten seconds" },
	{ "sudo krait record -d 10 -o host.html", "A flame graph for a browser" },
	{ "sudo krait record -m wall -d 10 -p 4711", "What one process runs and waits for" },
	{ "sudo krait record -o job.krait -- python3 job.py",
	  "One program from start to end, saved with all details" },
	{ "sudo krait dump -p 4711", "Where one process is stuck" },
	{ "krait report job.krait", "Hottest functions of a saved recording" },
	{},
};

static const char *const see_also[] = { "krait-formats (5)", "perf (1)", "capabilities (7)", NULL };

int main(int argc, char **argv)
{
	static const struct cli_prog krait = {
		.name = "krait",
		.version = KRAIT_VERSION,
		.date = KRAIT_DATE,
		.summary = "a sampling profiler for all Python programs on a host",
		.text = text,
		.cmds = cmds,
		.exits = exits,
		.examples = examples,
		.see_also = see_also,
	};

	return cli_main(&krait, argc, argv, stdout, stderr);
}
