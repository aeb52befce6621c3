/* SPDX-License-Identifier: BSD-2-Clause */
/* Uses only /proc/PID/maps and mountinfo: reading them does not touch the file systems. */
#include "proc/served.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "proc/maps.h"
#include "proc/mountinfo.h"

/* A type also matches up to its dot: "fuse.sshfs" is "fuse". */
static const char *const types[] = { "fuse",  "fuseblk",  "nfs",      "nfs4", "cifs",
				     "smb3",  "9p",       "ceph",     "afs",  "lustre",
				     "ocfs2", "virtiofs", "glusterfs" };

bool served_type(const char *type)
{
	size_t len = strcspn(type, ".");

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i]) == len && !memcmp(types[i], type, len))
			return true;
	return false;
}

/* Looks up a device in the mounts of @pid and describes it if its type is served. */
static int name_device(pid_t pid, uint64_t dev, char *ret, size_t size)
{
	_fclose_ FILE *f = NULL;
	_free_ char *line = NULL;
	char path[32];
	size_t room = 0;
	struct mount m;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (getline(&line, &room, f) >= 0) {
		if (!mountinfo_parse(line, &m) || m.dev != dev)
			continue;
		if (!served_type(m.type))
			return -ENOENT;
		snprintf(ret, size, "%s at %s", m.type, m.at);
		return 0;
	}
	return -ENOENT;
}

int served_mapping(pid_t pid, char *ret, size_t size)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	uint64_t seen = 0;
	struct mapping m;
	int err;

	maps = maps_open(pid, &err);
	if (!maps)
		return err;
	while ((err = maps_next(maps, &m)) > 0) {
		if (!m.inode || m.dev == seen)
			continue;
		seen = m.dev;
		if (!name_device(pid, m.dev, ret, size))
			return 0;
	}
	return err ? err : -ENOENT;
}
