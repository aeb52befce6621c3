/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two passes. The first sums up the weight of every frame; the second sums up by bins of time, which takes a
 * number for each bin, so only for the entries that will be shown.
 */
#include "format/table/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/vec.h"

#define NO_SLOT UINT32_MAX

/* Sums for a frame. Item 0 is TALLY_NONE; the item of frame i of struct frames is i + 1. */
struct item {
	uint64_t self, total;
	uint64_t classes[TALLY_CLASSES];
	uint32_t slot;        /* index of its entry */
	uint32_t stamp;       /* the latest row in which it was found */
	bool looked_at, fits; /* does it match the pattern, and is that known? */
};

struct counting {
	const struct tally_opts *o;
	const struct profile *profile;
	struct frames *frames;
	VEC(struct item) items;
	VEC(uint32_t) found; /* items of the current row, each once */
	uint32_t self;       /* the item that gets the row's self weight; NO_SLOT: none */
	uint32_t stamp;
};

struct timing {
	struct counting *c;
	struct tally *t;
	size_t bins;
	uint64_t *of;   /* weight of all rows, by bin */
	uint64_t *seen; /* weight of rows with any frame that counts, by bin */
	uint64_t *hits; /* self and total of each slot, by bin */
};

static void counting_done(struct counting *c)
{
	vec_done(&c->items);
	vec_done(&c->found);
}

static void timing_done(struct timing *t)
{
	free(t->of);
	free(t->hits);
	free(t->seen);
}

void tally_done(struct tally *t)
{
	free(t->entries);
}

/* --- frames that count in a row --------------------------------------------------------------- */

static int add_item(struct counting *c, uint32_t i)
{
	while (c->items.len <= i)
		if (vec_push(&c->items, (struct item){ .slot = NO_SLOT }))
			return -ENOMEM;
	if (c->items.at[i].stamp == c->stamp)
		return 0;
	c->items.at[i].stamp = c->stamp;
	return vec_push(&c->found, i);
}

static bool fits(struct counting *c, uint32_t frame)
{
	struct item *it;

	while (c->items.len <= frame + 1)
		if (vec_push(&c->items, (struct item){ .slot = NO_SLOT }))
			return false;
	it = &c->items.at[frame + 1];
	if (!it->looked_at) {
		const struct frame *f = frames_at(c->frames, frame);

		it->fits = c->o->view == TALLY_FILE ? frame_is_in(f, c->o->pattern)
						    : frame_is_named(f, c->o->pattern);
		it->looked_at = true;
	}
	return it->fits;
}

static int find_all(struct counting *c, const uint32_t *stack, size_t n)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		err = add_item(c, stack[i] + 1);
	if (n)
		c->self = stack[n - 1] + 1;
	return err;
}

static int find_callers(struct counting *c, const uint32_t *stack, size_t n)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		if (fits(c, stack[i]))
			err = add_item(c, i ? stack[i - 1] + 1 : 0);
	return err;
}

static int find_callees(struct counting *c, const uint32_t *stack, size_t n)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		if (fits(c, stack[i]))
			err = add_item(c, i + 1 < n ? stack[i + 1] + 1 : 0);
	if (n > 1 && fits(c, stack[n - 2]))
		c->self = stack[n - 1] + 1;
	else if (n && c->o->itself && fits(c, stack[n - 1]))
		c->self = 0;
	return err;
}

static int find_in_file(struct counting *c, const uint32_t *stack, size_t n)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		if (fits(c, stack[i]))
			err = add_item(c, stack[i] + 1);
	if (n && fits(c, stack[n - 1]))
		c->self = stack[n - 1] + 1;
	return err;
}

static int find(struct counting *c, const struct profile_row *row)
{
	static int (*const views[])(struct counting * c, const uint32_t *stack, size_t n) = {
		[TALLY_ALL] = find_all,
		[TALLY_CALLERS] = find_callers,
		[TALLY_CALLEES] = find_callees,
		[TALLY_FILE] = find_in_file,
	};
	size_t n;
	const uint32_t *stack = frames_of(c->frames, row, &n);

	c->found.len = 0;
	c->self = NO_SLOT;
	c->stamp++;
	return stack ? views[c->o->view](c, stack, n) : -ENOMEM;
}

/* --- the first pass --------------------------------------------------------------------------- */

/* TALLY_CLASSES: none. */
static unsigned int class_of(const struct counting *c, const struct profile_row *row)
{
	const struct state *s = profile_state(c->profile, row->state);

	if (c->o->classes == TALLY_STATES)
		return state_class(s->kind);
	return c->o->classes == TALLY_LEAVES ? (unsigned int)leaf_class(s->leaf) : TALLY_CLASSES;
}

static void weigh_class(struct counting *c, const struct profile_row *row)
{
	unsigned int class = class_of(c, row);
	const uint32_t *i;

	if (class == TALLY_CLASSES)
		return;
	if (c->o->view == TALLY_ALL && c->self != NO_SLOT)
		c->items.at[c->self].classes[class] += row->weight;
	if (c->o->view == TALLY_ALL)
		return;
	vec_each (&c->found, i)
		c->items.at[*i].classes[class] += row->weight;
}

static int weigh(struct counting *c, struct tally *t, const struct profile_row *row)
{
	const uint32_t *i;
	int err = find(c, row);

	if (err)
		return err;
	vec_each (&c->found, i)
		c->items.at[*i].total += row->weight;
	if (c->self != NO_SLOT)
		c->items.at[c->self].self += row->weight;
	weigh_class(c, row);
	t->weight += row->weight;
	t->seen += c->found.len ? row->weight : 0;
	return 0;
}

static int by_total(const void *pa, const void *pb)
{
	const struct tally_entry *a = pa, *b = pb;

	if (a->total != b->total)
		return a->total < b->total ? 1 : -1;
	if (a->self != b->self)
		return a->self < b->self ? 1 : -1;
	return a->frame < b->frame ? -1 : a->frame > b->frame;
}

static int by_self(const void *pa, const void *pb)
{
	const struct tally_entry *a = pa, *b = pb;

	if (a->self != b->self)
		return a->self < b->self ? 1 : -1;
	return by_total(pa, pb);
}

static struct tally_entry entry_of(const struct item *it, uint32_t frame)
{
	struct tally_entry e = { .frame = frame, .self = it->self, .total = it->total };

	memcpy(e.classes, it->classes, sizeof(e.classes));
	return e;
}

/* Sorts the entries, applies the limit, and sets the slots of the entries to be shown. */
static int choose(struct counting *c, struct tally *t)
{
	t->entries = calloc(c->items.len + 1, sizeof(*t->entries));
	if (!t->entries)
		return -ENOMEM;
	for (size_t i = 0; i < c->items.len; i++) {
		const struct item *it = &c->items.at[i];

		if (it->total)
			t->entries[t->all++] = entry_of(it, i - 1);
	}
	qsort(t->entries, t->all, sizeof(*t->entries), c->o->by_total ? by_total : by_self);
	t->n = c->o->limit && c->o->limit < t->all ? c->o->limit : t->all;
	for (size_t i = 0; i < t->n; i++)
		c->items.at[t->entries[i].frame + 1].slot = i;
	return 0;
}

/* --- the second pass -------------------------------------------------------------------------- */

static uint64_t *hits_of(const struct timing *t, uint32_t slot, bool total)
{
	return t->hits + (2 * (size_t)slot + total) * t->bins;
}

static void add_bins(struct timing *t, const struct profile_row *row, uint32_t item, bool total)
{
	uint32_t slot = t->c->items.at[item].slot;
	struct profile_bin bin;

	if (slot == NO_SLOT)
		return;
	for (uint32_t pos = 0; profile_each_bin(t->c->profile, row, &pos, &bin);)
		hits_of(t, slot, total)[bin.bin] += bin.weight;
}

static int time_row(struct timing *t, const struct profile_row *row)
{
	struct profile_bin bin;
	const uint32_t *i;
	int err = find(t->c, row);

	if (err)
		return err;
	for (uint32_t pos = 0; profile_each_bin(t->c->profile, row, &pos, &bin);) {
		t->of[bin.bin] += bin.weight;
		t->seen[bin.bin] += t->c->found.len ? bin.weight : 0;
	}
	vec_each (&t->c->found, i)
		add_bins(t, row, *i, true);
	if (t->c->self != NO_SLOT)
		add_bins(t, row, t->c->self, false);
	return 0;
}

static int time_rows(struct timing *t, const struct profile_row *rows, size_t n)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		err = time_row(t, &rows[i]);
	for (uint32_t i = 0; i < t->t->n; i++) {
		struct tally_entry *e = &t->t->entries[i];

		share_interval(hits_of(t, i, false), t->of, t->bins, &e->self_share);
		share_interval(hits_of(t, i, true), t->of, t->bins, &e->total_share);
	}
	share_interval(t->seen, t->of, t->bins, &t->t->seen_share);
	if (t->c->o->all)
		share_interval(t->of, t->c->o->all, t->bins, &t->t->part_share);
	return err;
}

static int add_times(struct counting *c, struct tally *t, const struct profile_row *rows, size_t n)
{
	_cleanup_(timing_done) struct timing time = { .c = c,
						      .t = t,
						      .bins = profile_bins(c->profile) };

	time.of = calloc(time.bins + 1, sizeof(*time.of));
	time.hits = calloc(2 * t->n * time.bins + 1, sizeof(*time.hits));
	time.seen = calloc(time.bins + 1, sizeof(*time.seen));
	if (!time.of || !time.hits || !time.seen)
		return -ENOMEM;
	return time_rows(&time, rows, n);
}

/* --- both ------------------------------------------------------------------------------------- */

int tally_init(struct tally *t, struct frames *f, const struct profile *p,
	       const struct profile_row *rows, size_t n, const struct tally_opts *o)
{
	_cleanup_(counting_done) struct counting c = { .o = o, .profile = p, .frames = f };
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		err = weigh(&c, t, &rows[i]);
	if (!err)
		err = choose(&c, t);
	return err ? err : add_times(&c, t, rows, n);
}

uint64_t *tally_all(const struct profile *p)
{
	uint64_t *all = calloc(profile_bins(p) + 1, sizeof(*all));
	struct profile_row row;
	struct profile_bin bin;

	for (size_t pos = 0; all && profile_each(p, &pos, &row);)
		for (uint32_t at = 0; profile_each_bin(p, &row, &at, &bin);)
			all[bin.bin] += bin.weight;
	return all;
}
