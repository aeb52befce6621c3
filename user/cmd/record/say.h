/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KRAIT_CMD_RECORD_SAY_H
#define KRAIT_CMD_RECORD_SAY_H

#include "cmd/record/opts.h"
#include "session/session.h"

/* One line that the next one overwrites, for a terminal. */
void record_say_progress(const struct session *s);
/* With -v also where every tick of every CPU went. */
void record_say_summary(struct session *s, const struct record_opts *o);

#endif
