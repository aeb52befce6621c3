/* SPDX-License-Identifier: BSD-2-Clause */
/* The option --by, for all commands that have it. */
#include <errno.h>

#include "cmd/cmd.h"
#include "format/format.h"

enum { BY_NONE = DIM_MAX };

const struct cli_term cmd_bys[] = {
	[DIM_CONTAINER] = { "container", "container name, or the first digits of the ID if the "
					 "name is unknown; host: in no container" },
	[DIM_POD] = { "pod", "Kubernetes pod, as NAMESPACE/NAME" },
	[DIM_UNIT] = { "unit", "innermost systemd unit, such as nginx.service" },
	[DIM_COMM] = { "comm", "process name" },
	[DIM_PROCESS] = { "process", "process name and pid" },
	[DIM_THREAD] = { "thread", "thread name and ID" },
	[DIM_STATE] = { "state", "thread state: running, sleeping, ..." },
	[DIM_KIND] = { "kind",
		       "kind of code that ran: python, interpreter, native, gc, kernel with the "
		       "system call; off-CPU: the state" },
	[DIM_TASK] = { "task", "running asyncio task, of CPython 3.12 and later: its name, or the "
			       "qualified name of its coroutine if it has a default name; krait "
			       "record reads tasks only with this" },
	[BY_NONE] = { "none", "no grouping; cannot be combined with others" },
	{},
};

int cmd_check_by(cli_picks *by, struct err *err)
{
	const unsigned int *it;

	if (!by->len)
		return vec_push(by, DIM_PROCESS);
	if (by->len == 1 && by->at[0] == BY_NONE)
		by->len = 0;
	vec_each (by, it)
		if (*it == BY_NONE)
			return err_set(err, -EINVAL, "--by: 'none' cannot be combined with others");
	return 0;
}
