/* SPDX-License-Identifier: BSD-2-Clause */
/* The option --by, for all commands that have it. */
#include <errno.h>

#include "cmd/cmd.h"
#include "format/format.h"

enum { BY_NONE = DIM_MAX };

const struct cli_term cmd_bys[] = {
	[DIM_CONTAINER] = { "container", "the container: its name, or the first digits of its id "
					 "where no engine told one; host for what is in none" },
	[DIM_POD] = { "pod", "the pod and its namespace, as NAMESPACE/NAME" },
	[DIM_UNIT] = { "unit", "the innermost unit of systemd, such as nginx.service" },
	[DIM_COMM] = { "comm", "the name of the process" },
	[DIM_PROCESS] = { "process", "the name of the process and its pid" },
	[DIM_THREAD] = { "thread", "the name of the thread and its id" },
	[DIM_STATE] = { "state", "what the thread was doing: running, sleeping, ..." },
	[BY_NONE] = { "none", "no frames of this kind; stands alone" },
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
			return err_set(err, -EINVAL,
				       "--by: 'none': stands alone; leave out the others");
	return 0;
}
