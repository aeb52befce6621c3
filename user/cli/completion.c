/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completions for bash, zsh and fish, generated from the option rows. They complete commands, the options
 * of the given command, and values: choices, list items after the last comma, files, users, processes. Words
 * after -- are completed as a command line of their own.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/rows.h"

/* How to complete values in each shell: words for compgen, an action for _arguments, flags for complete. */
static const struct {
	const char *bash, *zsh, *fish;
} values[] = {
	[CLI_ANYTHING] = { "-W ''", " ", "-x" },
	[CLI_FILES] = { "-A file", "_files", "-r -F" },
	[CLI_DIRECTORIES] = { "-A directory", "_files -/",
			      "-x -a '(__fish_complete_directories (string replace -r "
			      "\"^--[^=]*=\" \"\" -- (commandline -ct)))'" },
	[CLI_USERS] = { "-A user", "_users", "-x -a '(__fish_complete_users)'" },
	[CLI_PIDS] = { "-W \"$(cd /proc && printf '%s\\n' [0-9]*)\"", "_pids",
		       "-x -a '(__fish_complete_pids)'" },
};

/* Writes @text in single quotes; characters in @also are escaped with a backslash. */
static void put_quoted(FILE *out, const char *text, const char *also)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr(also, *text))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static void put_choices(FILE *out, const struct cli_term *c, const char *between)
{
	for (; c->name; c++)
		fprintf(out, "%s%s", c->name, c[1].name ? between : "");
}

/* --- bash ------------------------------------------------------------------------------------- */

static void bash_words(FILE *out, const struct cli_opt *rows)
{
	const struct cli_opt *o;

	rows_each (o, rows) {
		fprintf(out, " --%s", o->name);
		if (o->alias)
			fprintf(out, " --%s", o->alias);
	}
}

/* "record:-r|record:--rate": the words that precede a value. */
static void bash_pattern(FILE *out, const char *cmd, const struct cli_opt *o)
{
	const char letters[] = { o->letter, o->alias_letter };

	fprintf(out, "\t%s:--%s", cmd, o->name);
	if (o->alias)
		fprintf(out, "|%s:--%s", cmd, o->alias);
	for (size_t i = 0; i < sizeof(letters); i++)
		if (letters[i])
			fprintf(out, "|%s:-%c", cmd, letters[i]);
	fputs(")", out);
}

/* Writes the case that completes the value of an option with compgen. */
static void bash_opt(FILE *out, const char *cmd, const struct cli_opt *o)
{
	if (!rows_takes_value(o))
		return;
	bash_pattern(out, cmd, o);
	fputs(" values=(", out);
	if (o->choices) {
		fputs("-W '", out);
		put_choices(out, o->choices, " ");
		fputs("'", out);
	} else {
		fputs(values[o->expand].bash, out);
	}
	fprintf(out, ")%s ;;\n", rows_takes_list(o) ? " list=1" : "");
}

static const char bash_head[] =
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

static const char bash_middle[] = "\tesac\n\tcase $cmd:$prev in\n";

static const char bash_tail[] =
	"\tesac\n"
	"\t[[ $list && $cur == *,* ]] && head=${cur%%,*}, cur=${cur##*,}\n"
	"\tif [[ ! ${values[*]} ]]; then\n"
	"\t\tvalues=(-W \"$options\")\n"
	"\t\t[[ $cur == -* || ! $bare ]] || values=(-A file)\n"
	"\tfi\n"
	"\tmapfile -t COMPREPLY < <(compgen -P \"$head\" \"${values[@]}\" -- \"$cur\")\n"
	"\t[[ ${values[1]} != file ]] || compopt -o filenames\n"
	"}\ncomplete -F _%s %s\n";

static void print_bash(const struct cli_prog *p, FILE *out)
{
	const struct cli_cmd *const *cmd;
	const struct cli_opt *o;

	fprintf(out, "# bash completion for %s %s\n", p->name, p->version);
	fprintf(out, bash_head, p->name);
	fputs("\t'') options='", out);
	for (cmd = p->cmds; *cmd; cmd++)
		fprintf(out, "%s%s", cmd == p->cmds ? "" : " ", (*cmd)->name);
	bash_words(out, cli_prog_rows);
	fputs("' ;;\n", out);
	for (cmd = p->cmds; *cmd; cmd++) {
		fprintf(out, "\t%s) options='", (*cmd)->name);
		bash_words(out, (*cmd)->opts);
		fprintf(out, "' %s;;\n", (*cmd)->words_bare ? "bare=1 " : "");
	}
	fputs(bash_middle, out);
	for (cmd = p->cmds; *cmd; cmd++)
		for (o = (*cmd)->opts; o->name; o++)
			bash_opt(out, (*cmd)->name, o);
	fprintf(out, bash_tail, p->name, p->name);
}

/* --- zsh -------------------------------------------------------------------------------------- */

/* "-d", "--duration=", ...: all spellings of an option, with the suffix that _arguments requires. */
static size_t zsh_names(const struct cli_opt *o, char names[4][64])
{
	bool value = rows_takes_value(o);
	const char letters[] = { o->letter, o->alias_letter };
	const char *longs[] = { o->name, o->alias };
	size_t n = 0;

	for (size_t i = 0; i < 2; i++)
		if (letters[i])
			snprintf(names[n++], sizeof(names[0]), "-%c%s", letters[i],
				 value ? "+" : "");
	for (size_t i = 0; i < 2; i++)
		if (longs[i])
			snprintf(names[n++], sizeof(names[0]), "--%s%s", longs[i],
				 value ? "=" : "");
	return n;
}

static void zsh_value(FILE *out, const struct cli_opt *o)
{
	fprintf(out, ":%s:", o->metavar);
	if (o->choices)
		fprintf(out, rows_takes_list(o) ? "_values -s , %s " : "(", o->metavar);
	else if (rows_takes_list(o) && o->expand != CLI_ANYTHING)
		fprintf(out, "_sequence %s", values[o->expand].zsh);
	else
		fputs(values[o->expand].zsh, out);
	if (o->choices)
		put_choices(out, o->choices, " ");
	if (o->choices && !rows_takes_list(o))
		fputs(")", out);
}

/* One line for each spelling; they exclude each other unless the option may be repeated. */
static void zsh_opt(FILE *out, const struct cli_opt *o)
{
	char names[4][64];
	size_t n = zsh_names(o, names);
	bool repeats = rows_takes_list(o);

	for (size_t i = 0; i < n; i++) {
		fputs("\t\t'", out);
		if (repeats)
			fputs("*", out);
		else if (n > 1)
			fputs("(", out);
		for (size_t j = 0; !repeats && n > 1 && j < n; j++)
			fprintf(out, "%s%.*s", j ? " " : "", (int)strcspn(names[j], "+="),
				names[j]);
		fprintf(out, "%s%s[", !repeats && n > 1 ? ")" : "", names[i]);
		put_quoted(out, o->help, "[]:");
		fputs("]", out);
		if (rows_takes_value(o))
			zsh_value(out, o);
		fputs("' \\\n", out);
	}
}

static void zsh_cmd(FILE *out, const struct cli_prog *p, const struct cli_cmd *cmd)
{
	const struct cli_opt *o;

	fprintf(out, "_%s_%s()\n{\n\t_arguments -s -S \\\n", p->name, cmd->name);
	rows_each (o, cmd->opts)
		zsh_opt(out, o);
	if (cmd->words_bare)
		fprintf(out, "\t\t'*:%s:_files'\n}\n\n", cmd->words);
	else if (cmd->words)
		fprintf(out, "\t\t'*::%s:_%s_words'\n}\n\n", cmd->words, p->name);
	else
		fputs("\t\t&& return 0\n}\n\n", out);
}

/* After -- follows a command of its own. */
static const char zsh_words[] =
	"_%s_words()\n{\n\t((CURRENT == 1)) && _command_names -e || _normal\n}\n\n";

static void print_zsh(const struct cli_prog *p, FILE *out)
{
	const struct cli_cmd *const *cmd;
	const struct cli_opt *o;

	fprintf(out, "#compdef %s\n# zsh completion for %s %s\n\n", p->name, p->name, p->version);
	fprintf(out, zsh_words, p->name);
	for (cmd = p->cmds; *cmd; cmd++)
		zsh_cmd(out, p, *cmd);
	fprintf(out, "_%s()\n{\n\tlocal state\n\tlocal -a commands=(\n", p->name);
	for (cmd = p->cmds; *cmd; cmd++) {
		fprintf(out, "\t\t'%s:", (*cmd)->name);
		put_quoted(out, (*cmd)->summary, "");
		fputs("'\n", out);
	}
	fputs("\t)\n\t_arguments -C \\\n", out);
	rows_each (o, cli_prog_rows)
		zsh_opt(out, o);
	fprintf(out,
		"\t\t'1:command:->command' '*::argument:->argument'\n"
		"\tcase $state in\n"
		"\tcommand) _describe command commands ;;\n"
		"\targument) (( $+functions[_%s_$words[1]] )) && _%s_$words[1] ;;\n"
		"\tesac\n}\n\n"
		"if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n\t_%s \"$@\"\nelse\n"
		"\tcompdef _%s %s\nfi\n",
		p->name, p->name, p->name, p->name, p->name);
}

/* --- fish ------------------------------------------------------------------------------------- */

static const char fish_head[] =
	"# The command stands there, and what follows -- does not begin yet.\n"
	"function __%s_in\n"
	"\tset -l words (commandline -opc)\n"
	"\tcontains -- -- $words; and return 1\n"
	"\ttest (count $words) -gt 1; and test $words[2] = $argv[1]\n"
	"end\n\n"
	"function __%s_first\n"
	"\ttest (count (commandline -opc)) -eq 1\n"
	"end\n\n"
	"function __%s_words\n"
	"\tcontains -- -- (commandline -opc)\n"
	"end\n\n"
	"# The items of a list behind the last comma of what is there.\n"
	"function __%s_list\n"
	"\tset -l there (string replace -r '^--[^=]*=' '' -- (commandline -ct))\n"
	"\tset -l head (string match -r '^.*,' -- $there)\n"
	"\ttest -n \"$head\"; or set head ''\n"
	"\tprintf '%%s\\n' $head$argv\n"
	"end\n\n"
	"# The words behind -- as a command line of their own.\n"
	"function __%s_command\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l at (contains -i -- -- $words)\n"
	"\tset -l rest\n"
	"\ttest $at -lt (count $words); and set rest (string escape -- $words[(math $at + "
	"1)..-1])\n"
	"\tcomplete -C (string join -- ' ' $rest (commandline -ct))\n"
	"end\n\n"
	"complete -c %s -f\n"
	"complete -c %s -n __%s_words -a '(__%s_command)'\n";

static void fish_value(FILE *out, const struct cli_prog *p, const struct cli_opt *o)
{
	if (!rows_takes_value(o))
		return;
	if (!o->choices) {
		fprintf(out, " %s", values[o->expand].fish);
	} else if (rows_takes_list(o)) {
		fprintf(out, " -x -a '(__%s_list ", p->name);
		put_choices(out, o->choices, " ");
		fputs(")'", out);
	} else {
		fputs(" -x -a '", out);
		put_choices(out, o->choices, " ");
		fputs("'", out);
	}
}

static void fish_opt(FILE *out, const struct cli_prog *p, const char *condition,
		     const struct cli_opt *o)
{
	fprintf(out, "complete -c %s -n '%s' -l %s", p->name, condition, o->name);
	if (o->alias)
		fprintf(out, " -l %s", o->alias);
	if (o->letter)
		fprintf(out, " -s %c", o->letter);
	if (o->alias_letter)
		fprintf(out, " -s %c", o->alias_letter);
	fish_value(out, p, o);
	fputs(" -d '", out);
	put_quoted(out, o->help, "");
	fputs("'\n", out);
}

static void fish_cmd(FILE *out, const struct cli_prog *p, const struct cli_cmd *cmd)
{
	const struct cli_opt *o;
	char condition[64];

	snprintf(condition, sizeof(condition), "__%s_in %s", p->name, cmd->name);
	fprintf(out, "complete -c %s -n __%s_first -a %s -d '", p->name, p->name, cmd->name);
	put_quoted(out, cmd->summary, "");
	fputs("'\n", out);
	rows_each (o, cmd->opts)
		fish_opt(out, p, condition, o);
	if (cmd->words_bare)
		fprintf(out, "complete -c %s -n '%s' -F\n", p->name, condition);
}

static void print_fish(const struct cli_prog *p, FILE *out)
{
	const struct cli_cmd *const *cmd;
	const struct cli_opt *o;
	const char *n = p->name;
	char condition[64];

	fprintf(out, "# fish completion for %s %s\n", p->name, p->version);
	fprintf(out, fish_head, n, n, n, n, n, n, n, n, n);
	snprintf(condition, sizeof(condition), "__%s_first", p->name);
	rows_each (o, cli_prog_rows)
		fish_opt(out, p, condition, o);
	for (cmd = p->cmds; *cmd; cmd++)
		fish_cmd(out, p, *cmd);
}

/* --- all -------------------------------------------------------------------------------------- */

bool cli_print_completion(const struct cli_prog *p, const char *shell, FILE *out)
{
	static const struct {
		const char *shell;
		void (*print)(const struct cli_prog *p, FILE *out);
	} rows[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(shell, rows[i].shell))
			continue;
		rows[i].print(p, out);
		return true;
	}
	return false;
}
