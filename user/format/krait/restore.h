/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the files that store.h writes. Files may be hostile: one that is not valid up to its last block is
 * refused, with the reason.
 */
#ifndef KRAIT_FORMAT_RESTORE_H
#define KRAIT_FORMAT_RESTORE_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "format/krait/recording.h"

/* The start time of the recording in @from, for sorting files; reads only the beginning. 0 or -errno. */
int restore_started(FILE *from, const char *name, struct timespec *ret, struct err *err);
/*
 * Reads all of @from into @r. The first file must be the earliest one. 0, or -errno with @err, which calls the
 * file @name; @r is then unusable. *@ret_whole: the recording ended properly; false: it is read up to its last
 * flush.
 */
int restore_add(struct recording *r, FILE *from, const char *name, bool *ret_whole,
		struct err *err);

#endif
