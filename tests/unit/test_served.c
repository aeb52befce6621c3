/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proc/served.h"
#include "tap.h"

TEST(types)
{
	CHECK(served_type("fuse"));
	CHECK(served_type("fuse.sshfs"));
	CHECK(served_type("nfs"));
	CHECK(served_type("nfs4"));
	CHECK(!served_type("fusectl"));
	CHECK(!served_type("ext4"));
	CHECK(!served_type("overlay"));
	CHECK(!served_type(""));
}

TEST(mounts)
{
	static const char *const bad[] = { "", "\n", "1 2 3", "1 2 x /a /b rw - fuse s rw",
					   "1 2 0:3 /a /b rw" };
	char line[] = "36 35 0:39 / /mnt/a\\040b rw,noatime master:1 - fuse.sshfs host:/x rw\n";
	const char *mount, *type;
	uint64_t dev;

	CHECK(served_mount(line, &dev, &mount, &type));
	CHECK_EQ(dev, makedev(0, 39));
	CHECK_STR(mount, "/mnt/a\\040b");
	CHECK_STR(type, "fuse.sshfs");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];

		strcpy(text, bad[i]);
		CHECK(!served_mount(text, &dev, &mount, &type));
	}
}

TEST(this_process)
{
	char text[256];
	int err = served_mapping(getpid(), text, sizeof(text));

	CHECK(err == 0 || err == -ENOENT); /* who knows where this is built */
	CHECK_EQ(served_mapping(0x7ffffff0, text, sizeof(text)), -ESRCH);
}
