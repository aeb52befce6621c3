/* SPDX-License-Identifier: BSD-2-Clause */
/* Help, manual page and bash completion, written from the rows of the command line. */
#include "cli.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"

enum { WIDTH = 80, HELP_COLUMN = 27 };

/* Every option of a command, and last the one that no command lists. */
#define each_opt(o, rows) for (o = (rows)->name ? (rows) : &cli_help_row; o; o = next_opt(o))

static const struct cli_opt *next_opt(const struct cli_opt *o)
{
	if (o == &cli_help_row)
		return NULL;
	return o[1].name ? o + 1 : &cli_help_row;
}

static bool takes_value(const struct cli_opt *o)
{
	return o->kind && o->kind->value;
}

static bool is_list(const struct cli_opt *o)
{
	return takes_value(o) && o->kind->done;
}

/* What stands for the default: the words of the row if it is 0 or empty, else the value itself. */
static void add_default(const struct cli_opt *o, const void *defaults, struct buf *out)
{
	_cleanup_(buf_done) struct buf value = {};

	if (!defaults || !takes_value(o))
		return;
	if (o->kind->show)
		o->kind->show(o, (const char *)defaults + o->at, &value);
	if (o->zero && (!value.len || !strcmp(value.data, "0")))
		buf_printf(out, "; default: %s", o->zero);
	else if (value.len)
		buf_printf(out, "; default: %s", value.data);
}

/* "; 1 to 9; default: 5", or nothing. */
static void add_facts(const struct cli_opt *o, const void *defaults, struct buf *out)
{
	if (takes_value(o) && o->kind->bounds) {
		buf_str(out, "; ");
		o->kind->allowed(o, out);
	}
	add_default(o, defaults, out);
}

/* "; also -r, --rate", or nothing. */
static void add_aliases(const struct cli_opt *o, struct buf *out)
{
	if (o->alias_letter)
		buf_printf(out, "; also -%c", o->alias_letter);
	if (o->alias)
		buf_printf(out, "%s--%s", o->alias_letter ? ", " : "; also ", o->alias);
}

static const char *without_separator(const struct buf *facts)
{
	return facts->data + strlen("; ");
}

/* --- help -------------------------------------------------------------------------------------- */

/* Words of @text from @column on, wrapped; the cursor is at @at. */
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

	if (takes_value(o))
		at += fprintf(out, " %s", o->metavar);
	add_facts(o, defaults, &facts);
	add_aliases(o, &facts);
	buf_str(&text, o->help);
	if (facts.len)
		buf_printf(&text, " (%s)", without_separator(&facts));
	print_wrapped(out, text.err ? o->help : text.data, at, HELP_COLUMN);
}

static void print_opts(FILE *out, const struct cli_opt *rows, const void *defaults)
{
	const struct cli_opt *o;

	each_opt(o, rows)
	{
		if (o->group)
			fprintf(out, "\n%s:\n", o->group);
		print_opt(out, o, defaults);
	}
}

void cli_print_help(const struct cli_prog *p, FILE *out)
{
	const struct cli_cmd *const *cmd;

	fprintf(out, "%s: %s\n\nUsage: %s COMMAND [OPTION...]\n\nCommands:\n", p->name, p->summary,
		p->name);
	for (cmd = p->cmds; *cmd; cmd++)
		print_term(out, (*cmd)->name, (*cmd)->summary);
	fputs("\nOptions:\n", out);
	print_opts(out, cli_prog_rows, NULL);
	fprintf(out, "\n'%s COMMAND --help' lists the options of a command.\n", p->name);
}

void cli_print_cmd_help(const struct cli_prog *p, const struct cli_cmd *cmd, FILE *out)
{
	const struct cli_term *t;

	fprintf(out, "%s %s: %s\n\nUsage: %s %s %s\n", p->name, cmd->name, cmd->summary, p->name,
		cmd->name, cmd->usage);
	print_opts(out, cmd->opts, cmd->defaults);
	if (cmd->examples)
		fputs("\nExamples:\n", out);
	for (t = cmd->examples; t && t->name; t++) {
		fprintf(out, "  %s\n", t->name);
		print_wrapped(out, t->help, 0, 6);
	}
}

/* --- manual page ------------------------------------------------------------------------------- */

/* Text in which nothing is taken for a troff request or escape. */
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

/* A sentence from words that start in lower case, without its full stop. */
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
	for (; text && *text; text++)
		man_line(out, ".PP\n", *text, "\n");
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
	if (takes_value(o))
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
	add_facts(o, defaults, &facts);
	if (facts.len)
		man_line(out, " (", without_separator(&facts), ")");
	fputs(".\n", out);
	man_choices(out, o->choices);
}

static void man_opts(FILE *out, const struct cli_opt *rows, const void *defaults)
{
	const struct cli_opt *o;

	each_opt(o, rows)
	{
		if (o->group)
			man_line(out, ".PP\n\\fI", o->group, "\\fR\n");
		man_opt(out, o, defaults);
	}
}

static void man_cmd(FILE *out, const struct cli_prog *p, const struct cli_cmd *cmd)
{
	fprintf(out, ".SS \"%s %s\"\n", p->name, cmd->name);
	man_sentence(out, cmd->summary);
	fputs(".\n", out);
	man_paragraphs(out, cmd->text);
	man_opts(out, cmd->opts, cmd->defaults);
}

static void man_synopsis(FILE *out, const struct cli_prog *p)
{
	const struct cli_cmd *const *cmd;

	fputs(".SH SYNOPSIS\n", out);
	for (cmd = p->cmds; *cmd; cmd++) {
		fprintf(out, ".B %s %s\n", p->name, (*cmd)->name);
		man_line(out, "", (*cmd)->usage, "\n.br\n");
	}
	man_line(out, ".B ", p->name, "\n");
	man_line(out, "", "--help | --version | --print-man | --print-completion", "\n");
}

static void man_examples(FILE *out, const struct cli_term *t)
{
	for (; t && t->name; t++) {
		man_line(out, ".PP\n", t->help, ":\n");
		man_line(out, ".PP\n.RS 4\n.nf\n", t->name, "\n.fi\n.RE\n");
	}
}

void cli_print_man(const struct cli_prog *p, FILE *out)
{
	const struct cli_cmd *const *cmd;

	fprintf(out, ".TH %s 1 \"\" \"%s %s\" \"User Commands\"\n", p->name, p->name, p->version);
	man_line(out, ".SH NAME\n", p->name, " \\- ");
	man_line(out, "", p->summary, "\n");
	man_synopsis(out, p);
	fputs(".SH DESCRIPTION\n", out);
	man_paragraphs(out, p->text);
	man_opts(out, cli_prog_rows, NULL);
	fputs(".SH COMMANDS\n", out);
	for (cmd = p->cmds; *cmd; cmd++)
		man_cmd(out, p, *cmd);
	fputs(".SH SIGNALS\n", out);
	for (cmd = p->cmds; *cmd; cmd++)
		man_terms(out, (*cmd)->signals);
	fputs(".SH \"EXIT STATUS\"\n", out);
	man_terms(out, p->exits);
	man_line(out, ".SH FILES\nNone: ", p->name, " has no configuration and keeps no state.\n");
	fputs(".SH EXAMPLES\n", out);
	for (cmd = p->cmds; *cmd; cmd++)
		man_examples(out, (*cmd)->examples);
}

/* --- bash completion --------------------------------------------------------------------------- */

static void comp_words(FILE *out, const struct cli_opt *rows)
{
	const struct cli_opt *o;

	each_opt(o, rows)
	{
		fprintf(out, " --%s", o->name);
		if (o->alias)
			fprintf(out, " --%s", o->alias);
	}
}

/* "record:-r|record:--rate", the words in front of a value. */
static void comp_pattern(FILE *out, const struct cli_cmd *cmd, const struct cli_opt *o)
{
	const char letters[] = { o->letter, o->alias_letter };
	size_t i;

	fprintf(out, "\t%s:--%s", cmd->name, o->name);
	if (o->alias)
		fprintf(out, "|%s:--%s", cmd->name, o->alias);
	for (i = 0; i < sizeof(letters); i++)
		if (letters[i])
			fprintf(out, "|%s:-%c", cmd->name, letters[i]);
	fputs(")", out);
}

static void comp_choices(FILE *out, const struct cli_term *c)
{
	fputs("-W '", out);
	for (; c->name; c++)
		fprintf(out, "%s%s", c->name, c[1].name ? " " : "'");
}

/* How compgen completes the value: @values, for each item of a list if @list is set. */
static void comp_opt(FILE *out, const struct cli_cmd *cmd, const struct cli_opt *o)
{
	if (!takes_value(o))
		return;
	comp_pattern(out, cmd, o);
	fputs(" values=(", out);
	if (o->choices)
		comp_choices(out, o->choices);
	else
		fputs(o->expand ? o->expand : "-W ''", out);
	fprintf(out, ")%s ;;\n", is_list(o) ? " list=1" : "");
}

static const char comp_head[] =
	"_%s()\n{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"\tlocal cmd=${COMP_WORDS[1]} list='' head='' options=''\n"
	"\tlocal -a values=()\n\n"
	"\t# readline splits --option=value at the '='.\n"
	"\t[[ $cur == '=' ]] && cur=''\n"
	"\t[[ $prev == '=' ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\t[[ $COMP_CWORD == 1 ]] && cmd='' prev=''\n"
	"\t# What follows -- is somebody else's command line.\n"
	"\tif ((COMP_CWORD > 2)) && [[ \" ${COMP_WORDS[*]:2:COMP_CWORD-2} \" == *' -- '* ]]; then\n"
	"\t\tcompopt -o default\n"
	"\t\t[[ $prev != -- ]] || mapfile -t COMPREPLY < <(compgen -c -- \"$cur\")\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tcase $cmd in\n";

static const char comp_middle[] = "\tesac\n\tcase $cmd:$prev in\n";

static const char comp_tail[] =
	"\tesac\n"
	"\t[[ $list && $cur == *,* ]] && head=${cur%%,*}, cur=${cur##*,}\n"
	"\t[[ ${values[*]} ]] || values=(-W \"$options\")\n"
	"\tmapfile -t COMPREPLY < <(compgen -P \"$head\" \"${values[@]}\" -- \"$cur\")\n"
	"\t[[ ${values[1]} != file ]] || compopt -o filenames\n"
	"}\ncomplete -F _%s %s\n";

void cli_print_completion(const struct cli_prog *p, FILE *out)
{
	const struct cli_cmd *const *cmd;
	const struct cli_opt *o;

	fprintf(out, "# bash completion for %s %s\n", p->name, p->version);
	fprintf(out, comp_head, p->name);
	fputs("\t'') options='", out);
	for (cmd = p->cmds; *cmd; cmd++)
		fprintf(out, "%s%s", cmd == p->cmds ? "" : " ", (*cmd)->name);
	comp_words(out, cli_prog_rows);
	fputs("' ;;\n", out);
	for (cmd = p->cmds; *cmd; cmd++) {
		fprintf(out, "\t%s) options='", (*cmd)->name);
		comp_words(out, (*cmd)->opts);
		fputs("' ;;\n", out);
	}
	fputs(comp_middle, out);
	for (cmd = p->cmds; *cmd; cmd++)
		for (o = (*cmd)->opts; o->name; o++)
			comp_opt(out, *cmd, o);
	fprintf(out, comp_tail, p->name, p->name);
}
