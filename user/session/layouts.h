/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreters of a process, and the rows that their layouts have in the kernel's map: equal ones share a row,
 * but no two of one process do.
 */
#ifndef KRAIT_LAYOUTS_H
#define KRAIT_LAYOUTS_H

#include <stdint.h>

#include "bpf/pylayout.h"
#include "bpf/wire.h"
#include "base/buf.h"
#include "load/kern.h"

struct interp {
	uint32_t layout; /* its row */
	uint64_t code_type;
};

struct interps {
	uint32_t n;
	struct interp at[WIRE_MAX_INTERPS];
};

/* NULL: none of them has that row. */
const struct interp *interps_find(const struct interps *i, uint32_t layout);

struct layouts;

/* @k must outlive it. NULL: out of memory. */
struct layouts *layouts_new(struct kern *k);
void layouts_free(struct layouts *l);

/*
 * The row of an equal layout that @of does not have already, or a new one; -ENOSPC: too many different
 * ones, or -errno.
 */
int layouts_add(struct layouts *l, const struct interps *of, const struct py_layout *layout);
/* NULL: there is no such row. Valid until the next one is added. */
const struct py_layout *layouts_at(const struct layouts *l, uint32_t row);
/* Appends what follows the version of the first of @of: its flavour, and where there are more, those. "t + 3.9d" */
void layouts_flavour(const struct layouts *l, const struct interps *of, struct buf *to);

#endif
