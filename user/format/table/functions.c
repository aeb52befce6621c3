/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For each group a table of its functions or lines, with shares and confidence intervals. A share is relative to
 * the samples of the group; the group's own share is relative to all samples.
 */
#include "format/table/functions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "format/groups.h"
#include "format/label.h"
#include "format/stream.h"
#include "format/table/columns.h"

static void show(struct buf *b, const char *s)
{
	utf8_show(b, s, strlen(s));
}

/* --- a group ---------------------------------------------------------------------------------- */

struct table {
	const struct profile *profile;
	const struct format_opts *o;
	struct tally_opts tally;
	struct format_opts frame_opts; /* what is counted: functions or lines */
	struct frames *frames;
	struct groups groups;
	uint64_t *all;              /* all samples, by bin */
	enum tally_classes classes; /* the columns that divide a share */
	bool narrow;                /* hide the interval of TOTAL, as the terminal is too narrow */
	bool seen;                  /* some group has a matching sample */
	struct buf *b;
};

static void table_done(struct table *t)
{
	frames_free(t->frames);
	groups_done(&t->groups);
	free(t->all);
}

enum { LEAST_NAME = 20 };

/* Width of everything before the name, in characters. */
static size_t indent_of(const struct table *t, bool narrow)
{
	enum { SHARE = 24, INTERVAL = 16, CLASSES = 21 };
	size_t shares = t->tally.view == TALLY_CALLERS ? SHARE : 2 * SHARE;

	return shares + (t->classes ? CLASSES : 0) - (narrow ? INTERVAL : 0);
}

static size_t indent(const struct table *t)
{
	return indent_of(t, t->narrow);
}

/* Width of the name in characters; 0: unlimited. */
static size_t name_width(const struct table *t)
{
	size_t before = indent(t);

	if (!t->o->width)
		return 0;
	return t->o->width > before + LEAST_NAME ? t->o->width - before : LEAST_NAME;
}

static void add_name(struct table *t, uint32_t frame)
{
	_cleanup_(buf_done) struct buf clean = {}, shown = {};

	if (frame == TALLY_NONE)
		buf_str(&clean, t->tally.view == TALLY_CALLERS ? "(no caller)" : "(itself)");
	else
		label_frame(&clean, frames_at(t->frames, frame), &t->frame_opts,
			    frames_names(t->frames));
	utf8_show(&shown, clean.data ? clean.data : "", clean.len);
	buf_add(t->b, shown.data ? shown.data : "", utf8_bytes(shown.data, name_width(t)));
}

static const char *const last_heading[] = {
	[TALLY_ALL] = "FUNCTION",
	[TALLY_CALLERS] = "CALLED BY",
	[TALLY_CALLEES] = "CALLS",
};

/* The columns of classes are placed after the share that they divide. */
static void add_entry(struct table *t, const struct tally *tally, const struct tally_entry *e)
{
	bool of_self = t->tally.view == TALLY_ALL;

	if (t->tally.view != TALLY_CALLERS) {
		columns_share(t->b, &e->self_share);
		if (of_self)
			columns_divide(t->b, t->classes, e, tally->weight);
		buf_str(t->b, " ");
	}
	if (t->narrow)
		buf_printf(t->b, "%7.2f", e->total_share.share * 100);
	else
		columns_share(t->b, &e->total_share);
	if (!of_self)
		columns_divide(t->b, t->classes, e, tally->weight);
	buf_str(t->b, " ");
	add_name(t, e->frame);
	buf_char(t->b, '\n');
}

static void add_heading(struct table *t)
{
	bool of_self = t->tally.view == TALLY_ALL;
	const char *classes = columns_heads(t->classes);

	if (t->tally.view != TALLY_CALLERS)
		buf_printf(t->b, "%7s  %-14s%s ", "SELF %", "95 % INTERVAL",
			   of_self ? classes : "");
	buf_printf(t->b, "%7s", "TOTAL %");
	if (!t->narrow)
		buf_printf(t->b, "  %-14s", "95 % INTERVAL");
	buf_printf(t->b, "%s %s\n", of_self ? "" : classes, last_heading[t->tally.view]);
}

static void add_interval(struct buf *b, const struct share_interval *s)
{
	buf_printf(b, " (%.2f..%.2f)", s->low * 100, s->high * 100);
}

static void add_group_head(struct table *t, const struct group *g, const struct tally *tally)
{
	buf_char(t->b, '\n');
	show(t->b, g->name);
	buf_printf(t->b, ": %" PRIu64 " samples, %.2f %%", g->weight,
		   tally->part_share.share * 100);
	if (t->groups.len > 1)
		add_interval(t->b, &tally->part_share);
	buf_str(t->b, " of all\n");
	if (t->tally.view != TALLY_ALL) {
		show(t->b, t->tally.pattern);
		buf_printf(t->b, " is in %.2f %%", tally->seen_share.share * 100);
		add_interval(t->b, &tally->seen_share);
		buf_str(t->b, " of them\n");
	}
	add_heading(t);
}

static void add_rest(struct table *t, const struct tally *tally)
{
	if (tally->n == tally->all)
		return;
	buf_printf(t->b, "and %zu more; ", tally->all - tally->n);
	if (t->o->live)
		buf_str(t->b, "to see them, record with -o NAME.krait and run krait report ");
	buf_printf(t->b, "--limit %zu%s\n", tally->all, t->o->live ? "" : " shows them");
}

static int add_group(struct table *t, const struct group *g)
{
	_cleanup_(tally_done) struct tally tally = {};
	int err = tally_init(&tally, t->frames, t->profile, t->groups.rows + g->from,
			     g->to - g->from, &t->tally);

	if (err || (t->tally.view != TALLY_ALL && !tally.seen))
		return err;
	t->seen = true;
	add_group_head(t, g, &tally);
	for (size_t i = 0; i < tally.n; i++)
		add_entry(t, &tally, &tally.entries[i]);
	add_rest(t, &tally);
	return 0;
}

/* --- the whole table -------------------------------------------------------------------------- */

static void set_view(struct table *t)
{
	const struct format_opts *o = t->o;

	t->tally = (struct tally_opts){ .by_total = o->by_total || o->callers, .limit = o->limit };
	if (o->callers)
		t->tally.view = TALLY_CALLERS;
	else if (o->callees)
		t->tally.view = TALLY_CALLEES;
	t->tally.pattern = o->callers ? o->callers : o->callees;
	t->frame_opts = *o;
	t->frame_opts.lines = o->by_line;
	t->frame_opts.states = o->states && o->state_rows;
	if (!o->grouped)
		t->frame_opts.ndims = 0;
}

static bool groups_tell(const struct format_opts *o, enum dim dim)
{
	for (size_t i = 0; o->grouped && i < o->ndims; i++)
		if (o->dims[i] == dim)
			return true;
	return false;
}

/* Omits columns that say what rows or groups show already. */
static bool is_told(const struct table *t, enum tally_classes by)
{
	if (by == TALLY_STATES)
		return t->o->state_rows || groups_tell(t->o, DIM_STATE);
	return groups_tell(t->o, DIM_KIND);
}

/* Is the terminal too narrow for the columns of classes, even without the interval of TOTAL? */
static bool lacks_room(const struct table *t)
{
	return t->o->width &&
	       t->o->width < indent_of(t, t->tally.view != TALLY_CALLERS) + LEAST_NAME;
}

static void set_columns(struct table *t)
{
	enum { NAME = 24 };

	t->classes = columns_classes(t->profile, t->o);
	if (is_told(t, t->classes))
		t->classes = TALLY_WHOLE;
	if (t->classes == TALLY_LEAVES && lacks_room(t))
		t->classes = TALLY_WHOLE;
	t->tally.classes = t->classes;
	t->tally.itself = t->classes == TALLY_STATES;
	t->narrow = t->classes && t->tally.view != TALLY_CALLERS && t->o->width &&
		    t->o->width < indent(t) + NAME;
}

static int add_groups(struct table *t, FILE *to)
{
	int err = 0;

	for (size_t i = 0; !err && i < t->groups.len; i++) {
		err = add_group(t, &t->groups.at[i]);
		if (!err)
			err = stream_put(t->b, to, false);
	}
	return err;
}

int functions_write(const struct profile *p, const struct stacks *s, const struct format_opts *o,
		    FILE *to, struct buf *b, struct err *err)
{
	_cleanup_(table_done) struct table t = { .profile = p, .o = o, .b = b };
	int code;

	set_view(&t);
	set_columns(&t);
	columns_title(b, p);
	columns_explain(b, t.classes, t.tally.view == TALLY_ALL ? "SELF" : "TOTAL", p);
	t.frames = frames_new(p, s, &t.frame_opts);
	t.tally.all = t.all = tally_all(p);
	code = t.frames && t.all ? groups_init(&t.groups, p, frames_names(t.frames), &t.frame_opts)
				 : -ENOMEM;
	if (!code)
		code = add_groups(&t, to);
	if (code || t.seen || t.tally.view == TALLY_ALL)
		return code;
	return err_set(err, -ENODATA,
		       "%s: '%s': no samples in such a function; 'krait report --limit 0' lists "
		       "the functions%s",
		       o->callers ? "--callers" : "--callees", t.tally.pattern,
		       t.classes == TALLY_STATES ? ", and --states lists what threads wait for"
						 : "");
}
