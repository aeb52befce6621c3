/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the two files directly: initgroups() loads the host's nsswitch libraries, which a static
 * binary cannot do. A user who is not in the files still has the ids from sudo.
 */
#include "proc/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"

void account_done(struct account *a)
{
	vec_done(&a->groups);
	free(a->name);
	free(a->home);
}

static int read_id(const char *name, const char *text, uint32_t *ret, struct err *err)
{
	uint64_t id;

	if (!text || num_uint(text, 0, UINT32_MAX - 1, &id))
		return err_set(err, -EINVAL, "sudo: '%s': %s; unset SUDO_UID to start as root",
			       name, text ? "not an ID" : "not set");
	*ret = id;
	return 0;
}

static int find_home(struct account *a, FILE *passwd)
{
	const struct passwd *pw;

	while ((pw = fgetpwent(passwd))) {
		if (a->name ? strcmp(pw->pw_name, a->name) : pw->pw_uid != a->uid)
			continue;
		if (!a->name)
			a->name = strdup(pw->pw_name);
		a->home = strdup(pw->pw_dir);
		return a->name && a->home ? 0 : -ENOMEM;
	}
	return 0;
}

static bool has_member(const struct group *g, const char *name)
{
	char **member;

	for (member = g->gr_mem; *member; member++)
		if (!strcmp(*member, name))
			return true;
	return false;
}

static int find_groups(struct account *a, FILE *group)
{
	const struct group *g;
	int err = 0;

	while (!err && a->name && (g = fgetgrent(group)))
		if (g->gr_gid != a->gid && has_member(g, a->name))
			err = vec_push(&a->groups, g->gr_gid);
	return err;
}

int account_fill(struct account *ret, const struct account_sudo *sudo, FILE *passwd, FILE *group,
		 struct err *err)
{
	int code;

	if (!sudo->uid)
		return -ENOENT;
	code = read_id("SUDO_UID", sudo->uid, &ret->uid, err);
	if (!code)
		code = read_id("SUDO_GID", sudo->gid, &ret->gid, err);
	if (code)
		return code;
	if (sudo->user && !(ret->name = strdup(sudo->user)))
		code = -ENOMEM;
	if (!code)
		code = vec_push(&ret->groups, ret->gid);
	if (!code && passwd)
		code = find_home(ret, passwd);
	if (!code && group)
		code = find_groups(ret, group);
	return code ? err_set(err, code, "sudo: out of memory") : 0;
}

int account_of_sudo(struct account *ret, struct err *err)
{
	_fclose_ FILE *passwd = fopen("/etc/passwd", "re"), *group = fopen("/etc/group", "re");
	const struct account_sudo sudo = { getenv("SUDO_UID"), getenv("SUDO_GID"),
					   getenv("SUDO_USER") };

	return account_fill(ret, &sudo, passwd, group, err);
}
