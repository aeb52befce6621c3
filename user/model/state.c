/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of each state, as a table. */
#include "model/state.h"

static const struct {
	const char *name; /* in options and labels */
	const char *leaf; /* in the leaf frame, before the system call */
	enum state_class class;
} words[STATE_KINDS] = {
	[STATE_RUNNING] = { "running", NULL, STATE_CLASS_RUN },
	[STATE_RUNNABLE] = { "runnable", "runnable", STATE_CLASS_RUN },
	[STATE_THROTTLED] = { "throttled", "throttled", STATE_CLASS_RUN },
	[STATE_GIL_WAIT] = { "gil wait", "gil wait", STATE_CLASS_GIL },
	[STATE_FUTEX] = { "futex", "futex", STATE_CLASS_WAIT },
	[STATE_SLEEPING] = { "sleeping", "sleep", STATE_CLASS_WAIT },
	[STATE_DISK] = { "disk wait", "disk wait", STATE_CLASS_WAIT },
	[STATE_STOPPED] = { "stopped", "stopped", STATE_CLASS_WAIT },
	[STATE_UNKNOWN] = { "off cpu", "off cpu", STATE_CLASS_WAIT },
};

const char *state_name(enum state_kind kind)
{
	return words[kind < STATE_KINDS ? kind : STATE_UNKNOWN].name;
}

enum state_class state_class(enum state_kind kind)
{
	return words[kind < STATE_KINDS ? kind : STATE_UNKNOWN].class;
}

void state_frame(struct buf *b, const struct state *s)
{
	const char *leaf = words[s->kind < STATE_KINDS ? s->kind : STATE_UNKNOWN].leaf;

	if (!leaf)
		return;
	buf_printf(b, "[%s", leaf);
	if (s->call && (s->kind == STATE_SLEEPING || s->kind == STATE_DISK))
		buf_printf(b, ": %s", s->call);
	buf_char(b, ']');
}

void state_leaf(struct buf *b, const struct state *s)
{
	if (s->kind != STATE_RUNNING)
		buf_str(b, state_name(s->kind));
	else if (s->leaf == LEAF_KERNEL && s->call)
		buf_printf(b, "%s: %s", leaf_name(s->leaf), s->call);
	else if (s->leaf == LEAF_NATIVE && s->module)
		buf_printf(b, "%s: %s", leaf_name(s->leaf), s->module);
	else
		buf_str(b, s->leaf == LEAF_UNKNOWN ? "[kind unknown]" : leaf_name(s->leaf));
}
