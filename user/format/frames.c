/* SPDX-License-Identifier: BSD-2-Clause */
#include "format/frames.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "format/names.h"
#include "format/text.h"

#define NO_FRAME UINT32_MAX

struct function_key {
	uint32_t name;
	uint32_t file;  /* 0: none */
	uint32_t first; /* first line, if needed to tell functions apart, else 0 */
};

struct frame_key {
	uint32_t function;
	int32_t line;
	uint32_t kind;
	uint32_t approximate;
	uint32_t pad;
	uint64_t address, module; /* only if they are wanted */
};

struct entry {
	struct frame frame;
	uint32_t function;
};

struct frames {
	const struct profile *profile;
	const struct stacks *stacks;
	const struct format_opts *opts;
	struct strpool *texts;
	struct names *names;
	VEC(uint32_t) known;    /* by frame id of the recording: number + 1, 0: not looked up yet */
	struct hmap *functions; /* struct function_key -> u32 */
	struct hmap *ids;       /* struct frame_key -> u32 */
	VEC(struct entry) all;
	VEC(uint32_t) path;
	struct buf text;
};

struct frames *frames_new(const struct profile *p, const struct stacks *s,
			  const struct format_opts *o)
{
	_cleanup_(frames_freep) struct frames *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->profile = p;
	f->stacks = s;
	f->opts = o;
	f->texts = strpool_new();
	f->names = names_new(p, s);
	f->functions = hmap_new(sizeof(struct function_key), sizeof(uint32_t));
	f->ids = hmap_new(sizeof(struct frame_key), sizeof(uint32_t));
	if (!f->texts || !f->names || !f->functions || !f->ids || vec_push(&f->path, 0))
		return NULL;
	return take_ptr(f);
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	strpool_free(f->texts);
	names_free(f->names);
	vec_done(&f->known);
	hmap_free(f->functions);
	hmap_free(f->ids);
	vec_done(&f->all);
	vec_done(&f->path);
	buf_done(&f->text);
	free(f);
}

static uint32_t clean(struct frames *f, const char *s)
{
	buf_clear(&f->text);
	text_add_as(&f->text, s, strlen(s), TEXT_WHOLE);
	return f->text.err ? NO_FRAME : strpool_add(f->texts, f->text.data, f->text.len);
}

static uint32_t number(struct hmap *m, const void *key, bool *fresh)
{
	uint32_t next = hmap_count(m), *id = hmap_put(m, key, fresh);

	if (!id)
		return NO_FRAME;
	if (*fresh)
		*id = next;
	return *id;
}

static uint32_t first_of(const struct frames *f, const struct frame *frame)
{
	return f->opts->only_lines ? 0 : names_function(f->names, frame);
}

static uint32_t intern(struct frames *f, const struct frame *frame)
{
	const char *name = f->opts->only_lines && frame->file ? "line" : frame->name;
	const struct function_key fk = { clean(f, name), frame->file ? clean(f, frame->file) : 0,
					 first_of(f, frame) };
	struct frame_key key = { .kind = frame->kind };
	struct entry e = { .frame = { .kind = frame->kind } };
	bool fresh;
	uint32_t id;

	if (fk.name == NO_FRAME || fk.file == NO_FRAME)
		return NO_FRAME;
	key.function = number(f->functions, &fk, &fresh);
	e.function = key.function;
	if (f->opts->lines && frame->line > 0) {
		key.line = e.frame.line = frame->line;
		e.frame.approximate = frame->approximate;
		key.approximate = frame->approximate;
	}
	if (f->opts->addresses) {
		key.address = e.frame.address = frame->address;
		key.module = (uintptr_t)frame->module;
		e.frame.module = frame->module;
	}
	id = number(f->ids, &key, &fresh);
	if (key.function == NO_FRAME || id == NO_FRAME || !fresh)
		return id;
	e.frame.name = strpool_str(f->texts, fk.name);
	e.frame.file = fk.file ? strpool_str(f->texts, fk.file) : NULL;
	e.frame.first = f->opts->only_lines ? 0 : frame->first;
	return vec_push(&f->all, e) ? NO_FRAME : id;
}

/* The number of a frame id. An array is enough, as ids have no large holes. */
static uint32_t frame_of(struct frames *f, uint32_t frame_id)
{
	struct frame frame;
	uint32_t id;

	if (frame_id < f->known.len && f->known.at[frame_id])
		return f->known.at[frame_id] - 1;
	while (f->known.len <= frame_id)
		if (vec_push(&f->known, 0))
			return NO_FRAME;
	profile_frame(f->profile, frame_id, &frame);
	id = intern(f, &frame);
	f->known.at[frame_id] = id + 1;
	return id;
}

static uint32_t state_of(struct frames *f, uint32_t state)
{
	_cleanup_(buf_done) struct buf text = {};

	state_frame(&text, profile_state(f->profile, state));
	return intern(f, &(struct frame){ .name = text.data, .kind = FRAME_MARK });
}

static bool waits(const struct frames *f, const struct profile_row *row)
{
	return f->opts->states && profile_state(f->profile, row->state)->kind != STATE_RUNNING;
}

const uint32_t *frames_of(struct frames *f, const struct profile_row *row, size_t *n)
{
	uint32_t depth = stacks_depth(f->stacks, row->node), node = row->node, at = depth;
	bool leaf = waits(f, row);

	f->path.len = 0;
	for (uint32_t i = 0; i < depth + leaf; i++)
		if (vec_push(&f->path, 0))
			return NULL;
	for (; node != STACKS_ROOT; node = stacks_parent(f->stacks, node)) {
		f->path.at[--at] = frame_of(f, stacks_frame(f->stacks, node));
		if (f->path.at[at] == NO_FRAME)
			return NULL;
	}
	if (leaf)
		f->path.at[depth] = state_of(f, row->state);
	*n = depth + leaf;
	return leaf && f->path.at[depth] == NO_FRAME ? NULL : f->path.at;
}

struct names *frames_names(const struct frames *f)
{
	return f->names;
}

uint32_t frames_count(const struct frames *f)
{
	return f->all.len;
}

const struct frame *frames_at(const struct frames *f, uint32_t i)
{
	return &f->all.at[i].frame;
}

uint32_t frames_function(const struct frames *f, uint32_t i)
{
	return f->all.at[i].function;
}
