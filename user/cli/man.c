/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Manual pages in man(7), generated from the option rows: one for the program, one for each command.
 *
 *	NAME, SYNOPSIS, DESCRIPTION, OPTIONS   from the rows
 *	a comment, PROSE                       replaced by the build with the prose of user/cmd/NAME/NAME.man
 *	SIGNALS, EXIT STATUS, EXAMPLES         from the rows
 *	SEE ALSO                               the other pages
 */
#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/rows.h"

static const char prose[] = ".\\\" PROSE\n";

/* --- pieces ----------------------------------------------------------------------------------- */

/* Writes @text escaped, so that troff takes no part of it for a request or escape. */
static void man_text(FILE *out, const char *text)
{
	const char *p;

	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (p = text; *p; p++) {
		if (*p == '-')
			fputs("\\-", out);
		else if (*p == '\\')
			fputs("\\e", out);
		else
			fputc(*p, out);
	}
}

/* Writes @text with a capital first letter; the full stop is the caller's. */
static void man_sentence(FILE *out, const char *text)
{
	char first[] = { (char)toupper((unsigned char)text[0]), '\0' };

	if (!*text)
		return;
	man_text(out, first);
	man_text(out, text + 1);
}

static void man_line(FILE *out, const char *before, const char *text, const char *after)
{
	fputs(before, out);
	man_text(out, text);
	fputs(after, out);
}

static void man_paragraphs(FILE *out, const char *const *text)
{
	for (const char *before = ""; text && *text; text++, before = ".PP\n")
		man_line(out, before, *text, "\n");
}

static void man_terms(FILE *out, const struct cli_term *t)
{
	for (; t && t->name; t++) {
		man_line(out, ".TP\n\\fB", t->name, "\\fR\n");
		man_sentence(out, t->help);
		fputs(".\n", out);
	}
}

/* ", \fB-r\fR \fIHZ\fR" */
static void man_name(FILE *out, const struct cli_opt *o, const char *dashes, const char *name)
{
	man_line(out, "\\fB", dashes, "");
	man_line(out, "", name, "\\fR");
	if (rows_takes_value(o))
		man_line(out, dashes[1] ? "=\\fI" : " \\fI", o->metavar, "\\fR");
}

static void man_letter(FILE *out, const struct cli_opt *o, char letter)
{
	char name[] = { letter, '\0' };

	if (!letter)
		return;
	man_name(out, o, "-", name);
	fputs(", ", out);
}

static void man_choices(FILE *out, const struct cli_term *choices)
{
	if (!choices)
		return;
	fputs(".RS\n", out);
	man_terms(out, choices);
	fputs(".RE\n", out);
}

static void man_opt(FILE *out, const struct cli_opt *o, const void *defaults)
{
	_cleanup_(buf_done) struct buf facts = {};

	fputs(".TP\n", out);
	man_letter(out, o, o->letter);
	man_letter(out, o, o->alias_letter);
	man_name(out, o, "--", o->name);
	if (o->alias) {
		fputs(", ", out);
		man_name(out, o, "--", o->alias);
	}
	fputc('\n', out);
	man_sentence(out, o->help);
	rows_facts(o, defaults, &facts);
	if (facts.len)
		man_line(out, " (", rows_first_fact(&facts), ")");
	fputs(".\n", out);
	man_choices(out, o->choices);
}

static void man_opts(FILE *out, const struct cli_opt *rows, const void *defaults)
{
	const struct cli_opt *o;

	rows_each (o, rows) {
		if (o->group)
			man_line(out, ".SS ", o->group, "\n");
		man_opt(out, o, defaults);
	}
}

/* --- sections --------------------------------------------------------------------------------- */

/* @cmd is NULL for the page of the program. */
static void man_head(FILE *out, const struct cli_prog *p, const struct cli_cmd *cmd)
{
	fprintf(out, ".TH %s%s%s 1 %s \"%s %s\" \"User Commands\"\n", p->name, cmd ? "-" : "",
		cmd ? cmd->name : "", p->date, p->name, p->version);
	man_line(out, ".SH NAME\n", p->name, cmd ? "\\-" : " \\- ");
	if (cmd)
		man_line(out, "", cmd->name, " \\- ");
	man_text(out, cmd ? cmd->summary : p->summary);
	fputs("\n.SH SYNOPSIS\n", out);
}

static void man_section_terms(FILE *out, const char *title, const struct cli_term *t)
{
	if (!t || !t->name)
		return;
	fprintf(out, ".SH %s\n", title);
	man_terms(out, t);
}

static void man_examples(FILE *out, const struct cli_term *t)
{
	const char *before = ".SH EXAMPLES\n";

	for (; t && t->name; t++, before = ".PP\n") {
		man_line(out, before, t->help, ":\n");
		man_line(out, ".PP\n.RS 4\n.nf\n", t->name, "\n.fi\n.RE\n");
	}
}

/* Refers to all pages except the one for @but (NULL: for the program). */
static void man_see_also(FILE *out, const struct cli_prog *p, const struct cli_cmd *but)
{
	const struct cli_cmd *const *cmd;
	const char *const *more;

	fputs(".SH \"SEE ALSO\"\n", out);
	if (but)
		fprintf(out, ".BR %s (1),\n", p->name);
	for (cmd = p->cmds; *cmd; cmd++)
		if (*cmd != but)
			fprintf(out, ".BR %s\\-%s (1)%s\n", p->name, (*cmd)->name,
				cmd[1] || p->see_also ? "," : "");
	for (more = p->see_also; more && *more; more++)
		man_line(out, ".BR ", *more, more[1] ? ",\n" : "\n");
}

/* --- pages ------------------------------------------------------------------------------------ */

static void print_cmd_page(FILE *out, const struct cli_prog *p, const struct cli_cmd *cmd)
{
	man_head(out, p, cmd);
	fprintf(out, ".B %s %s\n", p->name, cmd->name);
	man_line(out, "", cmd->usage, "\n.SH DESCRIPTION\n");
	man_paragraphs(out, cmd->text);
	fputs(".SH OPTIONS\n", out);
	man_opts(out, cmd->opts, cmd->defaults);
	fputs(prose, out);
	man_section_terms(out, "SIGNALS", cmd->signals);
	man_section_terms(out, "\"EXIT STATUS\"", cmd->exits ?: p->exits);
	man_examples(out, cmd->examples);
	man_see_also(out, p, cmd);
}

static void print_prog_page(FILE *out, const struct cli_prog *p)
{
	const struct cli_cmd *const *cmd;

	man_head(out, p, NULL);
	man_line(out, ".B ", p->name, "\n");
	man_line(out, "", "COMMAND [OPTION...]", "\n.SH DESCRIPTION\n");
	man_paragraphs(out, p->text);
	fputs(".SH COMMANDS\n", out);
	for (cmd = p->cmds; *cmd; cmd++) {
		fprintf(out, ".TP\n.BR %s\\-%s (1)\n", p->name, (*cmd)->name);
		man_sentence(out, (*cmd)->summary);
		fputs(".\n", out);
	}
	fputs(".SH OPTIONS\n", out);
	man_opts(out, cli_prog_rows, NULL);
	fputs(prose, out);
	man_section_terms(out, "\"EXIT STATUS\"", p->exits);
	man_examples(out, p->examples);
	man_see_also(out, p, NULL);
}

bool cli_print_man(const struct cli_prog *p, const char *page, FILE *out)
{
	size_t len = strlen(p->name);
	const struct cli_cmd *const *cmd;

	if (!strcmp(page, p->name)) {
		print_prog_page(out, p);
		return true;
	}
	if (strncmp(page, p->name, len) || page[len] != '-')
		return false;
	for (cmd = p->cmds; *cmd; cmd++) {
		if (strcmp(page + len + 1, (*cmd)->name))
			continue;
		print_cmd_page(out, p, *cmd);
		return true;
	}
	return false;
}
