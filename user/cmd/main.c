/* SPDX-License-Identifier: BSD-2-Clause */
/* The program krait: its list of commands. Everything else about the command line is in the commands' rows. */
#include "cmd/cmd.h"

static const struct cli_cmd *const cmds[] = {
	&cmd_record, &cmd_report, &cmd_list, &cmd_doctor, NULL,
};

static const char *const text[] = {
	"krait sees what all Python programs of a Linux host are doing, without touching them: a "
	"BPF program reads their stacks on the timer of each CPU. Nothing is installed in, "
	"written to or stopped in the programs.",
	"Recording needs root, or CAP_BPF and CAP_PERFMON, and Linux 5.10 or newer with BTF. "
	"Profiles go to standard output or to a file, everything else to standard error.",
	NULL,
};

static const struct cli_term exits[] = {
	{ "0", "done" },
	{ "1", "failed; of doctor: works, with limits" },
	{ "2", "the command line is wrong" },
	{ "3", "a privilege or something in the kernel is missing" },
	{ "126, 127", "CMD cannot be executed, is not found" },
	{ "another", "that of CMD; 128 + N where signal N ended it" },
	{},
};

static const struct cli_term examples[] = {
	{ "sudo krait record -d 10", "The hottest functions of this host in ten seconds" },
	{ "sudo krait record -d 10 -o host.html", "A flame graph for a browser" },
	{ "sudo krait record -m wall -d 10 -p 4711",
	  "What one process runs, and what it waits for" },
	{ "sudo krait record -o job.krait -- python3 job.py",
	  "A program from start to end, saved with everything" },
	{ "krait report job.krait", "The hottest functions of a saved recording" },
	{},
};

static const char *const see_also[] = { "krait-formats (5)", "perf (1)", "capabilities (7)", NULL };

int main(int argc, char **argv)
{
	static const struct cli_prog krait = {
		.name = "krait",
		.version = KRAIT_VERSION,
		.date = KRAIT_DATE,
		.summary = "a sampling profiler for all Python programs of a host",
		.text = text,
		.cmds = cmds,
		.exits = exits,
		.examples = examples,
		.see_also = see_also,
	};

	return cli_main(&krait, argc, argv, stdout, stderr);
}
