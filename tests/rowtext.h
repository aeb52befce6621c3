/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwind rules as text, for programs that compare them:
 *
 *	cfa=REGISTER+OFFSET fp=PLACE ra=PLACE     none     outermost     ...
 *
 * A register is DWARF's number; a place is same, lost, at-fp, or the distance from the CFA. A CFA that
 * is read from memory is *(REGISTER+OFFSET)+NUMBER.
 */
#ifndef KRAIT_ROWTEXT_H
#define KRAIT_ROWTEXT_H

#include <stdio.h>

#include "base/buf.h"
#include "native/cfa.h"
#include "native/chunk.h"

static inline void rowtext_place(struct buf *to, const char *name, int place)
{
	static const char *const words[] = { "same", "lost", "at-fp" };

	if (place >= NATIVE_PLACE_KEEP && place <= NATIVE_PLACE_AT_FP)
		buf_printf(to, " %s=%s", name, words[place]);
	else
		buf_printf(to, " %s=%d", name, place);
}

static inline void rowtext_wide(struct buf *to, const struct native_wide *w)
{
	int offset = w->offset_low | (uint32_t)w->offset_high << 16;

	if (w->flags & NATIVE_DEREF)
		buf_printf(to, "cfa=*(%d%+d)%+d", w->base, offset, w->add);
	else
		buf_printf(to, "cfa=%d%+d", w->base, offset);
	rowtext_place(to, "fp", w->fp);
	rowtext_place(to, "ra", w->ra);
}

static inline void rowtext_narrow(struct buf *to, const struct cfa_machine *m, uint16_t rule)
{
	int cfa = (rule >> NATIVE_N_SHIFT & NATIVE_N) * 8, k = rule & NATIVE_K,
	    fp = k <= NATIVE_LOST ? k : -k * 8;

	if (m->ra_in_register && k == NATIVE_AT_BASE)
		fp = -cfa;
	buf_printf(to, "cfa=%d+%d", rule & NATIVE_FP ? m->fp : m->sp, cfa);
	rowtext_place(to, "fp", fp);
	rowtext_place(to, "ra", !m->ra_in_register ? -8 : k ? fp + 8 : NATIVE_PLACE_KEEP);
}

/* Appends the rule of row @i. */
static inline void rowtext_add(struct buf *to, uint16_t machine, const struct chunk_view *v,
			       size_t i)
{
	static const char *const special[] = {
		[NATIVE_NONE - NATIVE_SPECIAL] = "none",
		[NATIVE_OUTERMOST - NATIVE_SPECIAL] = "outermost",
		[NATIVE_SIGNAL - NATIVE_SPECIAL] = "signal",
		[NATIVE_PLT11 - NATIVE_SPECIAL] = "plt11",
		[NATIVE_PLT10 - NATIVE_SPECIAL] = "plt10",
		[NATIVE_COMPLEX - NATIVE_SPECIAL] = "complex",
	};
	uint16_t rule = v->rules[i];

	if (rule >= NATIVE_WIDE)
		rowtext_wide(to, &v->wides[rule - NATIVE_WIDE]);
	else if (rule >= NATIVE_SPECIAL)
		buf_str(to, special[rule - NATIVE_SPECIAL]);
	else
		rowtext_narrow(to, cfa_machine(machine), rule);
}

#endif
