/* SPDX-License-Identifier: BSD-2-Clause */
/* What --by takes, of all commands that have it. */
#include <errno.h>

#include "cmd/cmd.h"
#include "format/format.h"

enum { BY_NONE = OUT_DIM_MAX };

const struct cli_term cmd_bys[] = {
	[OUT_DIM_CONTAINER] = { "container",
				"the container: its name, or the first digits of its id "
				"where no engine told one; host for what is in none" },
	[OUT_DIM_POD] = { "pod", "the pod and its namespace, as NAMESPACE/NAME" },
	[OUT_DIM_UNIT] = { "unit", "the innermost unit of systemd, such as nginx.service" },
	[OUT_DIM_COMM] = { "comm", "the name of the process" },
	[OUT_DIM_PROCESS] = { "process", "the name of the process and its pid" },
	[OUT_DIM_THREAD] = { "thread", "the name of the thread and its id" },
	[OUT_DIM_STATE] = { "state", "what the thread was doing: running, sleeping, ..." },
	[BY_NONE] = { "none", "no frames of this kind; stands alone" },
	{},
};

int cmd_check_by(cli_picks *by, struct err *err)
{
	const unsigned int *it;

	if (!by->len)
		return vec_push(by, OUT_DIM_PROCESS);
	if (by->len == 1 && by->at[0] == BY_NONE)
		by->len = 0;
	vec_each (by, it)
		if (*it == BY_NONE)
			return err_set(err, -EINVAL,
				       "--by: 'none': stands alone; leave out the others");
	return 0;
}
