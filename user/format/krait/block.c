/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files may be hostile: memory is allocated only as data is really read, and inflated only if the checksum is
 * right.
 */
#include "format/krait/block.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/cleanup.h"

/* --- written ---------------------------------------------------------------------------------- */

void block_add_head(struct buf *to)
{
	static const char rest[BLOCK_FILE_HEAD - sizeof(BLOCK_MAGIC) + 1] = { BLOCK_VERSION };

	buf_str(to, BLOCK_MAGIC);
	buf_add(to, rest, sizeof(rest));
}

static void add_u32(struct buf *b, uint32_t v)
{
	const char bytes[] = { (char)v, (char)(v >> 8), (char)(v >> 16), (char)(v >> 24) };

	buf_add(b, bytes, sizeof(bytes));
}

int block_add(struct buf *to, const void *data, size_t len)
{
	uLongf stored = compressBound(len);
	_free_ unsigned char *deflated = malloc(stored);

	if (!deflated)
		return -ENOMEM;
	if (compress2(deflated, &stored, data, len, 6) != Z_OK)
		return -ENOMEM;
	add_u32(to, stored);
	add_u32(to, len);
	add_u32(to, crc32(0, deflated, stored));
	buf_add(to, deflated, stored);
	return to->err;
}

/* --- read ------------------------------------------------------------------------------------- */

static uint32_t get_u32(const unsigned char *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

int block_read_head(FILE *from, uint32_t *ret_version)
{
	unsigned char head[BLOCK_FILE_HEAD];
	size_t n = fread(head, 1, sizeof(head), from);

	if (ferror(from))
		return errno ? -errno : -EIO;
	if (n < sizeof(head) || memcmp(head, BLOCK_MAGIC, 8) != 0)
		return -EINVAL;
	*ret_version = get_u32(head + 8);
	return *ret_version == BLOCK_VERSION ? 0 : -EOPNOTSUPP;
}

/* The buffer grows as data is read, because the length in the file may be wrong. */
static int read_data(FILE *from, struct block *b)
{
	enum { STEP = 1 << 20 };
	size_t have = 0;

	while (have < b->stored) {
		size_t want = b->stored - have < STEP ? b->stored - have : STEP;
		unsigned char *more = realloc(b->data, have + want);

		if (!more)
			return -ENOMEM;
		b->data = more;
		if (fread(more + have, 1, want, from) != want)
			return ferror(from) ? -EIO : -ENODATA;
		have += want;
	}
	return 0;
}

static bool at_end(FILE *from)
{
	int c = getc(from);

	if (c != EOF)
		ungetc(c, from);
	return c == EOF;
}

int block_next(FILE *from, struct block *ret)
{
	unsigned char head[BLOCK_HEAD];
	size_t n = fread(head, 1, sizeof(head), from);
	int err;

	if (!n)
		return ferror(from) ? -EIO : 0;
	if (n < sizeof(head))
		return ferror(from) ? -EIO : -ENODATA;
	*ret = (struct block){ get_u32(head), get_u32(head + 4), get_u32(head + 8), NULL };
	if (!ret->stored || !ret->whole || ret->stored > BLOCK_MAX || ret->whole > BLOCK_MAX)
		return at_end(from) ? -ENODATA : -EBADMSG;
	err = read_data(from, ret);
	if (err)
		return err;
	if (crc32(0, ret->data, ret->stored) != ret->crc)
		return at_end(from) ? -ENODATA : -EBADMSG;
	return 1;
}

void block_done(struct block *b)
{
	free(b->data);
}

int block_inflate(const struct block *b, unsigned char **ret)
{
	uLongf len = b->whole;
	unsigned char *to;

	if (b->whole / 2048 > b->stored) /* deflate cannot compress that well */
		return -EBADMSG;
	to = malloc(b->whole);
	if (!to)
		return -ENOMEM;
	if (uncompress(to, &len, b->data, b->stored) != Z_OK || len != b->whole) {
		free(to);
		return -EBADMSG;
	}
	*ret = to;
	return 0;
}
