/* SPDX-License-Identifier: BSD-2-Clause */
/* What krait says of a process, the same for each command: is it Python, and if it is not read, why? */
#ifndef KRAIT_LOOK_H
#define KRAIT_LOOK_H

#include <sys/types.h>

#include "base/err.h"
#include "py/detect.h"

/*
 * detect_process(), where a process whose first thread has ended is known by its thread @tid (0: no
 * other is known), and one that must not be read is DETECT_UNSUPPORTED, with @why->code telling.
 */
int look_process(struct detect *d, pid_t pid, pid_t tid, struct python *py, struct err *why);

/* Why the caller may not look at a process, and what would help. */
const char *look_refusal(void);

#endif
