/* SPDX-License-Identifier: BSD-2-Clause */
/* A stream behind another: what is written to it arrives compressed. */
#ifndef KRAIT_GZIP_H
#define KRAIT_GZIP_H

#include <stdio.h>

/*
 * A stream to write to; to close it ends the compressed data. @to stays the caller's, who flushes it
 * afterwards. NULL: out of memory.
 */
FILE *gzip_open(FILE *to);

#endif
