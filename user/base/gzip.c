/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/gzip.h"

#include <errno.h>
#include <stdlib.h>

#include <zlib.h>

enum { GZIP_HEAD = 16, CHUNK = 65536 };

struct gzip {
	FILE *to;
	z_stream z;
	unsigned char out[CHUNK];
};

struct gzip *gzip_new(FILE *to)
{
	struct gzip *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->to = to;
	if (deflateInit2(&g->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP_HEAD, 8,
			 Z_DEFAULT_STRATEGY) == Z_OK)
		return g;
	free(g);
	return NULL;
}

void gzip_free(struct gzip *g)
{
	if (!g)
		return;
	deflateEnd(&g->z);
	free(g);
}

static int run(struct gzip *g, int flush)
{
	size_t n;

	do {
		g->z.next_out = g->out;
		g->z.avail_out = sizeof(g->out);
		deflate(&g->z, flush);
		n = sizeof(g->out) - g->z.avail_out;
		errno = 0;
		if (fwrite(g->out, 1, n, g->to) != n)
			return errno ? -errno : -EIO;
	} while (!g->z.avail_out);
	return 0;
}

int gzip_add(struct gzip *g, const void *data, size_t len)
{
	const unsigned char *at = data;
	int err = 0;

	while (len && !err) {
		g->z.next_in = (unsigned char *)at;
		g->z.avail_in = len < CHUNK ? len : CHUNK;
		at += g->z.avail_in;
		len -= g->z.avail_in;
		err = run(g, Z_NO_FLUSH);
	}
	return err;
}

int gzip_end(struct gzip *g)
{
	return run(g, Z_FINISH);
}
