/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreters of a process, and the rows of the kernel's map that hold their layouts. Processes with equal
 * layouts share a row, but two interpreters of one process never do.
 */
#ifndef KRAIT_LAYOUTS_H
#define KRAIT_LAYOUTS_H

#include <stdint.h>

#include "bpf/pylayout.h"
#include "bpf/wire.h"
#include "base/buf.h"
#include "load/kern.h"

struct interp {
	uint32_t layout; /* row in the kernel's map */
	uint64_t code_type;
	uint64_t interps; /* address of its list of interpreters; 0: not known yet */
};

struct interps {
	uint32_t n;
	struct interp at[WIRE_MAX_INTERPS];
};

/* The interpreter with row @layout, NULL: none. */
const struct interp *interps_find(const struct interps *i, uint32_t layout);

struct layouts;

/* @k must outlive it. NULL: out of memory. */
struct layouts *layouts_new(struct kern *k);
void layouts_free(struct layouts *l);

/*
 * The row of an equal layout that @of does not use yet, or a new one. -ENOSPC: too many different layouts,
 * or -errno.
 */
int layouts_add(struct layouts *l, const struct interps *of, const struct py_layout *layout);
/* The layout of a row, valid until the next one is added. NULL: there is no such row. */
const struct py_layout *layouts_at(const struct layouts *l, uint32_t row);
/* Appends what follows the first interpreter's version: its flavour, then any further interpreters: "t + 3.9d". */
void layouts_flavour(const struct layouts *l, const struct interps *of, struct buf *to);

#endif
