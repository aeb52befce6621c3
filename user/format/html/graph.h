/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording as tables whose entries refer to each other by index, which is also how the page stores it:
 *
 *	row {group, node, weight} --> node: a stack of frames --> frame {func, place} --> func {name, file}
 *	     \--> group: one value of each dimension
 *
 * A row also has the weight of each bin of time.
 *
 * Entries with equal texts are merged, even if they differ in the recording: two code objects of a function, or
 * two threads with the same name and number. Indices start at 0, have no holes, and are in order of first use.
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

/* Origin of a function; profile.js has the names, in this order. */
enum graph_kind {
	GRAPH_OWN,
	GRAPH_STDLIB,
	GRAPH_SITE,
	GRAPH_MARK,
	GRAPH_WAIT,
	GRAPH_NATIVE,
	GRAPH_KERNEL
};

struct graph_file {
	uint32_t path;   /* text id */
	uint32_t module; /* it is a program or library, not source code */
};

struct graph_func {
	uint32_t name;  /* text id, cleaned */
	uint32_t file;  /* index + 1, 0: none */
	uint32_t kind;  /* enum graph_kind */
	uint32_t first; /* first line, if needed to tell functions apart */
};

struct graph_frame {
	uint32_t func;
	uint32_t place; /* line * 2, + 1 if the line is approximate; 0: none */
};

struct graph_row {
	uint32_t group;
	uint32_t node;
	uint32_t nbins; /* number of its bins; bins of all rows follow each other */
	uint64_t weight;
};

/* A dimension by which the page groups and filters; its values are the texts of root frames. */
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
	VEC(uint32_t) groups[DIM_MAX]; /* for each group, the index of its value */
	VEC(struct graph_row) rows;
	VEC(struct profile_bin) bins;
	struct stacks *nodes; /* frame numbers are indices of @frames */
	uint64_t total;
};

/* @g must be zeroed. 0 or -ENOMEM; graph_done() in any case. */
int graph_init(struct graph *g, const struct profile *p, const struct stacks *s,
	       const struct format_opts *o);
void graph_done(struct graph *g);

#endif
