/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KRAIT_CMD_RECORD_SAY_H
#define KRAIT_CMD_RECORD_SAY_H

#include "cmd/record/opts.h"
#include "session/session.h"

/* Prints a progress line to the terminal, over the previous one. */
void record_say_progress(const struct session *s);
/* Prints the summary; with -v also the fate of every tick of every CPU. */
void record_say_summary(struct session *s, const struct profile *p, const struct record_opts *o);

#endif
