/* SPDX-License-Identifier: BSD-2-Clause */
/* A line of /proc/PID/mountinfo: what is mounted where. */
#ifndef KRAIT_MOUNTINFO_H
#define KRAIT_MOUNTINFO_H

#include <stdbool.h>
#include <stdint.h>

/* Texts as the kernel writes them, a space as \040; they lie in the line. */
struct mount {
	uint64_t dev;
	const char *root;    /* what of the file system is mounted */
	const char *at;      /* the mount point */
	const char *type;    /* "ext4" */
	const char *options; /* of the file system, not of the mount */
};

/* The line is cut (a newline may end it). False: it is none. Pure. */
bool mountinfo_parse(char *line, struct mount *ret);

#endif
