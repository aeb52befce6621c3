/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/mountinfo: lines from the kernel, and malformed texts. */
#include <string.h>
#include <sys/sysmacros.h>

#include "proc/mountinfo.h"
#include "tap.h"

TEST(a_line)
{
	char line[] = "36 35 0:39 /sub /mnt/a\\040b rw,noatime master:1 - fuse.sshfs host:/x "
		      "rw,user_id=0\n";
	struct mount m;

	CHECK(mountinfo_parse(line, &m));
	CHECK_EQ(m.dev, makedev(0, 39));
	CHECK_STR(m.root, "/sub");
	CHECK_STR(m.at, "/mnt/a\\040b");
	CHECK_STR(m.type, "fuse.sshfs");
	CHECK_STR(m.options, "rw,user_id=0");
}

/* A file system may have no source, and a mount several tags. */
TEST(fields_that_vary)
{
	char line[] = "1 2 8:17 / /b rw shared:1 master:2 unbindable - tmpfs  rw";
	struct mount m;

	CHECK(mountinfo_parse(line, &m));
	CHECK_EQ(m.dev, makedev(8, 17));
	CHECK_STR(m.type, "tmpfs");
	CHECK_STR(m.options, "rw");
}

TEST(malformed_lines)
{
	static const char *const bad[] = { "",
					   "\n",
					   "1 2 3",
					   "1 2 x /a /b rw - fuse s rw",
					   "1 2 0:3 /a /b rw",
					   "1 2 0:3 /a /b rw - fuse",
					   "1 2 0:3 /a /b rw - fuse s",
					   " - ",
					   "a - b" };
	struct mount m;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];

		strcpy(text, bad[i]);
		CHECK(!mountinfo_parse(text, &m));
	}
}
