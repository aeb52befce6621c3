/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *   0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1a2b.slice/
 *                                                  cri-containerd-5f0c...e1.scope
 *   4:memory:/docker/5f0c...e1/init
 *             `in     `name      `a cgroup of the container's own
 *
 * A component of the path names a container if it is 64 hexadecimal digits between a row's prefix and
 * suffix, below a component that begins with the row's `in`. Of containers in a container the
 * innermost counts. With version 1 there is a line for each hierarchy, and an engine may use some only.
 */
#include "proc/cgroup.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* The first row that fits. A scope is systemd's; without one the engine makes cgroups itself. */
static const struct pattern {
	const char *prefix, *suffix;
	const char *in; /* "": anything */
	const char *engine;
} patterns[] = {
	{ "docker-", ".scope", "", "docker" },
	{ "libpod-", ".scope", "", "podman" },
	{ "libpod-", "", "", "podman" },
	{ "cri-containerd-", ".scope", "", "containerd" },
	{ "nerdctl-", ".scope", "", "containerd" },
	{ "crio-", ".scope", "", "cri-o" },
	{ "crio-", "", "", "cri-o" },
	/* systemd's notation PARENT:PREFIX:ID, taken for a name by an engine that uses no systemd. */
	{ "cri-containerd:", "", "", "containerd" },
	{ "crio:", "", "", "cri-o" },
	{ "docker:", "", "", "docker" },
	{ "", "", "docker", "docker" },
	{ "", "", "pod", "kubernetes" },
	{ "", ".scope", "kubepods", "kubernetes" },
	{ "", "", "kubepods", "kubernetes" },
	{ "", "", "k8s.io", "containerd" },
	{ "", "", "default", "containerd" },
	{ "", "", "moby", "docker" },
};

static bool is_id(const char *s)
{
	return strspn(s, "0123456789abcdef") >= CGROUP_ID;
}

/* @name has @len bytes before its slash. */
static bool fits(const struct pattern *p, const char *in, const char *name, size_t len)
{
	size_t prefix = strlen(p->prefix), suffix = strlen(p->suffix);

	return len == prefix + CGROUP_ID + suffix && !memcmp(name, p->prefix, prefix) &&
	       is_id(name + prefix) && !memcmp(name + prefix + CGROUP_ID, p->suffix, suffix) &&
	       !strncmp(in, p->in, strlen(p->in));
}

static bool match(const char *in, const char *name, size_t len, struct cgroup_container *ret)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (!fits(&patterns[i], in, name, len))
			continue;
		memcpy(ret->id, name + strlen(patterns[i].prefix), CGROUP_ID);
		ret->id[CGROUP_ID] = '\0';
		ret->engine = patterns[i].engine;
		return true;
	}
	return false;
}

/* What systemd's notation puts in front of the name is its slice. */
static const char *without_slice(const char *name)
{
	const char *colon = strstr(name, ".slice:");

	return colon ? colon + strlen(".slice:") : name;
}

int cgroup_parse(char *line, struct cgroup_container *ret)
{
	const char *in = "", *name;
	char *path, *rest;
	int found = 0;

	line[strcspn(line, "\n")] = '\0';
	path = strchr(line, ':');
	path = path ? strchr(path + 1, ':') : NULL;
	if (!path || path[1] != '/')
		return 0;
	for (rest = path + 1; (name = strsep(&rest, "/")); in = name) {
		name = without_slice(name);
		if (match(in, name, strlen(name), ret))
			found = 1;
	}
	return found;
}

int cgroup_of(pid_t pid, struct cgroup_container *ret)
{
	_fclose_ FILE *f = NULL;
	_free_ char *line = NULL;
	char path[32];
	size_t size = 0;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	errno = 0;
	while (getline(&line, &size, f) >= 0)
		if (cgroup_parse(line, ret))
			return 1;
	return errno == ENOENT ? -ESRCH : -errno;
}
