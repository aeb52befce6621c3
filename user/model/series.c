/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cells of all rows are in one array; a row's list head is the index of its first cell. When the width
 * doubles, two neighbouring cells of a list may fall into one bin. The first of them takes the weight of the
 * second, so the heads that callers keep stay valid, and the second goes to a free list.
 */
#include "model/series.h"

#include <errno.h>
#include <stdlib.h>

#include "base/vec.h"

struct cell {
	uint32_t before; /* the row's next earlier cell; in a free cell, the next free one */
	uint32_t bin;
	uint64_t weight; /* 0: free */
};

struct series {
	VEC(struct cell) cells; /* the first one is unused: index 0 means none */
	uint32_t free;
	uint32_t max, bin, bins;
	uint64_t bin_ns;
	bool frozen;
};

struct series *series_new(uint64_t bin_ns, uint32_t max)
{
	struct series *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->bin_ns = bin_ns;
	s->max = max;
	s->bins = 1;
	if (!vec_push(&s->cells, (struct cell){}))
		return s;
	free(s);
	return NULL;
}

void series_free(struct series *s)
{
	if (!s)
		return;
	vec_done(&s->cells);
	free(s);
}

/* Merges the next earlier cell, which now has the same bin, into @c. */
static void swallow(struct series *s, struct cell *c)
{
	uint32_t gone = c->before;
	struct cell *before = &s->cells.at[gone];

	c->weight += before->weight;
	c->before = before->before;
	*before = (struct cell){ .before = s->free };
	s->free = gone;
}

/*
 * Renumbers the bins of all cells, then merges cells that now share a bin. At most two cells of a row can
 * share one, so one pass is enough; it skips merged cells, which are free and have weight 0.
 */
static void widen(struct series *s)
{
	struct cell *c;

	s->bin_ns *= 2;
	s->bins = (s->bins + 1) / 2;
	vec_each (&s->cells, c)
		c->bin /= 2;
	for (uint32_t i = 1; i < s->cells.len; i++) {
		c = &s->cells.at[i];
		if (c->weight && c->before && s->cells.at[c->before].bin == c->bin)
			swallow(s, c);
	}
}

void series_set_time(struct series *s, uint64_t ns)
{
	while (ns / s->bin_ns >= s->max)
		widen(s);
	s->bin = ns / s->bin_ns;
	if (s->bin >= s->bins)
		s->bins = s->bin + 1;
}

static uint32_t new_cell(struct series *s, const struct cell *cell)
{
	uint32_t i = s->free;

	if (i) {
		s->free = s->cells.at[i].before;
		s->cells.at[i] = *cell;
		return i;
	}
	if (s->cells.len == UINT32_MAX || vec_push(&s->cells, *cell))
		return 0;
	return s->cells.len - 1;
}

int series_add(struct series *s, uint32_t *row, uint64_t weight)
{
	uint32_t after = 0, at = *row, made;

	if (!weight)
		return 0;
	while (at && s->cells.at[at].bin > s->bin) {
		after = at;
		at = s->cells.at[at].before;
	}
	if (at && s->cells.at[at].bin == s->bin) {
		s->cells.at[at].weight += weight;
		return 0;
	}
	if (s->frozen && (at || after)) {
		s->cells.at[at ? at : after].weight += weight;
		return 0;
	}
	made = new_cell(s, &(struct cell){ .before = at, .bin = s->bin, .weight = weight });
	if (!made)
		return -ENOMEM;
	if (after)
		s->cells.at[after].before = made;
	else
		*row = made;
	return 0;
}

void series_freeze(struct series *s)
{
	s->frozen = true;
}

size_t series_bytes(const struct series *s)
{
	return s->cells.len * sizeof(*s->cells.at);
}

uint64_t series_bin_ns(const struct series *s)
{
	return s->bin_ns;
}

uint32_t series_bins(const struct series *s)
{
	return s->bins;
}

bool series_each(const struct series *s, uint32_t row, uint32_t *pos, uint32_t *bin,
		 uint64_t *weight)
{
	const struct cell *c;

	if (!*pos)
		*pos = row;
	if (!*pos || *pos == UINT32_MAX)
		return false;
	c = &s->cells.at[*pos];
	*bin = c->bin;
	*weight = c->weight;
	*pos = c->before ? c->before : UINT32_MAX;
	return true;
}
