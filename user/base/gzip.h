/* SPDX-License-Identifier: BSD-2-Clause */
/* A stream behind another: what is written to it arrives compressed. */
#ifndef KRAIT_GZIP_H
#define KRAIT_GZIP_H

#include <stddef.h>
#include <stdio.h>

struct gzip;

/* @to stays the caller's. NULL: out of memory. */
struct gzip *gzip_new(FILE *to);
void gzip_free(struct gzip *g);
static inline void gzip_freep(struct gzip **g)
{
	gzip_free(*g);
}

/* 0 or what the stream failed with. */
int gzip_add(struct gzip *g, const void *data, size_t len);
/* The end of the compressed data, once. */
int gzip_end(struct gzip *g);

#endif
