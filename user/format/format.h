/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output formats: each is a row of a table, with a file or folder of its own. They share:
 *
 *	text.h    hostile bytes -> text             names.h   unambiguous names of functions, files, threads
 *	path.h    a path -> its module, its origin  label.h   a frame, a root frame -> text
 *	frames.h  frames, numbered                  groups.h  rows, divided into groups
 *	stream.h  writing to streams, errors        file.h    atomic output files
 */
#ifndef KRAIT_FORMAT_H
#define KRAIT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/frame.h"
#include "model/profile.h"
#include "model/stacks.h"

/* What samples can be grouped by (--by): each dimension becomes a root frame above the stack. */
enum dim {
	DIM_CONTAINER, /* web, or the first digits of its id; host */
	DIM_POD,       /* shop/web-5d4f */
	DIM_UNIT,      /* nginx.service */
	DIM_COMM,      /* web */
	DIM_PROCESS,   /* web-41 */
	DIM_THREAD,    /* worker-44 */
	DIM_STATE,     /* running */
	DIM_KIND,      /* python; kernel: read */
	DIM_TASK,      /* fetch-7; handle_request */
	DIM_MAX,
};

struct format_opts {
	enum dim dims[DIM_MAX]; /* root first */
	size_t ndims;           /* 0..DIM_MAX, 0: no root frames */
	bool lines;             /* line numbers in frames */
	bool full_paths;
	bool grouped; /* --by was given: the table has a part for each group */
	/* Only for the table: */
	bool by_line;        /* rows are lines, not functions */
	bool by_total;       /* sort by total; else by self */
	size_t limit;        /* rows of a group, 0: all */
	size_t width;        /* columns of the terminal, 0: not a terminal */
	const char *callers; /* show the callers of this function; NULL: no */
	const char *callees; /* likewise */
	const char *source;  /* show the lines of this file */
	bool only_lines;     /* frames are file and line, in any function */
	bool states; /* a leaf frame for the state of an off-CPU thread; in the table: columns, also of kinds */
	bool state_rows; /* the leaf frame in the table, too, instead of columns */
	bool addresses;  /* frames of different addresses are different (format/frames.h) */
	bool live;       /* written by krait record, so the table refers to krait report for more */
};

struct format_ops {
	const char *name;      /* as --format takes it */
	const char *extension; /* of a default file name, without the dot */
	const char *help;
	bool binary;  /* not to be written to a terminal */
	bool gzipped; /* readers expect it gzipped; write() itself does not compress */
	/*
	 * Writes the whole recording to @to and flushes it; the caller closes the stream and must check the
	 * result of fclose(). 0, -ENOMEM, the error of the stream, or -ENODATA with @err: the recording does not
	 * have what was asked for.
	 */
	int (*write)(const struct profile *p, const struct stacks *s, const struct format_opts *o,
		     FILE *to, struct err *err);
};

extern const struct format_ops format_folded, format_html, format_jsonl, format_krait, format_pprof,
	format_speedscope, format_table;

/* The format called @name. NULL: there is none. */
const struct format_ops *format_find(const char *name);
/* Row @i of the table, NULL past its end. */
const struct format_ops *format_at(size_t i);
/* Appends the names, "folded, html", for messages and help. */
void format_names(struct buf *b);

#endif
