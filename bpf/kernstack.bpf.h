/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's part of a stack, if the timer has interrupted the kernel. It stands on a stack that was
 * already taken, with Python frames alone or with native ones:
 *
 *	id of the stack below ─┐
 *	addresses of functions ┴─► id ── new ─► struct wire_kernel ─► ring
 *
 * A file that includes it first defines KERNSTACK, a condition: constant, or one of the configuration.
 */
#ifndef KRAIT_KERNSTACK_BPF_H
#define KRAIT_KERNSTACK_BPF_H

#include "send.bpf.h"

struct kernel_scratch {
	struct wire_kernel head;
	u64 at[WIRE_MAX_KERNEL];
};

#ifndef KERNSTACKS
#define KERNSTACKS extern
#endif

KERNSTACKS struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct kernel_scratch);
	__uint(max_entries, 1); /* CPUs */
} kernel_scratches SEC(".maps");

static __always_inline u64 kernstack_hash(const struct kernel_scratch *k, u64 below)
{
	u64 hash = below;
	u32 i;

	for (i = 0; i < WIRE_MAX_KERNEL && i < k->head.count; i++)
		hash = pywalk_mix(hash, k->at[i]);
	return hash;
}

/* Returns the id of the stack with the kernel's part; @below if that could not be sent. Verified once. */
__attribute__((weak, noinline)) u64 kernstack_send(u32 index, u64 below)
{
	struct kernel_scratch *k = bpf_map_lookup_elem(&kernel_scratches, &index);
	u32 count;
	u64 id;

	if (!k)
		return below;
	id = kernstack_hash(k, below);
	if (was_sent(&sent_stacks, cfg.sent_stacks, id))
		return id;
	k->head.kind = RECORD_KERNEL;
	k->head.id = id;
	k->head.below = below;
	count = k->head.count;
	if (count > WIRE_MAX_KERNEL || ring_send(&k->head, sizeof(k->head) + count * 8)) {
		stats_note(NOTE_KERNEL_RING);
		return below;
	}
	mark_sent(&sent_stacks, cfg.sent_stacks, id);
	return id;
}

static __always_inline u64 kernstack_take(void *ctx, u32 index, u64 below)
{
	struct kernel_scratch *k = bpf_map_lookup_elem(&kernel_scratches, &index);
	long len;

	if (!k)
		return below;
	len = bpf_get_stack(ctx, k->at, sizeof(k->at), 0);
	if (len <= 0) {
		stats_note(NOTE_KERNEL_NONE);
		return below;
	}
	k->head.count = len / 8;
	return kernstack_send(index, below);
}

#endif
