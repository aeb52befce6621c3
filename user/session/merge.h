/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Merges a thread's Python frames and its native frames (bpf/natstack.h) into one stack. No Python frame
 * is ever lost or moved against another one; native frames that cannot be placed are left out, and a
 * marker says why.
 */
#ifndef KRAIT_MERGE_H
#define KRAIT_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

/* What the caller knows of a native frame. */
enum merge_look {
	MERGE_SHOW,
	MERGE_HIDE,
	MERGE_LOOP, /* code of the interpreter's loop, which has Python frames or is just entered or left */
};

struct merge_ops {
	/* *@ret: the frame that stands for the native frame in the result. */
	enum merge_look (*look)(void *ctx, uint64_t native, uint32_t *ret);
	/* The marker for missing frames, by enum native_end. */
	uint32_t (*marker)(void *ctx, uint32_t end);
	void *ctx;
};

struct merge {
	const uint32_t *python; /* frames, leaf first */
	size_t pythons;
	size_t marks; /* of those the last ones that are no functions: markers for missing callers */
	const uint64_t *native; /* as in struct wire_native */
	size_t natives;
	bool by_code; /* the same */
	bool all;     /* do not leave out the frames that start the interpreter, nor hidden ones */
};

typedef VEC(uint32_t) merge_frames;

/*
 * Fills *@out, leaf first. *@ret_end: why frames are missing (enum native_end), the first reason from
 * the leaf; 0: none are. 0 or -ENOMEM.
 */
int merge_stacks(const struct merge *m, const struct merge_ops *ops, merge_frames *out,
		 uint32_t *ret_end);

#endif
