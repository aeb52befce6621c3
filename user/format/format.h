/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output formats: one file per format behind one row of a table, and the text rules that they
 * share: how a frame reads, what a root frame says, how hostile bytes become printable.
 */
#ifndef KRAIT_OUT_H
#define KRAIT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/frame.h"
#include "model/profile.h"
#include "model/stacks.h"

/* What a sample can be grouped by: each becomes a root frame above its stack. */
enum out_dim {
	OUT_DIM_CONTAINER, /* web, or the first digits of its id; host */
	OUT_DIM_POD,       /* shop/web-5d4f */
	OUT_DIM_UNIT,      /* nginx.service */
	OUT_DIM_COMM,      /* web */
	OUT_DIM_PROCESS,   /* web-41 */
	OUT_DIM_THREAD,    /* worker-44 */
	OUT_DIM_STATE,     /* running */
	OUT_DIM_MAX,
};

struct out_opts {
	enum out_dim dims[OUT_DIM_MAX]; /* root first */
	size_t ndims;                   /* 0..OUT_DIM_MAX, 0: no root frames */
	bool lines;                     /* line numbers in frames */
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

struct out_ops {
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
	int (*write)(const struct profile *p, const struct stacks *s, const struct out_opts *o,
		     FILE *to, struct err *err);
};

extern const struct out_ops out_folded, out_html, out_jsonl, out_krait, out_pprof, out_speedscope,
	out_table;

/* NULL: no such format. */
const struct out_ops *out_find(const char *name);
/* Row @i of the table, NULL past its end. */
const struct out_ops *out_at(size_t i);
/* Appends the names, "folded, html", for messages and help. */
void out_names(struct buf *b);

/* What becomes of characters that are not seen themselves (utf8_is_control()). */
enum out_text {
	OUT_SHOWN,   /* for people: all are written as \n, \x1b, \u202e */
	OUT_PRINTED, /* without an escape of its own, and people may print it: those that act are */
	OUT_WHOLE,   /* what writes it has an escape */
};

/* Appends @len bytes as valid UTF-8: what is not becomes U+FFFD, nothing at all "?". */
void out_text_as(struct buf *b, const char *s, size_t len, enum out_text how);
/* The same as OUT_SHOWN, without spaces around it: one line that is what it seems to be. */
void out_text(struct buf *b, const char *s, size_t len);
struct names;
/*
 * Appends "qualname (short/path.py:LINE)", each part through out_text(). Where its file has others of that name, the
 * line FIRST at which it begins is in it: "qualname:FIRST (short/path.py:LINE)", without lines
 * "qualname (short/path.py:FIRST)".
 */
void out_frame(struct buf *b, const struct frame *f, const struct out_opts *o, struct names *n);
/* Appends the root frame of @dim for @row's thread and state, through out_text(). */
void out_root(struct buf *b, const struct profile *p, const struct profile_row *row,
	      enum out_dim dim, const struct names *n);
/*
 * The part of @path that tells modules apart, a pointer into it: what follows the last
 * site-packages, dist-packages or standard library directory, else the last two components.
 */
const char *out_short_path(const char *path);

/* Whose code a file is, by its path. */
enum out_origin {
	OUT_OWN,    /* of the program */
	OUT_STDLIB, /* Python's own */
	OUT_SITE,   /* of an installed package */
};
enum out_origin out_origin(const char *path);

/* Writes and empties @b where it has grown, or @all there is. 0, -ENOMEM, or what the stream failed with. */
int out_put(struct buf *b, FILE *to, bool all);
/* Flushes; 0 or what the stream failed with. */
int out_flush(FILE *to);
/* Words for a stream that failed with -errno @code (0 is taken for EIO); returns the code. */
int out_failed(struct err *err, const char *format, int code);

#endif
