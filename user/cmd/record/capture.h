/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens a session for the options of `krait record`. */
#ifndef KRAIT_CMD_RECORD_CAPTURE_H
#define KRAIT_CMD_RECORD_CAPTURE_H

#include <sys/types.h>

#include "cmd/record/opts.h"
#include "session/session.h"

/* The filters that the options ask for: bits of enum filter. */
uint32_t record_filters(const struct record_opts *o);
/*
 * A session that is ready to run; the strings of @o must outlive it. @child: pid of CMD, 0: none. @journal: files
 * grow while it runs. NULL: @err says why.
 */
struct session *record_capture(const struct record_opts *o, pid_t child, bool journal,
			       struct err *err);

#endif
