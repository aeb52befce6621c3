/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user who called sudo, with groups and home directory from /etc/passwd and /etc/group.
 * Programs that krait starts run as this user.
 */
#ifndef KRAIT_ACCOUNT_H
#define KRAIT_ACCOUNT_H

#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/vec.h"

struct account {
	uid_t uid;
	gid_t gid;
	VEC(gid_t) groups; /* supplementary groups, including gid */
	char *name, *home; /* NULL: unknown */
};

/* Frees the fields. */
void account_done(struct account *a);

/* sudo's environment variables SUDO_UID, SUDO_GID and SUDO_USER; NULL: not set. */
struct account_sudo {
	const char *uid, *gid, *user;
};

/*
 * Fills the zeroed @ret from sudo's variables and the two files (each may be NULL). 0, or -errno
 * with @err. -ENOENT leaves @err alone: SUDO_UID is not set.
 */
int account_fill(struct account *ret, const struct account_sudo *sudo, FILE *passwd, FILE *group,
		 struct err *err);
/* The same for this process: its environment, /etc/passwd, /etc/group. */
int account_of_sudo(struct account *ret, struct err *err);

#endif
