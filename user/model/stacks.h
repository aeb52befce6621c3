/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks as a prefix tree: stacks that share their outer frames share nodes, and equal stacks are
 * one node, so a stack is a number.
 *
 *	0 -- main -- serve -- parse		node 3 is the stack main;serve;parse
 *		        \-- reply		node 4 is main;serve;reply
 *
 * A parent's number is always lower than its children's, and nodes are numbered without holes:
 * a loop over 1..stacks_count() - 1 visits every parent before its children.
 */
#ifndef KRAIT_STACKS_H
#define KRAIT_STACKS_H

#include <stddef.h>
#include <stdint.h>

#define STACKS_ROOT 0u         /* the empty stack */
#define STACKS_NONE UINT32_MAX /* no node: out of memory */

struct stacks;

/* NULL: out of memory. Free with stacks_free(). */
struct stacks *stacks_new(void);
/* NULL is fine. */
void stacks_free(struct stacks *s);
static inline void stacks_freep(struct stacks **s)
{
	stacks_free(*s);
}

/*
 * The child node of @parent for @frame (any number), added if it is new. STACKS_NONE: out of memory.
 * STACKS_NONE as @parent returns STACKS_NONE, so only the last push of a stack must be checked.
 */
uint32_t stacks_push(struct stacks *s, uint32_t parent, uint32_t frame);

/* @node must come from this tree. The root is its own parent and its frame is 0. */
uint32_t stacks_parent(const struct stacks *s, uint32_t node);
uint32_t stacks_frame(const struct stacks *s, uint32_t node);
/* The number of frames of the stack, 0 for the root. Takes time in proportion. */
uint32_t stacks_depth(const struct stacks *s, uint32_t node);
/* The number of nodes including the root: valid nodes are 0..count - 1. */
uint32_t stacks_count(const struct stacks *s);
/* Memory used. */
size_t stacks_bytes(const struct stacks *s);

#endif
