/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	struct wire_kernel ─► waiting ─► (once a second) names of kallsyms ─► samples.c
 *
 * A kernel stack waits because the stack that it stands on may come later: one with native frames is
 * entered when its names are known.
 */
#include "session/kernstacks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hmap.h"
#include "base/vec.h"
#include "proc/kallsyms.h"
#include "session/samples.h"

enum { WAITING_MAX = 1 << 16 };

struct waiting {
	uint64_t id, below;
	size_t from, n; /* in addresses */
};

struct kernstacks {
	struct samples *samples;
	struct kallsyms *names;
	struct hmap *frames; /* address -> u32, frame of the model */
	VEC(struct waiting) waiting;
	VEC(uint64_t) addresses; /* of those */
};

struct kernstacks *kernstacks_new(struct samples *samples)
{
	struct kernstacks *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->samples = samples;
	k->names = kallsyms_new(NULL);
	k->frames = hmap_new(sizeof(uint64_t), sizeof(uint32_t));
	if (k->names && k->frames)
		return k;
	kernstacks_free(k);
	return NULL;
}

void kernstacks_free(struct kernstacks *k)
{
	if (!k)
		return;
	kallsyms_free(k->names);
	hmap_free(k->frames);
	vec_done(&k->waiting);
	vec_done(&k->addresses);
	free(k);
}

int kernstacks_add(struct kernstacks *k, const struct wire_kernel *stack, const uint64_t *addresses)
{
	const struct waiting w = { stack->id, stack->below, k->addresses.len, stack->count };
	int err = 0;

	if (k->waiting.len >= WAITING_MAX)
		return 0; /* its samples count as ones whose stack was not received */
	for (size_t i = 0; i < w.n && !err; i++)
		err = vec_push(&k->addresses, addresses[i]);
	return err ? err : vec_push(&k->waiting, w);
}

/* Return addresses lie behind the call, perhaps in the next function. */
static uint32_t frame_of(struct kernstacks *k, uint64_t address, bool is_leaf)
{
	const uint64_t at = is_leaf ? address : address - 1;
	const char *module = NULL, *name;
	uint32_t *slot;
	char number[24];
	bool fresh;

	slot = hmap_put(k->frames, &at, &fresh);
	if (!slot)
		return PROFILE_NONE;
	if (!fresh)
		return *slot;
	name = kallsyms_name(k->names, at, &module);
	snprintf(number, sizeof(number), "0x%" PRIx64, at);
	return *slot = samples_kernel_frame(k->samples, name ? name : number, module);
}

static int settle_one(struct kernstacks *k, const struct waiting *w)
{
	uint32_t frames[WIRE_MAX_KERNEL];

	for (size_t i = 0; i < w->n; i++) {
		frames[i] = frame_of(k, k->addresses.at[w->from + i], !i);
		if (frames[i] == PROFILE_NONE)
			return -ENOMEM;
	}
	return samples_kernel(k->samples, w->id, w->below, frames, w->n);
}

int kernstacks_settle(struct kernstacks *k)
{
	const struct waiting *w;
	int err = 0;

	vec_each (&k->waiting, w)
		if (!err)
			err = settle_one(k, w);
	k->waiting.len = 0;
	k->addresses.len = 0;
	return err;
}

int kernstacks_error(const struct kernstacks *k)
{
	return kallsyms_error(k->names);
}
