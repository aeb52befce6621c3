/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of a recording by what its options group them by: one group for each text that
 * the dimensions make, the heaviest first, and one group of all rows where there is no dimension.
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

/* @g is zeroed; @n is of the recording that @p is (a part of). 0 or -ENOMEM; groups_done() in both cases. */
int groups_init(struct groups *g, const struct profile *p, const struct names *n,
		const struct format_opts *o);
void groups_done(struct groups *g);

#endif
