/* SPDX-License-Identifier: BSD-2-Clause */
/* cli: the command line driver with a small program: three commands, and an option of each kind. */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

enum { ARGS_MAX = 32, RUN_STATUS = 42 };

/* --- the program ------------------------------------------------------------------------------ */

struct sail_opts {
	bool flag;
	unsigned int count;
	uint64_t knots, hold, time;
	const char *log;
	unsigned int wind;
	num_vec decks;
	cli_names crew;
	cli_picks flags;
	char **load;
};

static const struct cli_term winds[] = { { "east", "cold" }, { "west", "wet" }, {} };

static const struct cli_opt sail_rows[] = {
	{ .name = "flag",
	  .letter = 'l',
	  .help = "h flag",
	  CLI_FIELD(flag, struct sail_opts, flag) },
	{ .name = "count", .letter = 'c', .help = "h", CLI_FIELD(count, struct sail_opts, count) },
	{ .group = "Numbers",
	  .name = "knots",
	  .letter = 'k',
	  .alias = "speed",
	  .alias_letter = 's',
	  .metavar = "N",
	  .help = "how fast",
	  .min = 1,
	  .max = 30,
	  CLI_FIELD(uint, struct sail_opts, knots) },
	{ .name = "hold",
	  .metavar = "SIZE",
	  .help = "cargo",
	  .zero = "as built",
	  .min = 1024,
	  .max = 1 << 20,
	  CLI_FIELD(size, struct sail_opts, hold) },
	{ .name = "time",
	  .metavar = "DUR",
	  .help = "how long",
	  .min = 1000000,
	  .max = 3600000000000,
	  CLI_FIELD(duration, struct sail_opts, time) },
	{ .name = "log",
	  .metavar = "FILE",
	  .help = "where",
	  .min = 1,
	  .max = 9,
	  CLI_FIELD(string, struct sail_opts, log) },
	{ .name = "wind",
	  .metavar = "NAME",
	  .help = "from where",
	  .choices = winds,
	  CLI_FIELD(choice, struct sail_opts, wind) },
	{ .name = "decks",
	  .metavar = "LIST",
	  .help = "which",
	  .min = 1,
	  .max = 4,
	  CLI_FIELD(uint_list, struct sail_opts, decks) },
	{ .name = "crew",
	  .metavar = "LIST",
	  .help = "who",
	  .min = 1,
	  .max = 5,
	  CLI_FIELD(name_list, struct sail_opts, crew) },
	{ .name = "flags",
	  .metavar = "LIST",
	  .help = "shown",
	  .choices = winds,
	  CLI_FIELD(choice_list, struct sail_opts, flags) },
	{},
};

static const struct sail_opts sail_defaults = { .knots = 7, .time = NUM_UNLIMITED, .log = "-" };

static int sail_check(void *opts, struct err *err)
{
	const struct sail_opts *o = opts;

	return o->knots == 13 ? err_set(err, -EINVAL, "--knots: bad luck") : 0;
}

static int sail_run(const void *opts)
{
	return RUN_STATUS;
}

static const struct cli_term examples[] = { { "ship sail -k 9", "Nine knots" }, {} };
static const struct cli_term stops[] = { { "SIGINT", "come home" }, {} };
static const struct cli_term exits[] = { { "0", "done" }, {} };
static const char *const text[] = { ".starts with a dot, has a-dash and a \\", NULL };

static const struct cli_cmd sail = {
	.name = "sail",
	.usage = "[OPTION...]",
	.summary = "go out",
	.text = text,
	.opts = sail_rows,
	.opts_size = sizeof(struct sail_opts),
	.defaults = &sail_defaults,
	.check = sail_check,
	.run = sail_run,
	.signals = stops,
	.examples = examples,
};

static const struct cli_opt no_rows[] = { {} };
static const char nothing[1];

static int sink_run(const void *opts)
{
	return cli_exit_of(-EPERM);
}

static const struct cli_cmd sink = {
	.name = "sink",
	.usage = "",
	.summary = "go down",
	.opts = no_rows,
	.opts_size = sizeof(nothing),
	.defaults = nothing,
	.run = sink_run,
};

/* The words given to `ship tow`; NULL: none. */
static char **towed;

static int tow_run(const void *opts)
{
	const struct sail_opts *o = opts;

	towed = o->load;
	return CLI_DONE;
}

static const struct cli_cmd tow = {
	.name = "tow",
	.usage = "[-- LOAD...]",
	.summary = "pull",
	.opts = sail_rows,
	.opts_size = sizeof(struct sail_opts),
	.defaults = &sail_defaults,
	.words = "LOAD",
	.words_at = offsetof(struct sail_opts, load),
	.run = tow_run,
};

static const struct cli_term calls[] = { { "ship sail", "Begin" }, { "ship tow", "Help" }, {} };
static const struct cli_cmd *const cmds[] = { &sail, &sink, &tow, NULL };
static const struct cli_prog ship = {
	.name = "ship",
	.version = "3.2.1",
	.date = "2026-01-02",
	.summary = "a ship",
	.text = text,
	.cmds = cmds,
	.exits = exits,
	.examples = calls,
};

/* --- running it ------------------------------------------------------------------------------- */

struct result {
	int status;
	char *out, *diag;
};

static void result_done(struct result *r)
{
	free(r->out);
	free(r->diag);
}

#define _result_ __attribute__((cleanup(result_done)))

/* Splits @line at single spaces; '' is an empty word. Returns the number of words. */
static int split(char *line, char **argv)
{
	char *word;
	int argc = 0;

	while ((word = strsep(&line, " ")) && argc < ARGS_MAX - 1)
		argv[argc++] = strcmp(word, "''") ? word : word + 2;
	argv[argc] = NULL;
	return argc;
}

static struct result run(const char *words)
{
	struct result r = {};
	size_t out_len, diag_len;
	FILE *out = open_memstream(&r.out, &out_len);
	FILE *diag = open_memstream(&r.diag, &diag_len);
	char *argv[ARGS_MAX], *line = strdup(words);

	if (out && diag && line)
		r.status = cli_main(&ship, split(line, argv), argv, out, diag);
	if (out)
		fclose(out);
	if (diag)
		fclose(diag);
	free(line);
	return r;
}

/* Parses the options of `sail`; the caller frees them with cli_done(). @line must outlive them. */
static int parse(char *line, struct sail_opts *o)
{
	struct err err = {};
	char *argv[ARGS_MAX];
	int rest, argc = split(line, argv);
	bool dashes;

	*o = sail_defaults;
	return cli_parse(sail_rows, argc, argv, o, &rest, &dashes, &err) ?: argc - rest;
}

/* --- cases ------------------------------------------------------------------------------------ */

TEST(help_has_every_option)
{
	static const char *const want[] = {
		"Usage: ship sail [OPTION...]",
		"  -l, --flag ",
		"  -k, --knots N ",
		"(1 to 30; default: 7; also -s,",
		"--speed)",
		"      --hold SIZE ",
		"(1k to 1M; default: as built)",
		"default: unlimited)",
		"(default: -)",
		"(east or west; default: east)",
		"--decks LIST",
		"--crew LIST",
		"--flags LIST",
		"\nNumbers:\n",
		"  -h, --help ",
		"  ship sail -k 9\n",
		NULL,
	};
	static const char *const ways[] = { "ship sail --help", "ship sail -h", "ship sail -lh",
					    NULL };
	const char *const *way, *const *w;

	for (way = ways; *way; way++) {
		_result_ struct result r = run(*way);

		CHECK_EQ(r.status, CLI_DONE);
		CHECK_STR(r.diag, "");
		for (w = want; *w; w++) {
			CHECK(strstr(r.out, *w));
			if (!strstr(r.out, *w))
				printf("# missing: %s\n", *w);
		}
	}
}

TEST(help_is_80_columns)
{
	_result_ struct result r = run("ship sail --help");
	char *line, *rest = r.out;

	CHECK(strchr(r.out, '\n'));
	while ((line = strsep(&rest, "\n")))
		CHECK(strlen(line) < 80);
}

TEST(program_texts)
{
	_result_ struct result help = run("ship --help"), version = run("ship -V");
	_result_ struct result comp = run("ship --print-completion bash");

	CHECK_EQ(help.status, CLI_DONE);
	CHECK(strstr(help.out, "  sail ") && strstr(help.out, "go down"));
	CHECK(strstr(help.out, "-V, --version"));
	CHECK_STR(version.out, "ship 3.2.1\n");
	CHECK_EQ(comp.status, CLI_DONE);
	CHECK(strstr(comp.out, "'') options='sail sink tow --version"));
	CHECK(strstr(comp.out, "--knots --speed"));
	CHECK(strstr(comp.out, "sail:--wind) values=(-W 'east west') ;;"));
	CHECK(strstr(comp.out, "sail:--flags) values=(-W 'east west') list=1 ;;"));
}

TEST(short_help_without_a_command)
{
	_result_ struct result short_help = run("ship"), help = run("ship --help");

	CHECK_EQ(short_help.status, CLI_USAGE);
	CHECK_STR(short_help.out, "");
	CHECK(strstr(short_help.diag, "  sail ") && !strstr(short_help.diag, "--version"));
	CHECK(strstr(short_help.diag, "\nStart with:\n  ship sail\n      Begin\n  ship tow\n"));
	CHECK(strstr(help.out, "\nExamples:\n  ship sail\n      Begin\n  ship tow\n"));
}

static void has(const char *page, const char *const *want)
{
	for (; *want; want++)
		if (!CHECK(strstr(page, *want)))
			printf("# %s\n", *want);
}

TEST(man_page_of_the_program)
{
	static const char *const want[] = {
		".TH ship 1 2026-01-02 \"ship 3.2.1\" ",
		"\n.SH NAME\nship \\- a ship\n",
		"\n.SH SYNOPSIS\n.B ship\nCOMMAND [OPTION...]\n",
		"\n.SH COMMANDS\n.TP\n.BR ship\\-sail (1)\n",
		"\n.SH OPTIONS\n",
		"\n.\\\" PROSE\n",
		"\n.SH \"EXIT STATUS\"\n.TP\n\\fB0\\fR\nDone.\n",
		"\n.SH \"SEE ALSO\"\n.BR ship\\-sail (1),\n",
		NULL,
	};
	_result_ struct result r = run("ship --print-man ship");

	CHECK_EQ(r.status, CLI_DONE);
	has(r.out, want);
}

TEST(man_page_of_a_command)
{
	static const char *const want[] = {
		".TH ship-sail 1 ",
		"\n.SH NAME\nship\\-sail \\- ",
		"\n.SH SYNOPSIS\n.B ship sail\n",
		"\n.SH DESCRIPTION\n",
		"\n.SH OPTIONS\n",
		"\n.SH SIGNALS\n.TP\n\\fBSIGINT\\fR\nCome home.\n",
		"\n.SH \"EXIT STATUS\"\n.TP\n\\fB0\\fR\nDone.\n",
		"\n.SH EXAMPLES\n",
		"\n\\&.starts with a dot, has a\\-dash and a \\e\n",
		"\\fB\\-\\-knots\\fR=\\fIN\\fR, \\fB\\-\\-speed\\fR=\\fIN\\fR",
		"\n.SH \"SEE ALSO\"\n.BR ship (1),\n",
		NULL,
	};
	_result_ struct result r = run("ship --print-man ship-sail");

	CHECK_EQ(r.status, CLI_DONE);
	has(r.out, want);
	for (const struct cli_opt *o = sail_rows; o->name; o++) {
		char name[40];

		snprintf(name, sizeof(name), "\\-\\-%s\\fR", o->name);
		CHECK(strstr(r.out, name));
	}
}

TEST(unknown_texts)
{
	static const char *const words[] = { "ship --print-man ship-fly", "ship --print-man sail",
					     "ship --print-man shi", "ship --print-man ship-",
					     "ship --print-completion tcsh" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		_result_ struct result r = run(words[i]);

		CHECK_EQ(r.status, CLI_USAGE);
		CHECK_STR(r.out, "");
		CHECK(strstr(r.diag, "; use "));
	}
}

TEST(values)
{
	char line[] =
		"sail -l -cc -k 9 --hold=4k --time 2m --log x --wind west --decks 1,2 --decks=4 "
		"--crew ann,bob --flags west,east";
	struct sail_opts o;

	CHECK_EQ(parse(line, &o), 0);
	CHECK(o.flag);
	CHECK_EQ(o.count, 2);
	CHECK_EQ(o.knots, 9);
	CHECK_EQ(o.hold, 4096);
	CHECK_EQ(o.time, 120000000000);
	CHECK_STR(o.log, "x");
	CHECK_EQ(o.wind, 1);
	CHECK_EQ(o.decks.len, 3);
	CHECK_EQ(o.crew.len, 2);
	CHECK_EQ(o.flags.len, 2);
	if (o.decks.len == 3 && o.crew.len == 2 && o.flags.len == 2) {
		CHECK_EQ(o.decks.at[2], 4);
		CHECK_STR(o.crew.at[1], "bob");
		CHECK_EQ(o.flags.at[0], 1);
	}
	cli_done(sail_rows, &o);
}

TEST(defaults_and_aliases)
{
	static const char *const nines[] = { "sail -k9",       "sail -s 9",      "sail --speed 9",
					     "sail --speed=9", "sail -k 3 -s 9", NULL };
	const char *const *nine;
	struct sail_opts o;
	char bare[] = "sail";

	CHECK_EQ(parse(bare, &o), 0);
	CHECK_EQ(o.knots, 7);
	CHECK_EQ(o.time, NUM_UNLIMITED);
	CHECK_STR(o.log, "-");
	for (nine = nines; *nine; nine++) {
		char line[40];

		snprintf(line, sizeof(line), "%s", *nine);
		CHECK_EQ(parse(line, &o), 0);
		CHECK_EQ(o.knots, 9);
	}
}

TEST(usage_errors)
{
	/* The text after "ship sail: " and before the line that points to --help. */
	static const struct {
		const char *words, *want;
	} cases[] = {
		{ "--knots 0", "--knots: '0' is invalid; use 1 to 30" },
		{ "--knots 31", "--knots: '31' is invalid; use 1 to 30" },
		{ "--knots=", "--knots: '' is invalid; use 1 to 30" },
		{ "-s x", "--knots: 'x' is invalid; use 1 to 30" },
		{ "--knots", "--knots: missing value; use 1 to 30" },
		{ "-k", "--knots: missing value; use 1 to 30" },
		{ "-k 13", "--knots: bad luck" },
		{ "--hold 1", "--hold: '1' is invalid; use 1k to 1M" },
		{ "--time 1x",
		  "--time: '1x' is invalid; use 1ms to 1h, as 500ms, 10s, 2m or 1h, or unlimited" },
		{ "--log ''", "--log: '' is invalid; use 1 to 9 bytes" },
		{ "--log 0123456789", "--log: '0123456789' is invalid; use 1 to 9 bytes" },
		{ "--wind north", "--wind: 'north' is invalid; use east or west" },
		{ "--decks 1,5",
		  "--decks: '1,5' is invalid; use numbers from 1 to 4, separated by commas" },
		{ "--crew ann,,bob",
		  "--crew: 'ann,,bob' is invalid; use names of 1 to 5 bytes, separated by commas" },
		{ "--crew ann,annabel", "--crew: 'ann,annabel' is invalid; use names of 1 to 5 "
					"bytes, separated by commas" },
		{ "--flags east --flags east", "--flags: 'east' is given twice; name it once" },
		{ "--flags up", "--flags: 'up' is invalid; use east or west, separated by commas" },
		{ "--knot 3", "unknown option '--knot'" },
		{ "--fl", "unknown option '--fl'" },
		{ "--knotsy=3", "unknown option '--knotsy'" },
		{ "--hel", "unknown option '--hel'" },
		{ "--flag=1", "--flag takes no value; remove '=1'" },
		{ "--help=1", "--help takes no value; remove '=1'" },
		{ "-z", "unknown option '-z'" },
		{ "-lz", "unknown option '-z'" },
		{ "out", "unexpected argument 'out'" },
		{ "-- -l", "unexpected argument '-l'" },
		{},
	};
	size_t i;

	for (i = 0; cases[i].words; i++) {
		char words[200], want[300];
		_result_ struct result r = {};

		snprintf(words, sizeof(words), "ship sail %s", cases[i].words);
		snprintf(want, sizeof(want), "ship sail: %s\nTry 'ship sail --help'.\n",
			 cases[i].want);
		r = run(words);
		CHECK_EQ(r.status, CLI_USAGE);
		CHECK_STR(r.out, "");
		CHECK_STR(r.diag, want);
	}
}

TEST(commands_are_exact)
{
	static const char *const wrong[] = { "sai", "sailor", "s", "''", NULL };
	const char *const *w;
	_result_ struct result none = run("ship"), option = run("ship --hel");

	for (w = wrong; *w; w++) {
		char words[40];
		_result_ struct result r = {};

		snprintf(words, sizeof(words), "ship %s", *w);
		r = run(words);
		CHECK_EQ(r.status, CLI_USAGE);
		CHECK(strstr(r.diag, "ship: unknown command '"));
	}
	CHECK_EQ(none.status, CLI_USAGE);
	CHECK(strstr(none.diag, "Usage: ship"));
	CHECK_STR(none.out, "");
	CHECK_EQ(option.status, CLI_USAGE);
	CHECK(strstr(option.diag, "ship: unknown option '--hel'\n"));
}

TEST(runs_and_returns_its_status)
{
	_result_ struct result ran = run("ship sail -k 3"), sunk = run("ship sink");

	CHECK_EQ(ran.status, RUN_STATUS);
	CHECK_STR(ran.diag, "");
	CHECK_EQ(sunk.status, CLI_UNABLE);
}

/* @argv is NULL-terminated and starts with "ship tow". Returns the exit status. */
static int run_tow(char **argv, char **ret_diag)
{
	size_t len;
	FILE *diag = open_memstream(ret_diag, &len);
	int argc = 0, status;

	while (argv[argc])
		argc++;
	towed = NULL;
	status = cli_main(&ship, argc, argv, stdout, diag);
	fclose(diag);
	return status;
}

TEST(words)
{
	static const struct {
		const char *words;
		int first; /* index of the first word taken; 0: none */
		const char *diag;
	} cases[] = {
		{ "ship tow", 0, "" },
		{ "ship tow -- a", 3, "" },
		{ "ship tow -l -- -k --", 4, "" },
		{ "ship tow --log -- -- a", 5, "" },
		{ "ship tow --", 0, "ship tow: missing LOAD after --\n" },
		{ "ship tow a b", 0, "ship tow: unexpected argument 'a'; put LOAD after --\n" },
		{ "ship tow --log -- a", 0,
		  "ship tow: unexpected argument 'a'; put LOAD after --\n" },
		{},
	};

	for (size_t i = 0; cases[i].words; i++) {
		char *argv[ARGS_MAX], *line = strdup(cases[i].words), *diag = NULL;
		int status;

		split(line, argv);
		status = run_tow(argv, &diag);
		CHECK_EQ(status, *cases[i].diag ? CLI_USAGE : CLI_DONE);
		CHECK(!strncmp(diag, cases[i].diag, strlen(cases[i].diag)));
		CHECK(towed == (cases[i].first ? argv + cases[i].first : NULL));
		free(diag);
		free(line);
	}
}

TEST(exit_statuses)
{
	CHECK_EQ(cli_exit_of(0), CLI_DONE);
	CHECK_EQ(cli_exit_of(-EIO), CLI_FAILED);
	CHECK_EQ(cli_exit_of(-EPERM), CLI_UNABLE);
	CHECK_EQ(cli_exit_of(-ENOSYS), CLI_UNABLE);
}

TEST(full_disk_is_an_error)
{
	FILE *full = fopen("/dev/full", "we");
	char prog[] = "ship", help[] = "--help", *argv[] = { prog, help, NULL };
	char *diag_text = NULL;
	size_t len;
	FILE *diag;

	if (!full)
		SKIP("no /dev/full");
	diag = open_memstream(&diag_text, &len);
	CHECK_EQ(cli_main(&ship, 2, argv, full, diag), CLI_FAILED);
	fclose(diag);
	CHECK(strstr(diag_text, "No space left"));
	free(diag_text);
	fclose(full);
}
