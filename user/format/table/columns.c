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

const char columns_class_heads[] = "    RUN   WAIT    GIL";

void columns_classes(struct buf *b, const struct tally_entry *e, uint64_t weight)
{
	for (int i = 0; i < STATE_CLASSES; i++)
		buf_printf(b, " %6.2f", weight ? 100.0 * e->classes[i] / weight : 0);
}

bool columns_have_classes(const struct profile *p, const struct format_opts *o)
{
	return o->states && profile_counts_waits(p);
}

void columns_explain_classes(struct buf *b, const char *of)
{
	buf_printf(b,
		   "%s = RUN (running or runnable) + WAIT (blocked) + GIL (waiting for the GIL)\n",
		   of);
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
