/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of `krait list`, and how it prints a survey. */
#ifndef KRAIT_CMD_LIST_H
#define KRAIT_CMD_LIST_H

#include "base/buf.h"
#include "cli/cli.h"
#include "session/survey.h"

struct list_opts {
	num_vec pids;
	cli_names comms; /* of processes, at most 15 bytes each */
	num_vec uids;
	bool json;
};

/*
 * A table with a line of headings and a line for each process. Only the last column, the command, is
 * truncated, so that no line is wider than @width (0: unlimited).
 */
void list_print_table(const struct survey_process *p, size_t n, size_t width, struct buf *out);
/* One JSON document; the manual page explains the fields. */
void list_print_json(const struct survey_process *p, size_t n, uint32_t refused, struct buf *out);

#endif
