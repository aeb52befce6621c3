/* SPDX-License-Identifier: BSD-2-Clause */
/* The mappings of a process are those of its first thread: once that has ended they are gone. */
#include "session/look.h"

#include <errno.h>

int look_process(struct detect *d, pid_t pid, pid_t tid, struct python *py, struct err *why)
{
	int kind = detect_process(d, pid, py, why);

	if (kind == DETECT_OTHER && tid && tid != pid)
		kind = detect_process(d, tid, py, why);
	if (kind == -EPERM || kind == -EACCES) {
		err_set(why, kind, "not permitted to read it; krait needs CAP_SYS_PTRACE");
		kind = DETECT_UNSUPPORTED;
	}
	return kind;
}
