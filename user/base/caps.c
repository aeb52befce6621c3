/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/caps.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

int caps_get(struct caps *ret)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &head, ret->part) ? -errno : 0;
}

int caps_set(const struct caps *c)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &head, c->part) ? -errno : 0;
}
