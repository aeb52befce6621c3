/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The container format of .krait files: a head, then blocks, each compressed and with a checksum.
 *
 *	head    89 'K' 'R' 'A' 'I' 'T' 0d 0a, version, 7 zero bytes
 *	block   u32 size of the data, u32 size when inflated, u32 CRC-32 of the data, the data
 *	block   ...
 *
 * Numbers are little-endian, the data is deflated (zlib). Files are only appended to, so everything up to the last
 * complete block can be read.
 */
#ifndef KRAIT_FORMAT_BLOCK_H
#define KRAIT_FORMAT_BLOCK_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

#define BLOCK_MAGIC "\x89KRAIT\r\n"

enum { BLOCK_FILE_HEAD = 16, BLOCK_VERSION = 1, BLOCK_HEAD = 12, BLOCK_MAX = 64 << 20 };

/* Append to @to. */
void block_add_head(struct buf *to);
/* 0 or -ENOMEM. */
int block_add(struct buf *to, const void *data, size_t len);

/* Reads the head. 0, -EINVAL: not a .krait file, -EOPNOTSUPP: of unknown version *@ret_version, or -errno. */
int block_read_head(FILE *from, uint32_t *ret_version);

struct block {
	uint32_t stored, whole, crc;
	unsigned char *data;
};

/*
 * Reads a block. 1: done, 0: end of file, -ENODATA: the file ends within a block, because writing was interrupted;
 * after a crash of the host the rest may also be zeros. -EBADMSG: damaged, or -errno. block_done() in any case.
 */
int block_next(FILE *from, struct block *ret);
void block_done(struct block *b);
/* Inflates a block to ->whole bytes; the caller frees *@ret. 0, -EBADMSG or -ENOMEM. */
int block_inflate(const struct block *b, unsigned char **ret);

#endif
