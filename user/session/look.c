/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/maps belongs to the first thread and is empty once that has ended; other threads still show them. */
#include "session/look.h"

#include <errno.h>
#include <linux/capability.h>

#include "proc/host.h"

/* Suggests a capability only to a caller that lacks it. */
const char *look_refusal(void)
{
	struct host_caps own = host_own_caps();

	if (own.err || !(own.effective & 1ULL << CAP_SYS_PTRACE))
		return "krait needs root or CAP_SYS_PTRACE";
	return "krait has CAP_SYS_PTRACE, but a security module (Landlock, SELinux, AppArmor) or a "
	       "user namespace denies access";
}

int look_process(struct detect *d, pid_t pid, pid_t tid, struct python *py, struct err *why)
{
	int kind = detect_process(d, pid, py, why);

	if (kind == DETECT_OTHER && tid && tid != pid)
		kind = detect_process(d, tid, py, why);
	if (kind == -EPERM || kind == -EACCES) {
		err_set(why, kind, "permission denied; %s", look_refusal());
		kind = DETECT_UNSUPPORTED;
		py->doubt = true;
	}
	return kind;
}
