/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the container, pod and systemd unit of a process from its cgroup path, without asking any
 * engine: engines name cgroups after container ids, Kubernetes after pod uids, systemd after units.
 */
#ifndef KRAIT_CGROUP_H
#define KRAIT_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum {
	CGROUP_ID = 64,    /* hexadecimal digits; reports show the first 12 */
	CGROUP_NAME = 255, /* bytes in a path component */
	CGROUP_POD = 36,
};

/* Fields that the path does not tell are "". */
struct cgroup_place {
	char id[CGROUP_NAME +
		1];         /* of the innermost container: digits, or the name (LXC, nspawn) */
	const char *engine; /* a constant: "docker", ..., "kubernetes" if only that is known; NULL:
				      not in a container */
	char pod[CGROUP_POD + 1];   /* uid of the pod, with dashes */
	char unit[CGROUP_NAME + 1]; /* innermost systemd unit: "nginx.service" */
};

/* @path is a cgroup's path from the root of its hierarchy. Pure. */
void cgroup_place(const char *path, struct cgroup_place *ret);
/*
 * Returns the path in one line of /proc/PID/cgroup ("4:memory:/path"), and in *@ret_at the
 * controllers ("memory", "name=systemd", "" for version 2). Modifies the line. NULL: malformed.
 * Pure.
 */
const char *cgroup_line(char *line, const char **ret_at);
/* True if @path has the component @name (or consecutive components, "a/b"). */
bool cgroup_below(const char *path, const char *name);

/*
 * Reads /proc/PID/cgroup. Uses the first hierarchy whose path names a container, or else the first
 * that names a unit. 0 or -errno (-ESRCH: the process is gone).
 */
int cgroup_read(FILE *f, struct cgroup_place *ret);
int cgroup_of(pid_t pid, struct cgroup_place *ret);

#endif
