/* SPDX-License-Identifier: BSD-2-Clause */
/* The kind of options that take users. In a file of its own, because it alone looks names up. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"

/*
 * Reads /etc/passwd, because getpwnam() loads libraries of the host (nsswitch), which a static binary cannot
 * do. Users from other sources can be given as numbers.
 */
static int find_user(const char *name, uint64_t *ret)
{
	_fclose_ FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw;

	if (!f)
		return -errno;
	while ((pw = fgetpwent(f))) {
		if (!strcmp(pw->pw_name, name)) {
			*ret = pw->pw_uid;
			return 0;
		}
	}
	return -ENOENT;
}

static int add_user(const struct cli_opt *o, const char *item, void *field, struct err *err)
{
	uint64_t uid;
	int r = num_uint(item, o->min, o->max, &uid);

	if (r == -EINVAL && *item && find_user(item, &uid))
		return err_set(err, r, "--%s: '%s': no such user in /etc/passwd; use a number",
			       o->name, item);
	if (r == -ERANGE || !*item)
		return -EINVAL;
	return vec_push((num_vec *)field, uid);
}

static int parse_users(const struct cli_opt *o, const char *text, void *field, struct err *err)
{
	return cli_items(o, text, field, add_user, err);
}

static void allow_users(const struct cli_opt *o, struct buf *out)
{
	buf_printf(out, "names of users or numbers up to %llu, separated by commas",
		   (unsigned long long)o->max);
}

static void done_users(void *field)
{
	vec_done((num_vec *)field);
}

const struct cli_kind cli_user_list = { true, false, parse_users, allow_users, NULL, done_users };
