/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
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

TEST(this_process)
{
	char text[256];
	int err = served_mapping(getpid(), text, sizeof(text));

	CHECK(err == 0 || err == -ENOENT); /* depends on where this is built */
	CHECK_EQ(served_mapping(0x7ffffff0, text, sizeof(text)), -ESRCH);
}
