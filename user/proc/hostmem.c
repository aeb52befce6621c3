/* SPDX-License-Identifier: BSD-2-Clause */
#include "proc/hostmem.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/cleanup.h"

/* "max", or a file that is not there: none. */
static uint64_t read_limit(const char *root, const char *path, const char *file)
{
	_free_ char *name = NULL;
	_fclose_ FILE *f = NULL;
	uint64_t limit;

	if (asprintf(&name, "%s%s/%s", root, path, file) < 0) {
		name = NULL;
		return UINT64_MAX;
	}
	f = fopen(name, "re");
	return f && fscanf(f, "%" SCNu64, &limit) == 1 ? limit : UINT64_MAX;
}

/* The least of a cgroup and of all above it. Cuts @path. */
static uint64_t least_limit(const char *root, char *path, const char *file)
{
	uint64_t least = UINT64_MAX, limit;
	char *slash;

	for (;;) {
		limit = read_limit(root, path, file);
		least = limit < least ? limit : least;
		slash = strrchr(path, '/');
		if (!slash)
			return least;
		*slash = '\0';
	}
}

/* A line of /proc/self/cgroup: "0::/user.slice" or "9:memory:/user.slice". */
static uint64_t line_limit(char *line)
{
	char *controllers = strchr(line, ':'),
	     *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return UINT64_MAX;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	if (!controllers[1])
		return least_limit("/sys/fs/cgroup", path, "memory.max");
	return !strcmp(controllers + 1, "memory")
		       ? least_limit("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes")
		       : UINT64_MAX;
}

uint64_t hostmem_bytes(void)
{
	_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
	struct sysinfo info = {};
	char line[PATH_MAX + 64];
	uint64_t least, limit;

	sysinfo(&info);
	least = (uint64_t)info.totalram * info.mem_unit;
	while (f && fgets(line, sizeof(line), f)) {
		limit = line_limit(line);
		least = limit < least ? limit : least;
	}
	return least;
}
