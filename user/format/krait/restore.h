/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads what store.h wrote. A file may be anything: what is not whole and right up to its last block is refused, with
 * the reason.
 */
#ifndef KRAIT_FORMAT_RESTORE_H
#define KRAIT_FORMAT_RESTORE_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "format/krait/recording.h"

/* When the recording in @from began, to sort files by; what follows is not looked at. 0 or -errno. */
int restore_started(FILE *from, const char *name, struct timespec *ret, struct err *err);
/*
 * Reads @from from its beginning to its end into @r. The first file must be the earliest one. 0, or -errno with @err,
 * which calls it @name; then the recording is of no use any more. *@ret_whole: it ended; else it is there up to its
 * last flush.
 */
int restore_add(struct recording *r, FILE *from, const char *name, bool *ret_whole,
		struct err *err);

#endif
