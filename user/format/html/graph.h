/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording as tables of numbers that point into each other, which is how the page holds it:
 *
 *	row {group, node, weight} --> node: a stack of frames --> frame {func, place} --> func {name, file}
 *	     \--> group: one value of each dimension
 *
 * Beside its weight a row has the bins of time that the weight is spread over.
 *
 * What reads the same is one entry, whatever it was in the recording: two code objects of a function, or
 * two threads of a name and number. All indices are from 0 without holes, in order of first appearance.
 */
#ifndef KRAIT_FORMAT_HTML_GRAPH_H
#define KRAIT_FORMAT_HTML_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hmap.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "format/format.h"
#include "format/names.h"

#define GRAPH_NONE UINT32_MAX /* no index: out of memory */

/* Whose code a function is; the page has the words for it, in this order. */
enum graph_kind { GRAPH_OWN, GRAPH_STDLIB, GRAPH_SITE, GRAPH_MARK, GRAPH_WAIT };

struct graph_file {
	uint32_t path; /* text id */
};

struct graph_func {
	uint32_t name;  /* text id, cleaned */
	uint32_t file;  /* index + 1, 0: none */
	uint32_t kind;  /* enum graph_kind */
	uint32_t first; /* line, where it tells functions apart */
};

struct graph_frame {
	uint32_t func;
	uint32_t place; /* twice the line, 0: none; odd: the line is near the one that ran */
};

struct graph_row {
	uint32_t group;
	uint32_t node;
	uint32_t nbins; /* of its bins, which follow those of the rows before it */
	uint64_t weight;
};

/* A dimension that the page can group and filter by: its values are texts of root frames. */
struct graph_dim {
	const char *name;  /* "process" */
	const char *title; /* "Processes" */
};

extern const struct graph_dim graph_dims[DIM_MAX];

struct graph {
	struct strpool *texts;
	struct names *names;
	struct hmap *files;            /* struct graph_file -> index */
	struct hmap *funcs;            /* struct graph_func -> index */
	struct hmap *frames;           /* struct graph_frame -> index */
	struct hmap *values[DIM_MAX];  /* text id -> index */
	VEC(uint32_t) groups[DIM_MAX]; /* index of a value, by group */
	VEC(struct graph_row) rows;
	VEC(struct profile_bin) bins;
	struct stacks *nodes; /* their frames are indices of frames */
	uint64_t total;
};

/* 0 or -ENOMEM. A zeroed graph is empty; free with graph_done() in any case. */
int graph_init(struct graph *g, const struct profile *p, const struct stacks *s,
	       const struct format_opts *o);
void graph_done(struct graph *g);

#endif
