/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames without duplicates, for formats with a table of frames. A recording has a frame for each instruction,
 * and many of them have the same text; here those are one frame. Frames are numbered from 0 without holes, in
 * the order in which stacks refer to them.
 */
#ifndef KRAIT_FORMAT_FRAMES_H
#define KRAIT_FORMAT_FRAMES_H

#include "format/format.h"

struct frames;

/* All three must outlive it. NULL: out of memory. */
struct frames *frames_new(const struct profile *p, const struct stacks *s,
			  const struct format_opts *o);
void frames_free(struct frames *f);
static inline void frames_freep(struct frames **f)
{
	frames_free(*f);
}

/*
 * The stack of a row, root first, with a leaf frame for the thread state if the options ask for it. *@n may
 * be 0. Valid until the next call. NULL: out of memory.
 */
const uint32_t *frames_of(struct frames *f, const struct profile_row *row, size_t *n);

/* The names of files, functions, processes and threads. */
struct names *frames_names(const struct frames *f);

uint32_t frames_count(const struct frames *f);
/* Name and file are valid UTF-8 (TEXT_WHOLE), the file is the full path; line 0: none, or not wanted. */
const struct frame *frames_at(const struct frames *f, uint32_t i);
/* The number of the frame's function, from 0 without holes: the same for all its lines. */
uint32_t frames_function(const struct frames *f, uint32_t i);

#endif
