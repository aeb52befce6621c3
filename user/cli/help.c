/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of --help, generated from the option rows. */
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/rows.h"

enum { WIDTH = 80, HELP_COLUMN = 27 };

/* Appends "; also -r, --rate" if the option has aliases. */
static void add_aliases(const struct cli_opt *o, struct buf *out)
{
	if (o->alias_letter)
		buf_printf(out, "; also -%c", o->alias_letter);
	if (o->alias)
		buf_printf(out, "%s--%s", o->alias_letter ? ", " : "; also ", o->alias);
}

/* Prints @text wrapped, indented to @column; the cursor is at column @at. */
static void print_wrapped(FILE *out, const char *text, int at, int column)
{
	const char *p = text + strspn(text, " ");

	if (at >= column) {
		fputc('\n', out);
		at = 0;
	}
	for (; *p; p += strspn(p, " ")) {
		int len = (int)strcspn(p, " ");

		if (at > column && at + 1 + len >= WIDTH) {
			fputc('\n', out);
			at = 0;
		}
		at += fprintf(out, "%*s%.*s", at < column ? column - at : 1, "", len, p);
		p += len;
	}
	fputc('\n', out);
}

static void print_term(FILE *out, const char *name, const char *help)
{
	print_wrapped(out, help, fprintf(out, "  %s", name), HELP_COLUMN);
}

static void print_opt(FILE *out, const struct cli_opt *o, const void *defaults)
{
	_cleanup_(buf_done) struct buf text = {}, facts = {};
	int at = o->letter ? fprintf(out, "  -%c, --%s", o->letter, o->name)
			   : fprintf(out, "      --%s", o->name);

	if (rows_takes_value(o))
		at += fprintf(out, " %s", o->metavar);
	rows_facts(o, defaults, &facts);
	add_aliases(o, &facts);
	buf_str(&text, o->help);
	if (facts.len)
		buf_printf(&text, " (%s)", rows_first_fact(&facts));
	print_wrapped(out, text.err ? o->help : text.data, at, HELP_COLUMN);
}

static void print_opts(FILE *out, const struct cli_opt *rows, const void *defaults)
{
	const struct cli_opt *o;

	rows_each (o, rows) {
		if (o->group)
			fprintf(out, "\n%s:\n", o->group);
		print_opt(out, o, defaults);
	}
}

static void print_examples(FILE *out, const char *heading, const struct cli_term *t)
{
	if (t)
		fprintf(out, "\n%s:\n", heading);
	for (; t && t->name; t++) {
		fprintf(out, "  %s\n", t->name);
		print_wrapped(out, t->help, 0, 6);
	}
}

static void print_prog_head(const struct cli_prog *p, FILE *out)
{
	const struct cli_cmd *const *cmd;

	fprintf(out, "%s: %s\n\nUsage: %s COMMAND [OPTION...]\n\nCommands:\n", p->name, p->summary,
		p->name);
	for (cmd = p->cmds; *cmd; cmd++)
		print_term(out, (*cmd)->name, (*cmd)->summary);
}

void cli_print_short_help(const struct cli_prog *p, FILE *out)
{
	print_prog_head(p, out);
	print_examples(out, "Start with", p->examples);
	fprintf(out, "\n'%s COMMAND --help' lists the options of a command.\n", p->name);
}

void cli_print_help(const struct cli_prog *p, FILE *out)
{
	print_prog_head(p, out);
	fputs("\nOptions:\n", out);
	print_opts(out, cli_prog_rows, NULL);
	print_examples(out, "Examples", p->examples);
	fprintf(out, "\n'%s COMMAND --help' lists the options of a command.\n", p->name);
}

void cli_print_cmd_help(const struct cli_prog *p, const struct cli_cmd *cmd, FILE *out)
{
	fprintf(out, "%s %s: %s\n\nUsage: %s %s %s\n", p->name, cmd->name, cmd->summary, p->name,
		cmd->name, cmd->usage);
	print_opts(out, cmd->opts, cmd->defaults);
	print_examples(out, "Examples", cmd->examples);
}
