/* SPDX-License-Identifier: BSD-2-Clause */
/* Gets and sets the capabilities of the calling thread, to copy them to another process. */
#ifndef KRAIT_CAPS_H
#define KRAIT_CAPS_H

#include <linux/capability.h>

struct caps {
	struct __user_cap_data_struct part[_LINUX_CAPABILITY_U32S_3];
};

/* 0 or -errno. */
int caps_get(struct caps *ret);
int caps_set(const struct caps *c);

#endif
