/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the state of a row as one of the rules of bpf/native.h, for one chunk at a time. */
#ifndef KRAIT_RULE_H
#define KRAIT_RULE_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/native.h"
#include "native/cfa.h"

/* The wide rules that a chunk has so far. */
struct wides {
	size_t n;
	struct native_wide at[NATIVE_MAX_WIDES];
};

/* Adds a wide rule to @w if it is the first of its kind. NATIVE_COMPLEX: there are too many. */
uint16_t rule_wide(struct wides *w, const struct native_wide *wide);

/* NATIVE_COMPLEX: no rule can express this. */
uint16_t rule_of(struct wides *w, const struct cfa_machine *m, const struct cfa_state *s);

/* CFA = sp + @offset, the frame pointer unchanged, the return address where a call leaves it. */
uint16_t rule_plain(unsigned int offset);

#endif
