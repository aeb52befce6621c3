/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KRAIT_CMD_RECORD_RUN_H
#define KRAIT_CMD_RECORD_RUN_H

#include "cmd/record/opts.h"

/*
 * Records with the options @o until the recording ends; prints its own errors. Returns enum cli_exit, or the
 * exit status that a shell would report for cmd.
 */
int record_run_session(const struct record_opts *o);

#endif
