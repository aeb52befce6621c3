/* SPDX-License-Identifier: BSD-2-Clause */
/* Detects Python in a process and explains why one cannot be read, the same way for all commands. */
#ifndef KRAIT_LOOK_H
#define KRAIT_LOOK_H

#include <sys/types.h>

#include "base/err.h"
#include "py/detect.h"

/*
 * Like detect_process(), with two additions: if the first thread of the process has ended, its thread @tid
 * is read instead (0: no other is known); a process that krait may not read is DETECT_UNSUPPORTED, and
 * @why->code says so.
 */
int look_process(struct detect *d, pid_t pid, pid_t tid, struct python *py, struct err *why);

/* Why the caller is not permitted to read a process, and what would help. */
const char *look_refusal(void);

#endif
