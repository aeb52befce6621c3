/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames of a recording as formats with tables of their own want them: each once by what it says
 * (a recording has a number for each instruction, of which many are on one line), and numbered
 * from 0 without holes in the order in which stacks name them.
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
 * The stack of a row, root first, with the frame that says what the thread waits for if the options
 * want it. *@n may be 0. Valid until the next call. NULL: out of memory.
 */
const uint32_t *frames_of(struct frames *f, const struct profile_row *row, size_t *n);

/* What its files, functions, processes and threads are called. */
struct names *frames_names(const struct frames *f);

uint32_t frames_count(const struct frames *f);
/* Name and file are valid UTF-8 (TEXT_WHOLE), the file is whole; line 0: none, or not wanted. */
const struct frame *frames_at(const struct frames *f, uint32_t i);
/* Equal for the lines of one function, numbered like frames. */
uint32_t frames_function(const struct frames *f, uint32_t i);

#endif
