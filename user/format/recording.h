/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that format/store wrote, read into a model that every format can write. Several files become one
 * recording: their times are placed on the clock on the wall, equal frames and stacks are one, their processes
 * stay apart. What does not add up (another unit, mode, event or rate) is refused.
 *
 * A file may be anything: what is not whole and right up to its last block is refused, with the reason.
 */
#ifndef KRAIT_OUT_RECORDING_H
#define KRAIT_OUT_RECORDING_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "model/profile.h"
#include "model/stacks.h"

struct recording;

/* NULL: out of memory. */
struct recording *recording_new(void);
void recording_free(struct recording *r);
static inline void recording_freep(struct recording **r)
{
	recording_free(*r);
}

/* When the recording in @from began, to sort files by; what follows is not looked at. 0 or -errno. */
int recording_started(FILE *from, const char *name, struct timespec *ret, struct err *err);
/*
 * Reads @from from its beginning to its end. The first file must be the earliest one. 0, or -errno with @err,
 * which calls it @name; then the recording is of no use any more. *@ret_whole: it ended; else it is there up to its last flush.
 */
int recording_add(struct recording *r, FILE *from, const char *name, bool *ret_whole,
		  struct err *err);

struct profile *recording_profile(struct recording *r);
struct stacks *recording_stacks(struct recording *r);

#endif
