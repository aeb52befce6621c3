/* SPDX-License-Identifier: BSD-2-Clause */
/* Queries on option rows that help, manual pages and completions share. */
#ifndef KRAIT_CLI_ROWS_H
#define KRAIT_CLI_ROWS_H

#include <stdbool.h>

#include "base/buf.h"
#include "cli/cli.h"

/* Iterates over all options of a command, with --help, which has no row, as the last one. */
#define rows_each(o, rows) for (o = (rows)->name ? (rows) : &cli_help_row; o; o = rows_next(o))
const struct cli_opt *rows_next(const struct cli_opt *o);

bool rows_takes_value(const struct cli_opt *o);
/* Is the value a comma-separated list? */
bool rows_takes_list(const struct cli_opt *o);
/* Appends "; 1 to 9; default: 5", or nothing. @defaults may be NULL. */
void rows_facts(const struct cli_opt *o, const void *defaults, struct buf *out);
/* The output of rows_facts(), which must not be empty, without the leading separator. */
const char *rows_first_fact(const struct buf *facts);

#endif
