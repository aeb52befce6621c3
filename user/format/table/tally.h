/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What some rows of a recording say of each function, or of each line: how much of their weight is on it itself and
 * how much is below it, and how sure that is. What of a stack counts is a view:
 *
 *	main > serve > parse > serve > read	all: total main, serve, parse, read; self read
 *						callers of serve: main, parse
 *						callees of serve: parse, read
 *						a file: only frames of that file; self if one is the leaf
 *
 * A frame counts once for each stack, however often it is in it.
 *
 * In a recording that counts waiting threads, a share is also divided by what the thread was doing: SELF where the view
 * is all, TOTAL in the other views, where the wait is often in a callee.
 */
#ifndef KRAIT_FORMAT_TALLY_H
#define KRAIT_FORMAT_TALLY_H

#include "format/frames.h"
#include "model/share.h"

enum tally_view { TALLY_ALL, TALLY_CALLERS, TALLY_CALLEES, TALLY_FILE };

struct tally_opts {
	enum tally_view view;
	const char *pattern; /* of the function or file */
	bool by_total;       /* order; else by self */
	size_t limit;        /* entries, 0: all */
	const uint64_t *all; /* of what the rows are a part, by bin; NULL: of nothing */
	bool itself;         /* in TALLY_CALLEES: what a function does itself has a self */
};

struct tally_entry {
	uint32_t frame; /* for frames_at(); TALLY_NONE: there is no caller, no callee */
	uint64_t self, total;
	uint64_t classes[STATE_CLASSES]; /* of self in TALLY_ALL, of total in the other views */
	struct share_interval self_share, total_share;
};
#define TALLY_NONE UINT32_MAX

struct tally {
	struct tally_entry *entries; /* the heaviest first */
	size_t n;
	size_t all;                       /* entries without the limit */
	uint64_t weight;                  /* of all rows */
	uint64_t seen;                    /* of rows in which something counts */
	struct share_interval seen_share; /* of the rows */
	struct share_interval part_share; /* the rows' of @all */
};

/* 0 or -ENOMEM; tally_done() in both cases. @t is zeroed. */
int tally_init(struct tally *t, struct frames *f, const struct profile *p,
	       const struct profile_row *rows, size_t n, const struct tally_opts *o);
void tally_done(struct tally *t);
/* The weight of all rows of @p in each of its bins, for tally_opts. The caller frees; NULL: out of memory. */
uint64_t *tally_all(const struct profile *p);

#endif
