/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self and total weight of each function or line in some rows of a recording, with confidence intervals. A view
 * determines which frames of a stack count:
 *
 *	main > serve > parse > serve > read	all: total main, serve, parse, read; self read
 *						callers of serve: main, parse
 *						callees of serve: parse, read
 *						a file: only frames of that file; self if one is the leaf
 *
 * A frame counts once per stack, even if it occurs several times (recursion).
 *
 * Weights are also divided by thread state, or by the kind of code that ran: SELF in the view "all", TOTAL in the
 * other views, because there a thread often waits in a callee.
 */
#ifndef KRAIT_FORMAT_TALLY_H
#define KRAIT_FORMAT_TALLY_H

#include "format/frames.h"
#include "model/share.h"

enum tally_view { TALLY_ALL, TALLY_CALLERS, TALLY_CALLEES, TALLY_FILE };

/* What divides weights, each into TALLY_CLASSES: nothing, enum state_class or enum leaf_class. */
enum tally_classes { TALLY_WHOLE, TALLY_STATES, TALLY_LEAVES };
enum { TALLY_CLASSES = 3 };
_Static_assert(TALLY_CLASSES == (int)STATE_CLASSES && TALLY_CLASSES == (int)LEAF_CLASSES,
	       "columns");

struct tally_opts {
	enum tally_view view;
	const char *pattern; /* matches the function or file of the view */
	bool by_total;       /* sort by total; else by self */
	size_t limit;        /* entries, 0: all */
	const uint64_t *all; /* tally_all(), for part_share; NULL: not needed */
	enum tally_classes classes;
	bool itself; /* in TALLY_CALLEES: count the function's own samples as self of TALLY_NONE */
};

struct tally_entry {
	uint32_t frame; /* for frames_at(); TALLY_NONE: no caller, no callee */
	uint64_t self, total;
	uint64_t classes[TALLY_CLASSES]; /* of self in TALLY_ALL, else of total */
	struct share_interval self_share, total_share;
};
#define TALLY_NONE UINT32_MAX

struct tally {
	struct tally_entry *entries; /* heaviest first */
	size_t n;
	size_t all;                       /* number of entries without the limit */
	uint64_t weight;                  /* weight of all rows */
	uint64_t seen;                    /* weight of rows with any frame that counts */
	struct share_interval seen_share; /* share of these in the rows */
	struct share_interval part_share; /* share of the rows in tally_opts.all */
};

/* @t must be zeroed. 0 or -ENOMEM; tally_done() in any case. */
int tally_init(struct tally *t, struct frames *f, const struct profile *p,
	       const struct profile_row *rows, size_t n, const struct tally_opts *o);
void tally_done(struct tally *t);
/* The weight of all rows of @p in each of its bins, for tally_opts. The caller frees; NULL: out of memory. */
uint64_t *tally_all(const struct profile *p);

#endif
