/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of `krait record`, with a mock session that checks the options it is given. */
#include "cmd/record/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/outputs.h"
#include "tap.h"

enum { ARGS_MAX = 16 };

/* The mock session: what it checks, set before a run, and how often it ran. */
static struct {
	void (*look)(const struct record_opts *o);
	int runs;
} session;

int record_run_session(const struct record_opts *o)
{
	session.runs++;
	if (session.look)
		session.look(o);
	return 0;
}

/* Returns the exit status; the caller frees *@ret_diag, the error output. */
static int run(const char *words, void (*look)(const struct record_opts *), char **ret_diag)
{
	static const struct cli_cmd *const cmds[] = { &cmd_record, NULL };
	static const struct cli_prog krait = { .name = "krait", .version = "0", .cmds = cmds };
	char prog[] = "krait", *argv[ARGS_MAX] = { prog };
	char *line = strdup(words), *rest = line;
	int status, argc = 1;
	size_t len;
	FILE *diag = open_memstream(ret_diag, &len);

	while (argc < ARGS_MAX - 1 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	session.look = look;
	session.runs = 0;
	status = cli_main(&krait, argc, argv, stdout, diag);
	fclose(diag);
	free(line);
	return status;
}

static void expect_run(const char *words, void (*look)(const struct record_opts *))
{
	char *diag;

	CHECK_EQ(run(words, look, &diag), CLI_DONE);
	CHECK_STR(diag, "");
	CHECK_EQ(session.runs, 1);
	free(diag);
}

static void expect_usage(const char *words, const char *want)
{
	char *diag;

	CHECK_EQ(run(words, NULL, &diag), CLI_USAGE);
	CHECK_EQ(session.runs, 0);
	CHECK(strstr(diag, want));
	if (!strstr(diag, want))
		printf("# %s: %s", words, diag);
	free(diag);
}

static void look_defaults(const struct record_opts *o)
{
	CHECK_EQ(o->duration_ns, NUM_UNLIMITED);
	CHECK_EQ(o->frequency, 99);
	CHECK_EQ(o->outputs.len, 0);
	CHECK(!o->grouped);
	CHECK_EQ(o->by.len, 1);
	CHECK_EQ(o->by.at[0], DIM_PROCESS);
	CHECK_EQ(o->max_depth, 4096);
	CHECK_EQ(o->max_procs, 32768);
	CHECK_EQ(o->ring_size + o->max_counts + o->max_stacks + o->max_codes, 0);
	CHECK_EQ(o->pids.len + o->tids.len + o->comms.len + o->uids.len, 0);
}

TEST(defaults)
{
	expect_run("record", look_defaults);
}

static void look_everything(const struct record_opts *o)
{
	CHECK_EQ(o->duration_ns, 1500000000);
	CHECK_EQ(o->frequency, 20000);
	CHECK_EQ(o->pids.len, 2);
	CHECK(o->subprocesses);
	CHECK_EQ(o->verbose, 2);
	CHECK_EQ(o->ring_size, 64 << 20);
}

static void look_lists(const struct record_opts *o)
{
	CHECK_EQ(o->comms.len, 2);
	CHECK_STR(o->comms.at[0], "uwsgi");
	CHECK_EQ(o->uids.len, 2);
	CHECK_EQ(o->uids.at[0], 0);
	CHECK_EQ(o->uids.at[1], 4294967294);
	CHECK(o->grouped);
	CHECK_EQ(o->by.len, 2);
	CHECK_EQ(o->by.at[0], DIM_THREAD);
	CHECK_EQ(o->by.at[1], DIM_COMM);
}

static void look_threads(const struct record_opts *o)
{
	CHECK_EQ(o->threads.len, 3);
	CHECK_STR(o->threads.at[0], "worker-*");
	CHECK_STR(o->threads.at[2], "c");
	CHECK_EQ(o->tids.len, 0);
}

static void look_none(const struct record_opts *o)
{
	CHECK_EQ(o->by.len, 0);
}

TEST(options)
{
	expect_run("record -d 1500ms -r 20000 -p 1,2 -s -vv --ring-size 64M", look_everything);
	expect_run("record --comm uwsgi,celery --uid root,4294967294 --by thread,comm", look_lists);
	expect_run("record --by none", look_none);
	expect_run("record --thread-name worker-*,b --thread-name c", look_threads);
}

static void look_command(const struct record_opts *o)
{
	CHECK(o->cmd && o->cmd[0] && o->cmd[1] && !o->cmd[2]);
	if (o->cmd && o->cmd[0] && o->cmd[1]) {
		CHECK_STR(o->cmd[0], "job");
		CHECK_STR(o->cmd[1], "-d");
	}
	CHECK_EQ(o->outputs.len, 0);
	CHECK_EQ(o->duration_ns, 1000000000);
}

static void look_command_to_stdout(const struct record_opts *o)
{
	CHECK(o->cmd);
	CHECK(o->outputs.len == 1 && !strcmp(o->outputs.at[0], "-"));
}

TEST(command)
{
	expect_run("record -d 1 -- job -d", look_command);
	expect_run("record -s -o - -- job", look_command_to_stdout);
	expect_usage("record job", "unexpected argument 'job'; put CMD after --");
	expect_usage("record -p 1 -- job", "--pid cannot be combined with a command to run");
	expect_usage("record -t 1 -- job", "--tid cannot be combined with a command to run");
	expect_usage("record --comm web -- job", "--comm cannot be combined with a command to run");
	expect_usage("record --uid 0 -- job", "--uid cannot be combined with a command to run");
	expect_usage("record --", "missing CMD after --");
}

static void expect_name(const char *cmd, const char *want)
{
	char *name = outputs_name_after(cmd, 41, "folded");

	CHECK_STR(name, want);
	free(name);
}

TEST(output_file_names)
{
	expect_name("python3.11", "krait-python3.11-41.folded");
	expect_name("./bin/my job", "krait-my_job-41.folded");
	expect_name("/usr/bin/", "krait-_usr_bin_-41.folded");
	expect_name("../..", "krait-..-41.folded");
	expect_name("\xc3\xa9\n;", "krait-____-41.folded");
	expect_name("", "krait--41.folded");
	expect_name(
		"0123456789012345678901234567890123456789012345678901234567890123456789",
		"krait-0123456789012345678901234567890123456789012345678901234567890123-41.folded");
}

TEST(refused)
{
	expect_usage("record -s", "--subprocesses requires --pid");
	expect_usage("record -q -v", "--quiet cannot be combined with --verbose");
	expect_usage("record --by none,comm", "--by: 'none' cannot be combined");
	expect_usage("record --by comm --by comm", "--by: 'comm' is given twice");
	expect_usage("record -F 20001", "--frequency: '20001'");
	expect_usage("record -F 0", "--frequency: '0'");
	expect_usage("record -p 0", "--pid: '0'");
	expect_usage("record -t 1,x", "--tid: '1,x'");
	expect_usage("record --comm 0123456789abcdef", "--comm: '0123456789abcdef'");
	expect_usage("record --uid no-such-user", "--uid: 'no-such-user': no such user");
	expect_usage("record --uid 4294967295", "--uid: '4294967295'");
	expect_usage("record --uid root,", "--uid: 'root,'");
	expect_usage("record --max-depth 4097", "--max-depth: '4097'");
	expect_usage("record --max-procs 1023", "--max-procs: '1023'");
	expect_usage("record --ring-size 512k", "--ring-size: '512k'");
	expect_usage("record -f no-such-format", "--format: 'no-such-format'");
}

/* cmd_formats names formats as constants, which could get out of step with the table of formats. */
TEST(formats_match_the_format_table)
{
	size_t i;

	CHECK_STR(cmd_formats[CMD_FORMAT_AUTO].name, "auto");
	for (i = 0; cmd_formats[i + 1].name; i++) {
		CHECK(format_at(i));
		if (format_at(i))
			CHECK_STR(cmd_formats[i + 1].name, format_at(i)->name);
	}
	CHECK(!format_at(i));
}
