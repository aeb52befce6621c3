/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KRAIT_CMD_RECORD_RUN_H
#define KRAIT_CMD_RECORD_RUN_H

#include "cmd/record/opts.h"

/*
 * Records as @o says until it ends; prints its own errors. Returns enum cli_exit, or what a shell
 * would return for cmd.
 */
int record_run_session(const struct record_opts *o);

#endif
