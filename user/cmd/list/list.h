/* SPDX-License-Identifier: BSD-2-Clause */
/* What `krait list` was asked for, and how it shows a survey. */
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
 * A line for each process below a line of headings, in columns, none of which is cut but the last, the
 * command, so that no line is wider than @width (0: without limit).
 */
void list_print_table(const struct survey_process *p, size_t n, size_t width, struct buf *out);
/* One document; what each field means is in the manual page. */
void list_print_json(const struct survey_process *p, size_t n, uint32_t refused, struct buf *out);

#endif
