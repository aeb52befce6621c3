/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Weights over time for many rows: the weight of each row in each time bin. All rows share one bin width,
 * which doubles when the time goes beyond the last bin.
 *
 *	row 5 --> cell {bin 9, 12} --> cell {bin 8, 3} --> cell {bin 2, 7}
 *
 * The cells of a row are a linked list, latest bin first, so adding to the current bin takes no search.
 * Empty bins have no cell.
 */
#ifndef KRAIT_SERIES_H
#define KRAIT_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct series;

/* At most @max bins, initially @bin_ns wide. NULL: out of memory. */
struct series *series_new(uint64_t bin_ns, uint32_t max);
/* NULL is fine. */
void series_free(struct series *s);

/* Sets the time of later series_add() calls, in ns; initially 0. */
void series_set_time(struct series *s, uint64_t ns);
/* *@row is the list head that the caller keeps for each row, initially 0. 0 or -ENOMEM. */
int series_add(struct series *s, uint32_t *row, uint64_t weight);

/*
 * From now on a row that has a cell gets no further ones: weight of a bin without a cell goes to the row's
 * nearest earlier cell, or else to its earliest one.
 */
void series_freeze(struct series *s);
/* Memory used. */
size_t series_bytes(const struct series *s);

uint64_t series_bin_ns(const struct series *s);
/* The number of bins up to the latest time that was set. */
uint32_t series_bins(const struct series *s);
/* Iterates over the cells of @row, latest bin first. Start with *@pos = 0; false: end. */
bool series_each(const struct series *s, uint32_t row, uint32_t *pos, uint32_t *bin,
		 uint64_t *weight);

#endif
