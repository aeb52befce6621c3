/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Divides the rows of a recording into groups by the dimensions of the options: one group for each distinct
 * text of the dimensions, the heaviest group first. Without dimensions all rows are one group.
 */
#ifndef KRAIT_FORMAT_GROUPS_H
#define KRAIT_FORMAT_GROUPS_H

#include "format/format.h"
#include "format/names.h"

struct group {
	const char *name; /* "web-41", "web-41 worker-44"; "all" */
	uint64_t weight;
	size_t from, to; /* rows[from..to - 1] */
};

struct groups {
	struct group *at;
	size_t len;
	struct profile_row *rows;
	struct strpool *names;
};

/*
 * @g must be zeroed; @n: names of the recording that @p is, or is a part of. 0 or -ENOMEM; groups_done() in any
 * case.
 */
int groups_init(struct groups *g, const struct profile *p, const struct names *n,
		const struct format_opts *o);
void groups_done(struct groups *g);

#endif
