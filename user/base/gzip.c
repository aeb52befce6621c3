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

/* 0, or -1 with errno. */
static int run(struct gzip *g, int flush)
{
	size_t n;

	do {
		g->z.next_out = g->out;
		g->z.avail_out = sizeof(g->out);
		deflate(&g->z, flush);
		n = sizeof(g->out) - g->z.avail_out;
		errno = 0;
		if (fwrite(g->out, 1, n, g->to) != n) {
			errno = errno ? errno : EIO;
			return -1;
		}
	} while (!g->z.avail_out);
	return 0;
}

static ssize_t add(void *ctx, const char *data, size_t len)
{
	struct gzip *g = ctx;
	size_t left = len;

	while (left) {
		g->z.next_in = (unsigned char *)data + len - left;
		g->z.avail_in = left < CHUNK ? left : CHUNK;
		left -= g->z.avail_in;
		if (run(g, Z_NO_FLUSH))
			return 0;
	}
	return len;
}

static int end(void *ctx)
{
	struct gzip *g = ctx;
	int err = run(g, Z_FINISH);

	deflateEnd(&g->z);
	free(g);
	return err;
}

static struct gzip *gzip_new(FILE *to)
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

FILE *gzip_open(FILE *to)
{
	struct gzip *g = gzip_new(to);
	FILE *through =
		g ? fopencookie(g, "w", (cookie_io_functions_t){ .write = add, .close = end })
		  : NULL;

	if (g && !through) {
		deflateEnd(&g->z);
		free(g);
	}
	return through;
}
