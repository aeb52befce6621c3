/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who called sudo: the user as whom a program is to be started, with what /etc/passwd and /etc/group
 * say of him.
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
	VEC(gid_t) groups; /* supplementary ones, gid among them */
	char *name, *home; /* NULL: not known */
};

/* Frees what it holds. */
void account_done(struct account *a);

/* What sudo says: SUDO_UID, SUDO_GID, SUDO_USER; NULL: not set. */
struct account_sudo {
	const char *uid, *gid, *user;
};

/*
 * Fills @ret, which is all zeros, from what sudo says and from the two files (NULL: without them).
 * 0, or -errno with @err; -ENOENT without @err: sudo says nothing.
 */
int account_fill(struct account *ret, const struct account_sudo *sudo, FILE *passwd, FILE *group,
		 struct err *err);
/* The same for this process: its environment, /etc/passwd, /etc/group. */
int account_of_sudo(struct account *ret, struct err *err);

#endif
