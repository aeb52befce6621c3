/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Weights over time, for many rows at once: of each row, what it has in each bin. All rows share one width
 * of bins, which doubles when the time goes beyond the last bin.
 *
 *	row 5 --> cell {bin 9, 12} --> cell {bin 8, 3} --> cell {bin 2, 7}
 *
 * A row's cells are a chain, the latest bin first, so what happens now is added at once. Empty bins have
 * no cell.
 */
#ifndef KRAIT_SERIES_H
#define KRAIT_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct series;

/* Bins of at first @bin_ns, at most @max. NULL: out of memory. */
struct series *series_new(uint64_t bin_ns, uint32_t max);
/* NULL is fine. */
void series_free(struct series *s);

/* The time of what is added from now on, ns from 0; at first 0. */
void series_set_time(struct series *s, uint64_t ns);
/* @row is the caller's word for a row, 0 for one that has nothing yet. 0 or -ENOMEM. */
int series_add(struct series *s, uint32_t *row, uint64_t weight);

/* From now on there are no more cells: what has none of its own bin goes to the nearest earlier one of its row. */
void series_freeze(struct series *s);
/* Memory that it uses. */
size_t series_bytes(const struct series *s);

uint64_t series_bin_ns(const struct series *s);
/* The last bin that the time was in, and 1. */
uint32_t series_bins(const struct series *s);
/* Start with *@pos = 0; false at the end. */
bool series_each(const struct series *s, uint32_t row, uint32_t *pos, uint32_t *bin,
		 uint64_t *weight);

#endif
