/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One frame of a stack. Name and file are bytes copied from the profiled program: they can hold
 * anything, so they must be escaped before they are printed.
 */
#ifndef KRAIT_FRAME_H
#define KRAIT_FRAME_H

#include <stdbool.h>
#include <stdint.h>

enum frame_kind {
	FRAME_PYTHON, /* a function of the program */
	FRAME_MARK,   /* a marker that krait puts into a stack, such as "[unreadable]" */
	FRAME_NATIVE, /* a C function; its file is the program or library that contains it */
	FRAME_KERNEL, /* a function of the kernel; its file is the module that contains it, if one does */
};

/* Code of a program or library: a segment of its file that is executable. */
struct module {
	const char *path;
	const char *build_id; /* hexadecimal; "": none */
	uint64_t start,
		size; /* addresses in the file, as its symbols have them; the sum does not overflow */
	uint64_t offset; /* bytes from the start of the file */
};

struct frame {
	const char *name;
	const char *file; /* NULL: none */
	int line;         /* <= 0: none */
	enum frame_kind kind;
	bool approximate; /* the exact line is unknown, this one is close to it */
	int first;        /* first line of the function; <= 0: unknown */
	/* Of native frames: where the function begins, as addresses in @module. NULL: unknown. */
	uint64_t address;
	const struct module *module; /* lives as long as what the frame was asked from */
};

/* Is @f a native frame whose function has no name? It is called by its address then. */
bool frame_is_nameless(const struct frame *f);

/*
 * Does the function's name match @pattern (with * and ?)? The pattern may be of the qualified or the plain
 * name, with or without ":" and the function's first line.
 */
bool frame_is_named(const struct frame *f, const char *pattern);
/* Does the file's path match @pattern, as a whole or from any slash on? */
bool frame_is_in(const struct frame *f, const char *pattern);

#endif
