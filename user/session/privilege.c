/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A row for each capability that is kept, with what would fail without it. krait only drops capabilities: it
 * keeps those of the list that the caller has.
 */
#include "session/privilege.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "proc/host.h"

/* Capabilities that some headers do not define yet. */
enum { PERFMON = 38, BPF = 39, CHECKPOINT_RESTORE = 40 };

static const struct {
	int cap;
	bool for_paranoid; /* only where kernel.perf_event_paranoid is above 2 */
} kept[] = {
	{ BPF, false },            /* maps before 5.19, and listing processes after lost events */
	{ PERFMON, false },        /* the timer of a CPU that comes online */
	{ CAP_SYS_ADMIN, true },   /* the same, on kernels that require it */
	{ CAP_SYS_PTRACE, false }, /* reading names and interpreters of other users' processes */
	{ CHECKPOINT_RESTORE, false },  /* opening their mapped files, also deleted ones */
	{ CAP_DAC_READ_SEARCH, false }, /* the same, in directories closed to other users */
	{ CAP_DAC_OVERRIDE, false }, /* writing output in a directory of the user who called sudo */
	{ CAP_CHOWN, false },        /* giving the output to that user */
	{ CAP_KILL, false },         /* sending signals to CMD, which runs as that user */
};

static uint64_t wanted(void)
{
	const struct host_number paranoid = host_paranoid();
	uint64_t set = 0;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (!kept[i].for_paranoid || paranoid.err || paranoid.value > 2)
			set |= 1ULL << kept[i].cap;
	return set;
}

int privilege_drop(struct err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint64_t set = wanted();

	if (syscall(SYS_capget, &head, data))
		return err_set(err, -errno, "privilege: cannot read the capabilities: %m");
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= set >> (32 * i);
		data[i].effective &= data[i].permitted;
		data[i].inheritable = 0;
	}
	/* No program executed later can regain a privilege. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, data))
		return err_set(err, -errno, "privilege: cannot drop capabilities: %m");
	return 0;
}
