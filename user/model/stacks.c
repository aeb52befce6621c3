/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording of a busy host has millions of stacks, so memory counts: twelve bytes for a node and four
 * to eight for the index, a hash table whose chains are linked through the nodes themselves.
 *
 *	heads  [ 0 | 3 | 0 | 2 ]		by hash of (parent, frame); 0 is an empty chain
 *	nodes  [ root | 1 | 2 | 3, next 1 ]	by number
 *
 * The root is in no chain, so 0 ends a chain. There are never more nodes than heads: most chains have
 * one node or none, so a lookup that finds nothing usually costs a single cache miss.
 */
#include "model/stacks.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/vec.h"

#define FIRST_HEADS 64 /* a power of two, like every later size */

struct node {
	uint32_t parent;
	uint32_t frame;
	uint32_t next; /* the next node of the hash chain, 0: none */
};

struct stacks {
	VEC(struct node) nodes;
	uint32_t *heads;
	size_t nheads;
	uint64_t seed[2];
};

struct stacks *stacks_new(void)
{
	_cleanup_(stacks_freep) struct stacks *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	hmap_seed(s->seed);
	s->nheads = FIRST_HEADS;
	s->heads = calloc(s->nheads, sizeof(*s->heads));
	if (!s->heads || vec_push(&s->nodes, (struct node){ .parent = STACKS_ROOT }))
		return NULL;
	return take_ptr(s);
}

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	vec_done(&s->nodes);
	free(s->heads);
	free(s);
}

static uint32_t *head_of(const struct stacks *s, uint32_t parent, uint32_t frame)
{
	uint32_t key[] = { parent, frame };

	return &s->heads[hmap_hash(key, sizeof(key), s->seed) & (s->nheads - 1)];
}

static void chain_node(struct stacks *s, uint32_t node)
{
	struct node *n = &s->nodes.at[node];
	uint32_t *head = head_of(s, n->parent, n->frame);

	n->next = *head;
	*head = node;
}

/* Doubles the number of heads; on failure nothing changes. */
static int grow(struct stacks *s)
{
	uint32_t *heads = calloc(s->nheads * 2, sizeof(*heads));

	if (!heads)
		return -ENOMEM;
	free(s->heads);
	s->heads = heads;
	s->nheads *= 2;
	for (uint32_t i = 1; i < s->nodes.len; i++)
		chain_node(s, i);
	return 0;
}

uint32_t stacks_push(struct stacks *s, uint32_t parent, uint32_t frame)
{
	uint32_t i;

	if (parent == STACKS_NONE)
		return STACKS_NONE;
	for (i = *head_of(s, parent, frame); i; i = s->nodes.at[i].next)
		if (s->nodes.at[i].parent == parent && s->nodes.at[i].frame == frame)
			return i;
	i = s->nodes.len;
	if (i == STACKS_NONE || (i == s->nheads && grow(s)) ||
	    vec_push(&s->nodes, ((struct node){ .parent = parent, .frame = frame })))
		return STACKS_NONE;
	chain_node(s, i);
	return i;
}

uint32_t stacks_parent(const struct stacks *s, uint32_t node)
{
	return s->nodes.at[node].parent;
}

uint32_t stacks_frame(const struct stacks *s, uint32_t node)
{
	return s->nodes.at[node].frame;
}

uint32_t stacks_depth(const struct stacks *s, uint32_t node)
{
	uint32_t depth = 0;

	for (; node != STACKS_ROOT; node = stacks_parent(s, node))
		depth++;
	return depth;
}

uint32_t stacks_count(const struct stacks *s)
{
	return s->nodes.len;
}

size_t stacks_bytes(const struct stacks *s)
{
	bool doubles = s->nodes.len >= s->nheads / 8 * 7;

	return (doubles ? 3 : 1) * s->nheads * sizeof(*s->heads) +
	       s->nodes.len * sizeof(*s->nodes.at);
}
