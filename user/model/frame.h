/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One frame of a stack, in the words of the profiled program. Name and file are bytes of that
 * program: they may be anything, whoever prints them cleans them.
 */
#ifndef KRAIT_FRAME_H
#define KRAIT_FRAME_H

#include <stdbool.h>

enum frame_kind {
	FRAME_PYTHON, /* a function of the program */
	FRAME_MARK,   /* krait's own word in a stack, such as "[unreadable]" */
};

struct frame {
	const char *name;
	const char *file; /* NULL: none */
	int line;         /* <= 0: none */
	enum frame_kind kind;
	bool approximate; /* the line is near the one that ran, not known to be it */
	int first;        /* line at which its function begins; <= 0: unknown */
};

/* Does its name, with or without the qualification, or with ":" and its first line, fit @pattern (with * and ?)? */
bool frame_is_named(const struct frame *f, const char *pattern);
/* Does its file, as a whole or from some slash on? */
bool frame_is_in(const struct frame *f, const char *pattern);

#endif
