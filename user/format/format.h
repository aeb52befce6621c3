/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output formats: one file, or folder, for each behind one row of a table. What they have in common is beside them:
 *
 *	text.h    hostile bytes -> text             names.h   what tells functions, files, threads apart
 *	path.h    a path -> its module, its origin  label.h   a frame, a root frame -> text
 *	frames.h  frames, numbered                  groups.h  rows, by what they are grouped by
 *	stream.h  writing, and its failures         file.h    a file that appears whole or not at all
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

/* What a sample can be grouped by: each becomes a root frame above its stack. */
enum dim {
	DIM_CONTAINER, /* web, or the first digits of its id; host */
	DIM_POD,       /* shop/web-5d4f */
	DIM_UNIT,      /* nginx.service */
	DIM_COMM,      /* web */
	DIM_PROCESS,   /* web-41 */
	DIM_THREAD,    /* worker-44 */
	DIM_STATE,     /* running */
	DIM_MAX,
};

struct format_opts {
	enum dim dims[DIM_MAX]; /* root first */
	size_t ndims;           /* 0..DIM_MAX, 0: no root frames */
	bool lines;             /* line numbers in frames */
	bool full_paths;
	bool grouped; /* dims were asked for: the table has a part for each group */
	/* For the terminal's format. */
	bool by_line;        /* lines, not functions */
	bool by_total;       /* the order; else by self */
	size_t limit;        /* entries of a group, 0: all */
	size_t width;        /* columns of the terminal that it is for, 0: of none */
	const char *callers; /* of this function; NULL: functions */
	const char *callees;
	const char *source; /* the lines of this file */
	bool only_lines;    /* frames are file and line, whatever function */
	bool states; /* a leaf frame for what a thread that does not run waits for; columns of the table */
	bool state_rows; /* the frame also in the table, instead of columns */
	bool live; /* written by krait record: what the table leaves out, krait report could show */
};

struct format_ops {
	const char *name;      /* what --format takes */
	const char *extension; /* of a default file name, without the dot */
	const char *help;
	bool binary;  /* nothing for a terminal */
	bool gzipped; /* readers expect it so; write() itself compresses nothing */
	/*
	 * Writes the whole recording to @to and flushes it; closing stays with the caller, who has
	 * to look at what fclose() says. 0, -ENOMEM, what the stream failed with, or -ENODATA: the recording has not
	 * what was asked for, and @err says so.
	 */
	int (*write)(const struct profile *p, const struct stacks *s, const struct format_opts *o,
		     FILE *to, struct err *err);
};

extern const struct format_ops format_folded, format_html, format_jsonl, format_krait, format_pprof,
	format_speedscope, format_table;

/* NULL: no such format. */
const struct format_ops *format_find(const char *name);
/* Row @i of the table, NULL past its end. */
const struct format_ops *format_at(size_t i);
/* Appends the names, "folded, html", for messages and help. */
void format_names(struct buf *b);

#endif
