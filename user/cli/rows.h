/* SPDX-License-Identifier: BSD-2-Clause */
/* What help, manual pages and completions ask the rows of options. */
#ifndef KRAIT_CLI_ROWS_H
#define KRAIT_CLI_ROWS_H

#include <stdbool.h>

#include "base/buf.h"
#include "cli/cli.h"

/* Every option of a command, and last the one that no command lists. */
#define rows_each(o, rows) for (o = (rows)->name ? (rows) : &cli_help_row; o; o = rows_next(o))
const struct cli_opt *rows_next(const struct cli_opt *o);

bool rows_takes_value(const struct cli_opt *o);
/* The value is a list, separated by commas. */
bool rows_takes_list(const struct cli_opt *o);
/* Appends "; 1 to 9; default: 5", or nothing. @defaults may be NULL. */
void rows_facts(const struct cli_opt *o, const void *defaults, struct buf *out);
/* What rows_facts() wrote, if that is anything, without its first separator. */
const char *rows_first_fact(const struct buf *facts);

#endif
