/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ids are indexes into a table of strings; their bytes live in blocks that never move. A map from
 * the 64-bit hash of a string leads to its id; strings with the same hash form a chain:
 *
 *   by_hash  hash -> first id        str[id]  { bytes, length, next id with this hash }
 *   blocks   [ "" NUL "foo" NUL ... ] -> [ ... ]
 *
 * Id 0 is in no chain, so 0 ends one.
 */
#include "base/strpool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "base/vec.h"

struct str {
	const char *data;
	uint32_t len, next;
};

struct block {
	struct block *next;
	char data[];
};

struct strpool {
	struct hmap *by_hash;
	VEC(struct str) strs;
	struct block *blocks; /* the newest first */
	char *at;             /* where the next string goes, ... */
	size_t left;          /* ... and the bytes that follow in that block */
	size_t bytes;         /* of all blocks */
	uint64_t seed[2];
};

enum { BLOCK_SIZE = 64 << 10, BIG = BLOCK_SIZE / 4 };

struct strpool *strpool_new(void)
{
	struct strpool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	hmap_seed(p->seed);
	p->by_hash = hmap_new(sizeof(uint64_t), sizeof(uint32_t));
	if (!p->by_hash || vec_push(&p->strs, ((struct str){ "", 0, 0 }))) {
		strpool_free(p);
		return NULL;
	}
	return p;
}

void strpool_free(struct strpool *p)
{
	struct block *b;

	if (!p)
		return;
	while ((b = p->blocks)) {
		p->blocks = b->next;
		free(b);
	}
	hmap_free(p->by_hash);
	vec_done(&p->strs);
	free(p);
}

static char *block_add(struct strpool *p, size_t size)
{
	struct block *b = malloc(sizeof(*b) + size);

	if (!b)
		return NULL;
	p->bytes += sizeof(*b) + size;
	b->next = p->blocks;
	p->blocks = b;
	return b->data;
}

/* @size bytes that live as long as the pool. Big strings get a block of their own. */
static char *bytes_alloc(struct strpool *p, size_t size)
{
	char *at;

	if (size > BIG)
		return block_add(p, size);
	if (size > p->left) {
		at = block_add(p, BLOCK_SIZE);
		if (!at)
			return NULL;
		p->at = at;
		p->left = BLOCK_SIZE;
	}
	at = p->at;
	p->at += size;
	p->left -= size;
	return at;
}

/* Appends a string that is not in the pool and returns its id. UINT32_MAX: out of memory. */
static uint32_t str_new(struct strpool *p, const char *s, size_t len, uint32_t next)
{
	uint32_t id = p->strs.len;
	char *data;

	if (p->strs.len >= UINT32_MAX)
		return UINT32_MAX;
	data = bytes_alloc(p, len + 1);
	if (!data)
		return UINT32_MAX;
	memcpy(data, s, len);
	data[len] = '\0';
	if (vec_push(&p->strs, ((struct str){ data, len, next })))
		return UINT32_MAX;
	return id;
}

uint32_t strpool_add(struct strpool *p, const char *s, size_t len)
{
	uint32_t id, added, *first;
	uint64_t hash;

	if (!len)
		return 0;
	if (len >= UINT32_MAX)
		return UINT32_MAX;
	hash = hmap_hash(s, len, p->seed);
	first = hmap_put(p->by_hash, &hash, NULL);
	if (!first)
		return UINT32_MAX;
	for (id = *first; id; id = p->strs.at[id].next)
		if (p->strs.at[id].len == len && !memcmp(p->strs.at[id].data, s, len))
			return id;
	added = str_new(p, s, len, *first);
	if (added != UINT32_MAX)
		*first = added;
	return added;
}

size_t strpool_bytes(const struct strpool *p)
{
	return p->bytes + p->strs.len * sizeof(*p->strs.at) + hmap_bytes(p->by_hash);
}

uint32_t strpool_count(const struct strpool *p)
{
	return p->strs.len;
}

const char *strpool_str(const struct strpool *p, uint32_t id)
{
	return p->strs.at[id].data;
}

size_t strpool_len(const struct strpool *p, uint32_t id)
{
	return p->strs.at[id].len;
}
