/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many rows have the same thread and state, and hence the same group. So a group is looked up by thread and
 * state first; its text is made only once for each pair.
 */
#include "format/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "format/label.h"

#define NO_GROUP UINT32_MAX

struct root_key {
	uint32_t thread;
	uint32_t state;
};

struct making {
	struct groups *g;
	const struct profile *profile;
	const struct names *names;
	const struct format_opts *opts;
	struct hmap *by_root; /* struct root_key -> u32 */
	struct hmap *by_name; /* string id -> u32 */
	uint32_t *group_of;   /* by row */
};

static void making_done(struct making *m)
{
	hmap_free(m->by_root);
	hmap_free(m->by_name);
	free(m->group_of);
}

void groups_done(struct groups *g)
{
	free(g->at);
	free(g->rows);
	strpool_free(g->names);
}

static uint32_t name_of(const struct making *m, const struct profile_row *row)
{
	_cleanup_(buf_done) struct buf name = {};

	for (size_t i = 0; i < m->opts->ndims; i++) {
		buf_str(&name, i ? " " : "");
		label_root(&name, m->profile, row, m->opts->dims[i], m->names);
	}
	if (!m->opts->ndims)
		buf_str(&name, "all");
	return name.err ? NO_GROUP : strpool_add(m->g->names, name.data, name.len);
}

static uint32_t add_group(struct groups *g, const char *name)
{
	struct group *more = reallocarray(g->at, g->len + 1, sizeof(*more));

	if (!more)
		return NO_GROUP;
	g->at = more;
	more[g->len] = (struct group){ .name = name };
	return g->len++;
}

static uint32_t make_group(struct making *m, const struct profile_row *row)
{
	uint32_t name = name_of(m, row), *id;
	bool fresh;

	id = name == NO_GROUP ? NULL : hmap_put(m->by_name, &name, &fresh);
	if (!id)
		return NO_GROUP;
	if (fresh)
		*id = add_group(m->g, strpool_str(m->g->names, name));
	return *id;
}

static uint32_t group_of(struct making *m, const struct profile_row *row)
{
	const struct root_key key = { row->thread, row->state };
	uint32_t *known, group;

	known = hmap_get(m->by_root, &key);
	if (known)
		return *known;
	group = make_group(m, row);
	known = group == NO_GROUP ? NULL : hmap_put(m->by_root, &key, NULL);
	return known ? *known = group : NO_GROUP;
}

/* Heaviest first, then by name, so that the order is deterministic. */
static int by_weight(const void *pa, const void *pb)
{
	const struct group *const *a = pa, *const *b = pb;

	if ((*a)->weight != (*b)->weight)
		return (*a)->weight < (*b)->weight ? 1 : -1;
	return strcmp((*a)->name, (*b)->name);
}

/* Assigns rows to groups; sums up the weight of each group and, in its @to, the number of rows. */
static int assign(struct making *m)
{
	struct profile_row row;
	size_t i = 0;

	for (size_t pos = 0; profile_each(m->profile, &pos, &row); i++) {
		uint32_t group = group_of(m, &row);

		if (group == NO_GROUP)
			return -ENOMEM;
		m->group_of[i] = group;
		m->g->at[group].to++;
		m->g->at[group].weight += row.weight;
	}
	return 0;
}

/* Sorts the groups and gives each its range of rows; @rank: the new index of each group. */
static int sort_groups(struct making *m, uint32_t *rank)
{
	struct groups *g = m->g;
	_free_ const struct group **order = calloc(g->len + 1, sizeof(struct group *));
	struct group *sorted = calloc(g->len + 1, sizeof(*sorted));
	size_t at = 0;

	if (!order || !sorted) {
		free(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < g->len; i++)
		order[i] = &g->at[i];
	qsort(order, g->len, sizeof(struct group *), by_weight);
	for (size_t i = 0; i < g->len; i++) {
		sorted[i] = *order[i];
		sorted[i].from = sorted[i].to = at;
		at += order[i]->to;
		rank[order[i] - g->at] = i;
	}
	free(g->at);
	g->at = sorted;
	return 0;
}

static int place_rows(struct making *m)
{
	_free_ uint32_t *rank = calloc(m->g->len + 1, sizeof(*rank));
	struct profile_row row;
	int err = rank ? sort_groups(m, rank) : -ENOMEM;

	for (size_t pos = 0, i = 0; !err && profile_each(m->profile, &pos, &row); i++)
		m->g->rows[m->g->at[rank[m->group_of[i]]].to++] = row;
	return err;
}

int groups_init(struct groups *g, const struct profile *p, const struct names *n,
		const struct format_opts *o)
{
	_cleanup_(making_done) struct making m = { .g = g, .profile = p, .names = n, .opts = o };
	int err;

	g->names = strpool_new();
	g->rows = calloc(profile_rows(p) + 1, sizeof(*g->rows));
	m.by_root = hmap_new(sizeof(struct root_key), sizeof(uint32_t));
	m.by_name = hmap_new(sizeof(uint32_t), sizeof(uint32_t));
	m.group_of = calloc(profile_rows(p) + 1, sizeof(*m.group_of));
	if (!g->names || !g->rows || !m.by_root || !m.by_name || !m.group_of)
		return -ENOMEM;
	err = assign(&m);
	return err ? err : place_rows(&m);
}
