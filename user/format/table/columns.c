/* SPDX-License-Identifier: BSD-2-Clause */
#include "format/table/columns.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

void columns_share(struct buf *b, const struct share_interval *s)
{
	char interval[32];

	snprintf(interval, sizeof(interval), "%.2f..%.2f", s->low * 100, s->high * 100);
	buf_printf(b, "%7.2f  %-14s", s->share * 100, interval);
}

static const struct {
	const char *heads, *explained;
} classes[] = {
	[TALLY_WHOLE] = { "", "" },
	[TALLY_STATES] = { "    RUN   WAIT    GIL", "RUN (running or runnable) + WAIT (blocked) + "
						    "GIL (waiting for the GIL)" },
	[TALLY_LEAVES] = { "     PY      C    SYS",
			   "PY (bytecode) + C (native code) + SYS (kernel)" },
};

enum tally_classes columns_classes(const struct profile *p, const struct format_opts *o)
{
	if (!o->states)
		return TALLY_WHOLE;
	if (profile_counts_waits(p))
		return TALLY_STATES;
	return profile_tells_leaves(p) ? TALLY_LEAVES : TALLY_WHOLE;
}

void columns_divide(struct buf *b, enum tally_classes by, const struct tally_entry *e,
		    uint64_t weight)
{
	for (int i = 0; by != TALLY_WHOLE && i < TALLY_CLASSES; i++)
		buf_printf(b, " %6.2f", weight ? 100.0 * e->classes[i] / weight : 0);
}

const char *columns_heads(enum tally_classes by)
{
	return classes[by].heads;
}

/* The weight of samples that are in none of the columns PY, C and SYS. */
static uint64_t unknown_leaves(const struct profile *p)
{
	struct profile_row row;
	uint64_t ret = 0;

	for (size_t pos = 0; profile_each(p, &pos, &row);)
		if (profile_state(p, row.state)->leaf == LEAF_UNKNOWN)
			ret += row.weight;
	return ret;
}

void columns_explain(struct buf *b, enum tally_classes by, const char *of, const struct profile *p)
{
	uint64_t unknown = by == TALLY_LEAVES ? unknown_leaves(p) : 0;

	if (by == TALLY_WHOLE)
		return;
	buf_printf(b, "%s = %s", of, classes[by].explained);
	if (unknown)
		buf_printf(b, " + unknown (%" PRIu64 " sample%s in all)", unknown,
			   unknown == 1 ? "" : "s");
	buf_char(b, '\n');
}

static void show(struct buf *b, const char *s)
{
	utf8_show(b, s, strlen(s));
}

void columns_title(struct buf *b, const struct profile *p)
{
	const struct profile_meta *m = profile_meta(p);
	struct profile_row row;
	uint64_t all = 0;
	size_t n;
	const struct profile_loss *losses = profile_losses(p, &n);

	for (size_t pos = 0; profile_each(p, &pos, &row);)
		all += row.weight;
	show(b, m->host);
	buf_printf(b, ": %" PRIu64 " samples in %.1f s, ", all, m->seconds);
	show(b, m->event);
	buf_printf(b, " at %.0f Hz\n", m->asked_hz);
	for (size_t i = 0; i < n; i++) {
		if (!losses[i].count)
			continue;
		buf_printf(b, "lost %" PRIu64 " sample%s: ", losses[i].count,
			   losses[i].count == 1 ? "" : "s");
		show(b, losses[i].text);
		buf_char(b, '\n');
	}
}
