/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ids are indexes into a table of strings; their bytes live in blocks that never move. The strings with
 * the same low bits of the hash form a chain, linked through the table itself:
 *
 *   heads   [ 0 | 2 | 0 | 1 ]                by those bits; 0 is an empty chain
 *   str[id] { bytes, length, next id of the chain }
 *   blocks  [ "" NUL "foo" NUL ... ] -> [ ... ]
 *
 * Id 0 is in no chain, so 0 ends one. There are never more strings than heads.
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
	VEC(struct str) strs;
	uint32_t *heads;
	size_t nheads;        /* a power of two */
	struct block *blocks; /* the newest first */
	char *at;             /* where the next string goes, ... */
	size_t left;          /* ... and the bytes that follow in that block */
	size_t bytes;         /* of all blocks */
	uint64_t seed[2];
};

enum { BLOCK_SIZE = 64 << 10, BIG = BLOCK_SIZE / 4, FIRST_HEADS = 64 };

struct strpool *strpool_new(void)
{
	struct strpool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	hmap_seed(p->seed);
	p->nheads = FIRST_HEADS;
	p->heads = calloc(p->nheads, sizeof(*p->heads));
	if (!p->heads || vec_push(&p->strs, ((struct str){ "", 0, 0 }))) {
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
	free(p->heads);
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

static uint32_t *head_of(const struct strpool *p, const char *s, size_t len)
{
	return &p->heads[hmap_hash(s, len, p->seed) & (p->nheads - 1)];
}

static void chain_str(struct strpool *p, uint32_t id)
{
	struct str *s = &p->strs.at[id];
	uint32_t *head = head_of(p, s->data, s->len);

	s->next = *head;
	*head = id;
}

/* Doubles the number of heads; on failure nothing changes. */
static bool grow(struct strpool *p)
{
	uint32_t *heads = calloc(p->nheads * 2, sizeof(*heads));

	if (!heads)
		return false;
	free(p->heads);
	p->heads = heads;
	p->nheads *= 2;
	for (uint32_t id = 1; id < p->strs.len; id++)
		chain_str(p, id);
	return true;
}

/* Appends a string that is not in the pool and returns its id. UINT32_MAX: out of memory. */
static uint32_t str_new(struct strpool *p, const char *s, size_t len)
{
	uint32_t id = p->strs.len;
	char *data;

	if (id >= UINT32_MAX || (id >= p->nheads && !grow(p)))
		return UINT32_MAX;
	data = bytes_alloc(p, len + 1);
	if (!data)
		return UINT32_MAX;
	memcpy(data, s, len);
	data[len] = '\0';
	if (vec_push(&p->strs, ((struct str){ data, len, 0 })))
		return UINT32_MAX;
	chain_str(p, id);
	return id;
}

uint32_t strpool_add(struct strpool *p, const char *s, size_t len)
{
	uint32_t id;

	if (!len)
		return 0;
	if (len >= UINT32_MAX)
		return UINT32_MAX;
	for (id = *head_of(p, s, len); id; id = p->strs.at[id].next)
		if (p->strs.at[id].len == len && !memcmp(p->strs.at[id].data, s, len))
			return id;
	return str_new(p, s, len);
}

size_t strpool_bytes(const struct strpool *p)
{
	return p->bytes + p->strs.len * sizeof(*p->strs.at) + p->nheads * sizeof(*p->heads);
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
