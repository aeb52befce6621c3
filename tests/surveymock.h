/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command asks a survey for, without one: a command's words go through its real option rows to a mock of
 * survey_new() that checks what arrives, and fails. For one test program only: it defines the functions.
 */
#ifndef KRAIT_TESTS_SURVEYMOCK_H
#define KRAIT_TESTS_SURVEYMOCK_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "session/survey.h"
#include "tap.h"

static struct {
	void (*look)(const struct survey_opts *o);
	int runs;
} asked;

struct survey *survey_new(const struct survey_opts *o, struct err *err)
{
	asked.runs++;
	if (asked.look)
		asked.look(o);
	err_set(err, -EIO, "survey: this is all");
	return NULL;
}

void survey_free(struct survey *s)
{
}

const struct survey_process *survey_processes(const struct survey *s, size_t *ret_n)
{
	*ret_n = 0;
	return NULL;
}

uint32_t survey_refused(const struct survey *s)
{
	return 0;
}

/*
 * Runs krait, of which only @cmd exists, with words that spaces divide. Returns the exit status; the caller frees
 * *@ret_diag, the error output.
 */
static int run(const struct cli_cmd *cmd, const char *words, char **ret_diag)
{
	enum { ARGS_MAX = 24 };
	const struct cli_cmd *const cmds[] = { cmd, NULL };
	const struct cli_prog krait = { .name = "krait", .version = "0", .cmds = cmds };
	char prog[] = "krait", *argv[ARGS_MAX] = { prog };
	_free_ char *line = strdup(words);
	char *rest = line;
	int status, argc = 1;
	size_t len;
	FILE *diag = open_memstream(ret_diag, &len);

	while (argc < ARGS_MAX - 1 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	asked.runs = 0;
	status = cli_main(&krait, argc, argv, stdout, diag);
	fclose(diag);
	return status;
}

struct asking {
	const char *words;
	void (*look)(const struct survey_opts *o);
};

static void must_ask(const struct cli_cmd *cmd, const struct asking *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_free_ char *diag = NULL;

		asked.look = rows[i].look;
		CHECK_EQ(run(cmd, rows[i].words, &diag), CLI_FAILED);
		CHECK_EQ(asked.runs, 1);
		CHECK_STR(diag, "");
	}
}

struct refusal {
	const char *words, *want; /* @want: part of the error output */
};

static void must_refuse(const struct cli_cmd *cmd, const struct refusal *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_free_ char *diag = NULL;

		CHECK_EQ(run(cmd, rows[i].words, &diag), CLI_USAGE);
		CHECK_EQ(asked.runs, 0);
		if (!CHECK(strstr(diag, rows[i].want)))
			printf("# %s: %s", rows[i].words, diag);
	}
}

#endif
