/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a .krait file is put together: a head, then blocks, each compressed and with a checksum.
 *
 *	head    89 'K' 'R' 'A' 'I' 'T' 0d 0a, version, 7 zero bytes
 *	block   u32 bytes of data, u32 bytes that they inflate to, u32 CRC-32 of the data, the data
 *	block   ...
 *
 * Numbers are little-endian, the data is deflated (zlib). Blocks are only ever added: whatever the last whole block is,
 * all up to it can be read.
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

/* The head of a file: 0, -EINVAL: it is no such file, -EOPNOTSUPP: of version *@ret_version, or -errno. */
int block_read_head(FILE *from, uint32_t *ret_version);

struct block {
	uint32_t stored, whole, crc;
	unsigned char *data;
};

/*
 * 1 with a block, 0 at the end, -ENODATA where the file ends within one: what was written when it stopped is
 * not whole, or, after a crash of the host, nothing but zeros; -EBADMSG, or -errno. block_done() in any case.
 */
int block_next(FILE *from, struct block *ret);
void block_done(struct block *b);
/* The ->whole bytes that it inflates to; the caller frees *@ret. 0, -EBADMSG or -ENOMEM. */
int block_inflate(const struct block *b, unsigned char **ret);

#endif
