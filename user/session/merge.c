/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	native, leaf first    PASSED           out, leaf first
 *	list_sort             0                list_sort
 *	loop                  2                f, g          Python frames 0 and 1
 *	object_call           2                object_call
 *	loop                  3                main          Python frame 2
 *	Py_RunMain            3                -             starts the interpreter
 *
 * Before 3.10 there is no PASSED: each C frame of the loop has one Python frame. They are counted from
 * the root, because the innermost C frame of the loop may be just entered or left, and has none then. So
 * the native stack must be whole; if it is not, or if there are too few C frames of the loop, only the
 * Python frames are shown.
 */
#include "session/merge.h"

#include <errno.h>

#include "bpf/native.h"

struct merging {
	const struct merge *m;
	const struct merge_ops *ops;
	merge_frames *out;
	size_t next;  /* Python frame */
	size_t extra; /* C frames of the loop without Python frames, at the leaf (by code) */
	uint32_t end;
};

static size_t functions(const struct merge *m)
{
	return m->pythons - m->marks;
}

static bool is_reason(uint64_t native)
{
	return (native & NATIVE_FRAME_ABSOLUTE) && !(native & NATIVE_FRAME_LOOP) &&
	       (native & NATIVE_FRAME_WHERE) < NATIVE_END_KINDS;
}

/* Adds the Python frames up to number @to. */
static int add_python(struct merging *g, size_t to)
{
	int err = 0;

	while (!err && g->next < to && g->next < g->m->pythons)
		err = vec_push(g->out, g->m->python[g->next++]);
	return err;
}

static int add_marker(struct merging *g, uint32_t end)
{
	uint32_t marker = g->ops->marker(g->ops->ctx, end);

	g->end = g->end ? g->end : end;
	/* The same reason twice in a row is one. */
	if (g->out->len && g->out->at[g->out->len - 1] == marker)
		return 0;
	return vec_push(g->out, marker);
}

static int add_native(struct merging *g, uint64_t native)
{
	enum merge_look look;
	uint32_t frame;

	if (is_reason(native))
		return add_marker(g, native & NATIVE_FRAME_WHERE);
	if (native & NATIVE_FRAME_ABSOLUTE)
		return 0; /* the reason that follows stands for it */
	look = g->ops->look(g->ops->ctx, native, &frame);
	if (look == MERGE_LOOP || (look == MERGE_HIDE && !g->m->all))
		return 0;
	return vec_push(g->out, frame);
}

/* --- which C frame has which Python frames ------------------------------------------------------ */

/* Adds what this C frame stands for. */
static int take(struct merging *g, uint64_t native)
{
	size_t passed = native >> NATIVE_FRAME_PASSED & 0x1fff;

	if (!(native & NATIVE_FRAME_LOOP))
		return add_native(g, native);
	if (!g->m->by_code)
		return add_python(g, passed < functions(g->m) ? passed : functions(g->m));
	if (g->extra) {
		g->extra--;
		return 0;
	}
	return add_python(g, g->next < functions(g->m) ? g->next + 1 : g->next);
}

static size_t count_loops(const struct merge *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->natives; i++)
		n += !!(m->native[i] & NATIVE_FRAME_LOOP);
	return n;
}

static bool is_whole(const struct merge *m)
{
	for (size_t i = 0; i < m->natives; i++)
		if (is_reason(m->native[i]))
			return false;
	return true;
}

/* Why the two cannot be merged: an enum native_end; 0: they can. */
static uint32_t refusal(struct merging *g)
{
	const struct merge *m = g->m;
	size_t loops = count_loops(m), n = functions(m);

	if (!n)
		return 0;
	if (!m->by_code)
		return loops || !is_whole(m) ? 0 : NATIVE_UNMATCHED;
	if (!is_whole(m) || m->marks || loops < n || loops > n + 1) {
		for (size_t i = 0; i < m->natives; i++)
			if (is_reason(m->native[i]))
				return m->native[i] & NATIVE_FRAME_WHERE;
		return NATIVE_UNMATCHED;
	}
	g->extra = loops - n;
	return 0;
}

/* One past the last native frame to show: those behind it start the interpreter. */
static size_t outermost(const struct merge *m)
{
	size_t i = m->natives;

	if (m->all || !functions(m) || m->marks || !is_whole(m))
		return i;
	while (i && !(m->native[i - 1] & NATIVE_FRAME_LOOP))
		i--;
	return i ? i : m->natives;
}

int merge_stacks(const struct merge *m, const struct merge_ops *ops, merge_frames *out,
		 uint32_t *ret_end)
{
	struct merging g = { .m = m, .ops = ops, .out = out };
	uint32_t why;
	int err = 0;

	out->len = 0;
	why = refusal(&g);
	if (why)
		err = add_marker(&g, why);
	for (size_t i = 0, n = outermost(m); !err && !why && i < n; i++)
		err = take(&g, m->native[i]);
	if (!err)
		err = add_python(&g, m->pythons);
	*ret_end = g.end;
	return err;
}
