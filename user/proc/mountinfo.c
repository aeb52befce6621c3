/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 *	ID PARENT DEV ROOT AT OPTIONS [TAG...]    - TYPE SOURCE    OPTIONS
 *
 * Spaces separate the fields; within a field a space is written as \040.
 */
#include "proc/mountinfo.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

bool mountinfo_parse(char *line, struct mount *ret)
{
	enum { DEV = 2, ROOT, AT, FIELDS };
	char *field[FIELDS] = {}, *rest = line;
	unsigned int major, minor;

	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < FIELDS; i++) {
		field[i] = strsep(&rest, " ");
		if (!rest)
			return false;
	}
	rest = strstr(rest, " - ");
	if (!rest || sscanf(field[DEV], "%u:%u", &major, &minor) != 2)
		return false;
	rest += strlen(" - ");
	*ret = (struct mount){ .dev = makedev(major, minor), .root = field[ROOT], .at = field[AT] };
	ret->type = strsep(&rest, " ");
	strsep(&rest, " "); /* the source, which may be empty */
	ret->options = rest;
	return rest;
}
