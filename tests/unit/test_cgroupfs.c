/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/cgroupfs: lines of mountinfo, lists of controllers, and this host's own directories. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "proc/cgroupfs.h"
#include "tap.h"

static const struct {
	const char *line;
	bool nested, taken;
	const char *mount, *options;
} lines[] = {
	{ "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n", false,
	  true, "/sys/fs/cgroup", NULL },
	{ "33 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", false, true,
	  "/sys/fs/cgroup/memory", "rw,memory" },
	{ "33 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct", false, true,
	  "/sys/fs/cgroup/cpu,cpuacct", "rw,cpu,cpuacct" },
	/* Only a part of the tree is mounted, as in a container. */
	{ "33 30 0:30 /docker/5f0c /sys/fs/cgroup rw - cgroup2 cgroup rw\n", false, false, "", "" },
	{ "33 30 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n", true, false, "", "" },
	{ "33 30 0:30 /../other /sys/fs/cgroup rw - cgroup2 cgroup rw\n", true, false, "", "" },
	/* The host's whole tree, seen from a cgroup namespace. */
	{ "33 30 0:30 /../.. /sys/fs/cgroup rw - cgroup2 cgroup rw\n", true, true, "/sys/fs/cgroup",
	  NULL },
	{ "33 30 0:30 / /proc rw - proc proc rw\n", false, false, "", "" },
	{ "33 30 0:30 / /x rw - cgroupx x rw\n", false, false, "", "" },
	{ "33 30 0:30 / /x rw - cgroup2\n", false, false, "", "" },
	{ "33 30 0:30 / /x rw\n", false, false, "", "" },
	{ "33 30 0:30 /\n", false, false, "", "" },
	{ "\n", false, false, "", "" },
	{ "", false, false, "", "" },
};

TEST(mounts)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		_free_ char *copy = strdup(lines[i].line);
		const char *mount = NULL, *options = NULL;
		bool taken = cgroupfs_mount(copy, lines[i].nested, &mount, &options);
		bool good = CHECK_EQ(taken, lines[i].taken);

		if (taken && good)
			good = CHECK_STR(mount, lines[i].mount) &
			       CHECK_STR(options, lines[i].options);
		if (!good)
			printf("# %s\n", lines[i].line);
	}
}

TEST(controllers)
{
	CHECK(cgroupfs_has_controller("cpu,cpuacct", "cpu"));
	CHECK(cgroupfs_has_controller("cpu,cpuacct", "cpuacct"));
	CHECK(!cgroupfs_has_controller("cpuacct", "cpu"));
	CHECK(!cgroupfs_has_controller("cpu,", ""));
	CHECK(!cgroupfs_has_controller("", "cpu"));
	CHECK(!cgroupfs_has_controller("name=systemd", "systemd"));
}

static void free_cgroupfs(struct cgroupfs **c)
{
	cgroupfs_free(*c);
}

TEST(added_paths_are_known)
{
	_cleanup_(free_cgroupfs) struct cgroupfs *c = cgroupfs_new(NULL, 0);

	CHECK_STR(cgroupfs_path(c, CGROUPFS_V2, 77), NULL);
	CHECK_EQ(cgroupfs_add(c, CGROUPFS_V2, 77, "/a/b"), 0);
	CHECK_EQ(cgroupfs_add(c, CGROUPFS_V1, 77, "/c"), 0);
	CHECK_STR(cgroupfs_path(c, CGROUPFS_V2, 77), "/a/b");
	CHECK_STR(cgroupfs_path(c, CGROUPFS_V1, 77), "/c");
}

/* Every path that is found leads to the directory with that id. */
TEST(this_host)
{
	static const char *const names[] = { "memory", "pids", "freezer", "cpuset", "cpu" };
	_cleanup_(free_cgroupfs) struct cgroupfs *c = cgroupfs_new(names, 5);
	struct cgroupfs_key key;
	const char *path;
	size_t pos = 0, wrong = 0, n = 0;
	uint64_t id;

	CHECK_EQ(cgroupfs_scan(c), 0);
	while (cgroupfs_each(c, &pos, &key, &path)) {
		n++;
		wrong += !cgroupfs_find(c, key.view, path, &id) && id != key.id;
		CHECK_STR(cgroupfs_path(c, key.view, key.id), path);
	}
	if (!n)
		SKIP("no cgroup hierarchy is completely mounted here");
	CHECK_EQ(wrong, 0);
	CHECK_EQ(cgroupfs_find(c, key.view, "/no/such/cgroup", &id), -ENOENT);
	CHECK_EQ(cgroupfs_find(c, key.view, "/proc", &id), -EXDEV);
}
