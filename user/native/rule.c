/* SPDX-License-Identifier: BSD-2-Clause */
#include "native/rule.h"

#include <string.h>

enum {
	WORD = 8,
	X86_RA = -8, /* of the return address that a call pushes, from the CFA */
	DEAREST_N = NATIVE_N,
	DEAREST_FP_N = (NATIVE_SPECIAL & ~NATIVE_FP) >> NATIVE_N_SHIFT, /* n of fp ends before */
	MAX_REG = 31,
};

/* --- narrow rules --------------------------------------------------------------------------------- */

static bool is_words(int64_t offset, int64_t min, int64_t max)
{
	return offset % WORD == 0 && offset >= min * WORD && offset <= max * WORD;
}

/* The place of x86-64's rbp as k; -1: there is no such k. */
static int k_on_stack(const struct cfa_state *s)
{
	if (s->ra.place != CFA_AT || s->ra.offset != X86_RA)
		return -1;
	if (s->fp.place == CFA_SAME)
		return NATIVE_KEEP;
	if (s->fp.place == CFA_UNDEFINED || s->fp.place == CFA_ELSEWHERE)
		return NATIVE_LOST;
	if (s->fp.place == CFA_AT && is_words(s->fp.offset, -NATIVE_K, -(NATIVE_LOST + 1)))
		return -s->fp.offset / WORD;
	return -1;
}

/* Do the offsets say a + b = 0? They may be the lowest of all numbers. */
static bool are_opposite(int64_t a, int64_t b)
{
	return (uint64_t)a + (uint64_t)b == 0;
}

/* The place of aarch64's frame record as k; -1: there is no such k. */
static int k_of_record(const struct cfa_state *s)
{
	if (s->fp.place == CFA_SAME && s->ra.place == CFA_SAME)
		return NATIVE_KEEP;
	if (s->fp.place != CFA_AT || s->ra.place != CFA_AT ||
	    (uint64_t)s->ra.offset - WORD != (uint64_t)s->fp.offset)
		return -1;
	if (is_words(s->fp.offset, 1 - NATIVE_AT_BASE, -(NATIVE_LOST + 1)))
		return -s->fp.offset / WORD;
	return are_opposite(s->fp.offset, s->offset) ? NATIVE_AT_BASE : -1;
}

/* -1: no narrow rule says that. */
static int narrow(const struct cfa_machine *m, const struct cfa_state *s)
{
	int k = m->ra_in_register ? k_of_record(s) : k_on_stack(s);
	bool by_fp = s->reg == m->fp;

	if (k < 0 || s->kind != CFA_OFFSET || (!by_fp && s->reg != m->sp) ||
	    !is_words(s->offset, 0, by_fp ? DEAREST_FP_N - 1 : DEAREST_N))
		return -1;
	return (by_fp ? NATIVE_FP : 0) | s->offset / WORD << NATIVE_N_SHIFT | k;
}

uint16_t rule_plain(unsigned int offset)
{
	return offset / WORD << NATIVE_N_SHIFT | NATIVE_KEEP;
}

/* --- wide rules ----------------------------------------------------------------------------------- */

uint16_t rule_wide(struct wides *w, const struct native_wide *wide)
{
	for (size_t i = 0; i < w->n; i++)
		if (!memcmp(&w->at[i], wide, sizeof(*wide)))
			return NATIVE_WIDE + i;
	if (w->n == NATIVE_MAX_WIDES)
		return NATIVE_COMPLEX;
	w->at[w->n] = *wide;
	return NATIVE_WIDE + w->n++;
}

/* False: no wide rule can say where that is. */
static bool wide_place(const struct cfa_saved *s, int16_t *ret)
{
	switch (s->place) {
	case CFA_SAME:
		*ret = NATIVE_PLACE_KEEP;
		return true;
	case CFA_AT_FP:
		*ret = NATIVE_PLACE_AT_FP;
		return true;
	case CFA_AT:
		*ret = s->offset;
		return *ret == s->offset && (*ret < NATIVE_PLACE_KEEP || *ret > NATIVE_PLACE_AT_FP);
	default:
		*ret = NATIVE_PLACE_LOST;
		return true;
	}
}

static uint16_t wide_of(struct wides *w, const struct cfa_machine *m, const struct cfa_state *s)
{
	struct native_wide wide = {
		.base = s->reg,
		.flags = s->kind == CFA_DEREF ? NATIVE_DEREF : 0,
		.offset_low = s->offset,
		.offset_high = (uint64_t)s->offset >> 16,
		.add = s->add,
	};
	bool ra_found = s->ra.place == CFA_AT || (m->ra_in_register && s->ra.place == CFA_SAME);

	if ((s->kind != CFA_OFFSET && s->kind != CFA_DEREF) || s->reg > MAX_REG || !ra_found ||
	    s->offset != (int32_t)s->offset || s->add != wide.add ||
	    !wide_place(&s->fp, &wide.fp) || !wide_place(&s->ra, &wide.ra))
		return NATIVE_COMPLEX;
	return rule_wide(w, &wide);
}

uint16_t rule_of(struct wides *w, const struct cfa_machine *m, const struct cfa_state *s)
{
	int rule;

	if (s->ra.place == CFA_UNDEFINED)
		return NATIVE_OUTERMOST;
	if (s->sp.place != CFA_SAME)
		return NATIVE_COMPLEX;
	if (s->kind == CFA_PLT11)
		return NATIVE_PLT11;
	if (s->kind == CFA_PLT10)
		return NATIVE_PLT10;
	rule = narrow(m, s);
	return rule >= 0 ? rule : wide_of(w, m, s);
}
