/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/account: the user who called sudo, from texts like /etc/passwd and /etc/group. */
#include "proc/account.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tap.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# a comment\n"
			     "broken line\n"
			     "ann:x:1000:1000::/home/ann:/bin/sh\n"
			     "twin:x:1000:1001::/home/twin:/bin/sh\n";

static const char group[] = "root:x:0:\n"
			    "ann:x:1000:\n"
			    "video:x:44:bob,ann\n"
			    "annex:x:45:annabel\n"
			    "broken\n"
			    "audio:x:29:ann\n"
			    "own:x:1000:ann\n";

static FILE *open_text(const char *text)
{
	return fmemopen((void *)(uintptr_t)text, strlen(text), "r");
}

/* Returns the result of account_fill(); the caller frees @a. */
static int fill(struct account *a, const char *uid, const char *gid, const char *user,
		struct err *err)
{
	_fclose_ FILE *p = open_text(passwd), *g = open_text(group);
	const struct account_sudo sudo = { uid, gid, user };

	*a = (struct account){};
	return account_fill(a, &sudo, p, g, err);
}

TEST(a_user_with_groups)
{
	_cleanup_(account_done) struct account a;
	struct err err = {};

	CHECK_EQ(fill(&a, "1000", "1000", "ann", &err), 0);
	CHECK_EQ(a.uid, 1000);
	CHECK_EQ(a.gid, 1000);
	CHECK_STR(a.name, "ann");
	CHECK_STR(a.home, "/home/ann");
	CHECK_EQ(a.groups.len, 3);
	if (a.groups.len == 3) {
		CHECK_EQ(a.groups.at[0], 1000);
		CHECK_EQ(a.groups.at[1], 44);
		CHECK_EQ(a.groups.at[2], 29);
	}
}

TEST(the_name_decides_between_users_with_one_id)
{
	_cleanup_(account_done) struct account a;
	struct err err = {};

	CHECK_EQ(fill(&a, "1000", "1001", "twin", &err), 0);
	CHECK_STR(a.home, "/home/twin");
	CHECK_EQ(a.groups.len, 1);
}

TEST(without_a_name_the_id_decides)
{
	_cleanup_(account_done) struct account a;
	struct err err = {};

	CHECK_EQ(fill(&a, "1000", "1000", NULL, &err), 0);
	CHECK_STR(a.name, "ann");
	CHECK_EQ(a.groups.len, 3);
}

TEST(user_in_no_file_keeps_the_ids_from_sudo)
{
	_cleanup_(account_done) struct account a;
	struct err err = {};

	CHECK_EQ(fill(&a, "70000", "70001", "ldap", &err), 0);
	CHECK_EQ(a.uid, 70000);
	CHECK_STR(a.name, "ldap");
	CHECK(!a.home);
	CHECK_EQ(a.groups.len, 1);
	CHECK_EQ(a.groups.at[0], 70001);
}

TEST(without_sudo)
{
	_cleanup_(account_done) struct account a;
	struct err err = {};

	CHECK_EQ(fill(&a, NULL, "1", "ann", &err), -ENOENT);
	CHECK_EQ(err.code, 0);
}

TEST(invalid_ids_are_refused)
{
	static const char *const wrong[] = { "", "-1", "ann", "4294967295", "1 ", NULL };
	const char *const *w;

	for (w = wrong; *w; w++) {
		_cleanup_(account_done) struct account a, b;
		struct err first = {}, second = {};

		CHECK_EQ(fill(&a, *w, "1", "ann", &first), -EINVAL);
		CHECK(strstr(first.text, "SUDO_UID"));
		CHECK_EQ(fill(&b, "1", *w, "ann", &second), -EINVAL);
		CHECK(strstr(second.text, "SUDO_GID"));
	}
}

TEST(uid_without_gid_is_refused)
{
	_cleanup_(account_done) struct account a;
	struct err err = {};

	CHECK_EQ(fill(&a, "1000", NULL, "ann", &err), -EINVAL);
	CHECK(strstr(err.text, "'SUDO_GID': not set"));
}
