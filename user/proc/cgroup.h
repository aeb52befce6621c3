/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which container is a process in? The engines name a container's cgroup after its id, so the path of
 * the cgroup tells, without asking any engine.
 */
#ifndef KRAIT_CGROUP_H
#define KRAIT_CGROUP_H

#include <sys/types.h>

enum { CGROUP_ID = 64 };

struct cgroup_container {
	char id[CGROUP_ID + 1]; /* hexadecimal; people are shown the first 12 digits */
	const char *engine; /* a constant: "docker", "kubernetes" where only that is known, ... */
};

/* 1: filled, 0: in no container that is known by its path, -errno (-ESRCH: the process is gone). */
int cgroup_of(pid_t pid, struct cgroup_container *ret);
/* The same for one line of /proc/PID/cgroup ("4:memory:/path"), which is cut. Pure; 0 or 1. */
int cgroup_parse(char *line, struct cgroup_container *ret);

#endif
