/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses option rows with getopt_long(). Its tables are built for each parse. The code of a long option is
 * LONG_BASE plus the index of its row, so a letter and a long name lead to the same row.
 */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { LONG_HELP = 256, LONG_BASE };

const struct cli_opt cli_help_row = { .name = "help", .letter = 'h', .help = "print this help" };

struct prog_opts {
	bool version;
	const char *man, *completion;
};

const struct cli_opt cli_prog_rows[] = {
	{ .name = "version",
	  .letter = 'V',
	  .help = "print the version",
	  CLI_FIELD(flag, struct prog_opts, version) },
	{ .name = "print-man",
	  .metavar = "PAGE",
	  .help = "print a manual page in troff, such as krait-record",
	  .min = 1,
	  .max = 64,
	  CLI_FIELD(string, struct prog_opts, man) },
	{ .name = "print-completion",
	  .metavar = "SHELL",
	  .help = "print the completion script for bash, zsh or fish",
	  .min = 1,
	  .max = 64,
	  CLI_FIELD(string, struct prog_opts, completion) },
	{},
};

/* --- tables for getopt_long() ----------------------------------------------------------------- */

struct tables {
	VEC(struct option) longs;
	struct buf letters;
};

static void tables_done(struct tables *t)
{
	vec_done(&t->longs);
	buf_done(&t->letters);
}

static int add_long(struct tables *t, const char *name, bool value, int code)
{
	struct option o = { name, value ? required_argument : no_argument, NULL, code };

	return name ? vec_push(&t->longs, o) : 0;
}

static void add_letter(struct tables *t, char letter, bool value)
{
	if (letter)
		buf_printf(&t->letters, "%c%s", letter, value ? ":" : "");
}

static int add_row(struct tables *t, const struct cli_opt *o, int code)
{
	bool value = o->kind && o->kind->value;
	int r = add_long(t, o->name, value, code);

	if (!r)
		r = add_long(t, o->alias, value, code);
	add_letter(t, o->letter, value);
	add_letter(t, o->alias_letter, value);
	return r;
}

/* '+': stop at the first word that is not an option; ':': distinguish a missing value from an unknown option. */
static int tables_build(struct tables *t, const struct cli_opt *rows)
{
	const struct cli_opt *o;
	int r;

	buf_str(&t->letters, "+:");
	r = add_row(t, &cli_help_row, LONG_HELP);
	for (o = rows; !r && o->name; o++)
		r = add_row(t, o, LONG_BASE + (int)(o - rows));
	if (!r)
		r = vec_push(&t->longs, (struct option){});
	return r ? r : t->letters.err;
}

/* --- one parse -------------------------------------------------------------------------------- */

static const struct cli_opt *find_row(const struct cli_opt *rows, int code)
{
	const struct cli_opt *o;

	if (code >= LONG_BASE)
		return &rows[code - LONG_BASE];
	for (o = rows; o->name; o++)
		if (o->letter == code || o->alias_letter == code)
			return o;
	return &cli_help_row;
}

/* getopt_long() accepts abbreviations; is @word other than the full "--name" or "--name=value"? */
static bool is_abbreviation(const char *word, const struct option *found)
{
	return found && (strncmp(word + 2, found->name, strlen(found->name)) ||
			 !strchr("=", word[2 + strlen(found->name)]));
}

static int fail_unknown(const char *word, struct err *err)
{
	if (word[0] == '-' && word[1] == '-')
		return err_set(err, -EINVAL, "unknown option '%.*s'", (int)strcspn(word, "="),
			       word);
	return err_set(err, -EINVAL, "unknown option '-%c'", optopt);
}

/* Fills @err for an option that getopt_long() rejected: optopt is 0 for an unknown long name. */
static int fail_getopt(const struct cli_opt *rows, int code, const char *word, struct err *err)
{
	const struct cli_opt *o;
	_cleanup_(buf_done) struct buf allowed = {};

	if (code == '?' && optopt < LONG_HELP)
		return fail_unknown(word, err);
	o = find_row(rows, optopt);
	if (code == '?')
		return err_set(err, -EINVAL, "--%s takes no value; remove '=%s'", o->name,
			       strchr(word, '=') + 1);
	o->kind->allowed(o, &allowed);
	return err_set(err, -EINVAL, "--%s: missing value; use %s", o->name, allowed.data);
}

static int fail_value(const struct cli_opt *o, const char *text, int r, struct err *err)
{
	_cleanup_(buf_done) struct buf allowed = {};

	if (err->code)
		return err->code;
	if (r == -ENOMEM)
		return err_set(err, r, "--%s: out of memory", o->name);
	o->kind->allowed(o, &allowed);
	return err_set(err, -EINVAL, "--%s: '%s' is invalid; use %s", o->name, text, allowed.data);
}

static int store(const struct cli_opt *o, const char *text, void *opts, struct err *err)
{
	int r = o->kind->parse(o, text, (char *)opts + o->at, err);

	return r ? fail_value(o, text, r, err) : 0;
}

enum parsed { PARSED_ALL, PARSED_DASHES, PARSED_ONE, PARSED_HELP };

/* enum parsed or -errno. */
static int parse_next(const struct cli_opt *rows, const struct tables *t, int argc, char **argv,
		      void *opts, struct err *err)
{
	int at = optind ? optind : 1, index = -1;
	const char *word = at < argc ? argv[at] : "";
	int code = getopt_long(argc, argv, t->letters.data, t->longs.at, &index);

	if (code == -1)
		return strcmp(word, "--") ? PARSED_ALL : PARSED_DASHES;
	if (index >= 0 && is_abbreviation(word, &t->longs.at[index]))
		return fail_unknown(word, err);
	if (code == '?' || code == ':')
		return fail_getopt(rows, code, word, err);
	if (code == LONG_HELP || code == cli_help_row.letter)
		return PARSED_HELP;
	return store(find_row(rows, code), optarg, opts, err) ?: PARSED_ONE;
}

int cli_parse(const struct cli_opt *rows, int argc, char **argv, void *opts, int *ret_rest,
	      bool *ret_dashes, struct err *err)
{
	_cleanup_(tables_done) struct tables t = {};
	int r = tables_build(&t, rows);

	if (r)
		return err_set(err, r, "options: out of memory");
	opterr = 0;
	optind = 0; /* glibc: reset the state of the previous parse */
	do {
		r = parse_next(rows, &t, argc, argv, opts, err);
	} while (r == PARSED_ONE);
	*ret_rest = optind;
	*ret_dashes = r == PARSED_DASHES;
	return r == PARSED_HELP ? CLI_HELP : r < 0 ? r : 0;
}

void cli_done(const struct cli_opt *rows, void *opts)
{
	const struct cli_opt *o;

	for (o = rows; o->name; o++)
		if (o->kind->done)
			o->kind->done((char *)opts + o->at);
}

/* --- program and command ---------------------------------------------------------------------- */

enum cli_exit cli_exit_of(int r)
{
	static const int unable[] = { EPERM, EACCES, EOPNOTSUPP, ENOSYS };
	size_t i;

	for (i = 0; i < sizeof(unable) / sizeof(unable[0]); i++)
		if (-r == unable[i])
			return CLI_UNABLE;
	return r < 0 ? CLI_FAILED : CLI_DONE;
}

/* @who: "krait" or "krait record", whose --help the message suggests. */
static int fail_usage(const char *who, const struct err *err, FILE *diag)
{
	fprintf(diag, "%s: %s\n", who, err->text);
	if (err->code == -ENOMEM)
		return CLI_FAILED;
	fprintf(diag, "Try '%s --help'.\n", who);
	return CLI_USAGE;
}

static int finish_text(const char *who, FILE *out, FILE *diag)
{
	if (!fflush(out) && !ferror(out))
		return CLI_DONE;
	fprintf(diag, "%s: standard output: %s\n", who, strerror(errno));
	return CLI_FAILED;
}

/* Stores the words that follow the options. */
static int take_words(const struct cli_cmd *cmd, char **argv, bool dashes, void *opts,
		      struct err *err)
{
	if (!cmd->words && *argv)
		return err_set(err, -EINVAL, "unexpected argument '%s'", *argv);
	if (!cmd->words)
		return 0;
	if (!dashes && *argv)
		return err_set(err, -EINVAL, "unexpected argument '%s'; put %s after --", *argv,
			       cmd->words);
	if (dashes && !*argv)
		return err_set(err, -EINVAL, "missing %s after --", cmd->words);
	if (dashes)
		*(char ***)((char *)opts + cmd->words_at) = argv;
	return 0;
}

/* Parses words and options in any order; moves the words to the beginning of @argv. */
static int parse_bare(const struct cli_cmd *cmd, int argc, char **argv, void *opts, struct err *err)
{
	char **words = argv + 1;
	int n = 0, rest, r;
	bool dashes;

	do {
		r = cli_parse(cmd->opts, argc, argv, opts, &rest, &dashes, err);
		if (r)
			return r;
		argc -= rest;
		argv += rest;
		if (argc)
			words[n++] = *argv;
	} while (argc && !dashes);
	for (; argc > 1; argc--)
		words[n++] = *++argv;
	words[n] = NULL;
	if (n)
		*(char ***)((char *)opts + cmd->words_at) = words;
	return 0;
}

static int parse_cmd(const struct cli_cmd *cmd, int argc, char **argv, void *opts, struct err *err)
{
	bool dashes;
	int rest, r;

	if (cmd->words_bare)
		r = parse_bare(cmd, argc, argv, opts, err);
	else
		r = cli_parse(cmd->opts, argc, argv, opts, &rest, &dashes, err);
	if (!r && !cmd->words_bare)
		r = take_words(cmd, argv + rest, dashes, opts, err);
	if (r)
		return r;
	return cmd->check ? cmd->check(opts, err) : 0;
}

static int run_cmd(const struct cli_prog *p, const struct cli_cmd *cmd, int argc, char **argv,
		   FILE *out, FILE *diag)
{
	_free_ void *opts = malloc(cmd->opts_size);
	_cleanup_(buf_done) struct buf who = {};
	struct err err = {};
	int r;

	buf_printf(&who, "%s %s", p->name, cmd->name);
	if (!opts || who.err)
		return fail_usage(p->name, &(struct err){ -ENOMEM, "out of memory" }, diag);
	memcpy(opts, cmd->defaults, cmd->opts_size);
	r = parse_cmd(cmd, argc, argv, opts, &err);
	if (r == CLI_HELP) {
		cli_print_cmd_help(p, cmd, out);
		r = finish_text(who.data, out, diag);
	} else if (r) {
		r = fail_usage(who.data, &err, diag);
	} else {
		r = cmd->run(opts);
	}
	cli_done(cmd->opts, opts);
	return r;
}

static const struct cli_cmd *find_cmd(const struct cli_prog *p, const char *name)
{
	const struct cli_cmd *const *cmd;

	for (cmd = p->cmds; *cmd; cmd++)
		if (!strcmp((*cmd)->name, name))
			return *cmd;
	return NULL;
}

/* Prints a requested text. 1: printed, 0: none was requested, or -EINVAL with @err. */
static int print_text(const struct cli_prog *p, const struct prog_opts *o, bool help, FILE *out,
		      struct err *err)
{
	if (help)
		cli_print_help(p, out);
	else if (o->version)
		fprintf(out, "%s %s\n", p->name, p->version);
	else if (o->man && !cli_print_man(p, o->man, out))
		return err_set(err, -EINVAL, "--print-man: no page '%s'; use %s or %s-COMMAND",
			       o->man, p->name, p->name);
	else if (o->completion && !cli_print_completion(p, o->completion, out))
		return err_set(err, -EINVAL,
			       "--print-completion: '%s' is invalid; use bash, zsh or fish",
			       o->completion);
	return help || o->version || o->man || o->completion;
}

int cli_main(const struct cli_prog *p, int argc, char **argv, FILE *out, FILE *diag)
{
	struct prog_opts o = {};
	const struct cli_cmd *cmd;
	struct err err = {};
	bool dashes;
	int rest, r = cli_parse(cli_prog_rows, argc, argv, &o, &rest, &dashes, &err);

	if (r >= 0)
		r = print_text(p, &o, r == CLI_HELP, out, &err);
	if (r < 0)
		return fail_usage(p->name, &err, diag);
	if (r)
		return finish_text(p->name, out, diag);
	if (rest >= argc) {
		cli_print_short_help(p, diag);
		return CLI_USAGE;
	}
	cmd = find_cmd(p, argv[rest]);
	if (cmd)
		return run_cmd(p, cmd, argc - rest, argv + rest, out, diag);
	err_set(&err, -EINVAL, "unknown command '%s'", argv[rest]);
	return fail_usage(p->name, &err, diag);
}
