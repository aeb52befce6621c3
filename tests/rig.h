/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A synthetic recording for tests of the output formats. Frame ids are indices into a table of
 * frames, and a stack is a word whose letters are frame ids, root first: "abc" is 0, 1, 2.
 *
 *	_rig_ r;
 *
 *	rig_init(&r, frames);
 *	rig_add(&r, rig_thread(&r, 7, "web", 7, ""), "ab", 0, 3);
 *	rig_put(&r, &format_folded)
 */
#ifndef KRAIT_TEST_RIG_H
#define KRAIT_TEST_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/format.h"
#include "tap.h"

struct rig {
	struct profile *profile;
	struct stacks *stacks;
	const struct frame *frames;
	struct format_opts opts;
	char *text; /* the last output */
};

static inline void rig_resolve(void *ctx, uint32_t frame_id, struct frame *ret)
{
	const struct rig *r = ctx;

	*ret = r->frames[frame_id];
}

/* The caller keeps @frames, which must outlive the rig. */
static inline void rig_init(struct rig *r, const struct frame *frames)
{
	*r = (struct rig){ .frames = frames, .opts.lines = true };
	r->profile = profile_new();
	r->stacks = stacks_new();
	profile_set_resolver(r->profile, rig_resolve, r);
}

static inline void rig_done(struct rig *r)
{
	profile_free(r->profile);
	stacks_free(r->stacks);
	free(r->text);
}

#define _rig_ _cleanup_(rig_done) struct rig

static inline uint32_t rig_thread(struct rig *r, uint32_t pid, const char *comm, uint32_t tid,
				  const char *name)
{
	uint32_t process = profile_add_process(r->profile, pid, comm);

	return profile_add_thread(r->profile, process, tid, name);
}

/* @state: an index from profile_add_state(); 0: running. */
static inline void rig_add(struct rig *r, uint32_t thread, const char *path, uint32_t state,
			   uint64_t weight)
{
	uint32_t node = STACKS_ROOT;

	for (; *path; path++)
		node = stacks_push(r->stacks, node, *path - 'a');
	CHECK_EQ(profile_count(r->profile, thread, node, state, weight), 0);
}

/* Writes the whole recording in one format. The rig owns the text, until the next call. */
static inline const char *rig_put(struct rig *r, const struct format_ops *ops)
{
	size_t len;
	struct err err = {};
	FILE *to;

	free(r->text);
	r->text = NULL;
	to = open_memstream(&r->text, &len);
	CHECK_EQ(ops->write(r->profile, r->stacks, &r->opts, to, &err), 0);
	CHECK_EQ(err.code, 0);
	fclose(to);
	CHECK_EQ(strlen(r->text), len);
	return r->text;
}

#endif
