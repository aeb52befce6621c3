/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose is a process? The engines name a container's cgroup after its id, Kubernetes a pod's after the
 * pod's, and systemd one after each unit: the path of the cgroup tells, without asking any engine.
 */
#ifndef KRAIT_CGROUP_H
#define KRAIT_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum {
	CGROUP_ID = 64,    /* hexadecimal digits; people are shown the first 12 */
	CGROUP_NAME = 255, /* bytes of a component of a path */
	CGROUP_POD = 36,
};

/* What is "" is not said by the path. */
struct cgroup_place {
	char id[CGROUP_NAME +
		1];         /* of the innermost container: digits, or the name (LXC, nspawn) */
	const char *engine; /* a constant: "docker", "kubernetes" where only that is known; NULL:
				      in no container */
	char pod[CGROUP_POD + 1];   /* its uid, with dashes */
	char unit[CGROUP_NAME + 1]; /* the innermost of systemd: "nginx.service" */
};

/* The path of a cgroup from the root of its hierarchy. Pure. */
void cgroup_place(const char *path, struct cgroup_place *ret);
/*
 * The path in one line of /proc/PID/cgroup ("4:memory:/path"), which is cut at its end, and *@ret_at
 * the controllers ("memory", "name=systemd", "" version 2). NULL: it is no such line. Pure.
 */
const char *cgroup_line(char *line, const char **ret_at);
/* Is a component of @path called @name? */
bool cgroup_below(const char *path, const char *name);

/*
 * What /proc/PID/cgroup holds: of the hierarchies the first that knows a container, else that knows a
 * unit. 0 or -errno (-ESRCH: the process is gone).
 */
int cgroup_read(FILE *f, struct cgroup_place *ret);
int cgroup_of(pid_t pid, struct cgroup_place *ret);

#endif
