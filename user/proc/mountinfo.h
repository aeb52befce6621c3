/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses a line of /proc/PID/mountinfo. */
#ifndef KRAIT_MOUNTINFO_H
#define KRAIT_MOUNTINFO_H

#include <stdbool.h>
#include <stdint.h>

/* Strings point into the line and keep the kernel's escapes (a space is \040). */
struct mount {
	uint64_t dev;
	const char *root;    /* the mounted directory within the file system */
	const char *at;      /* the mount point */
	const char *type;    /* "ext4" */
	const char *options; /* the file system's, not the mount's */
};

/* Modifies the line, which may end with a newline. False: malformed. Pure. */
bool mountinfo_parse(char *line, struct mount *ret);

#endif
