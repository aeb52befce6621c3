/* SPDX-License-Identifier: BSD-2-Clause */
/* A FILE that compresses its data and writes them to another FILE. */
#ifndef KRAIT_GZIP_H
#define KRAIT_GZIP_H

#include <stdio.h>

/*
 * Returns a stream for writing; closing it finishes the compressed data. @to belongs to the caller,
 * who flushes it afterwards. NULL: out of memory.
 */
FILE *gzip_open(FILE *to);

#endif
