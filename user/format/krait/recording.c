/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Equal frames of all files share a number, except markers, because each may be replaced by a different frame
 * later. The depth of stacks is bounded, because formats walk a stack each time they count it.
 */
#include "format/krait/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "base/vec.h"

enum { DEPTH_MAX = 8192 };
#define MS_MAX (INT64_C(1) << 40) /* 34 years */

struct recording {
	struct profile *profile;
	struct stacks *stacks;
	struct strpool *texts;
	struct hmap *frame_ids; /* struct recording_frame -> u32 */
	struct hmap *modules;   /* struct module -> the same, on the heap */
	VEC(struct frame) frames;
	VEC(uint16_t) depths; /* by node */
	struct profile_meta meta;
	bool any; /* a file was added */
};

static void resolve(void *ctx, uint32_t id, struct frame *ret)
{
	const struct recording *r = ctx;

	if (id < r->frames.len)
		*ret = r->frames.at[id];
}

struct recording *recording_new(void)
{
	_cleanup_(recording_freep) struct recording *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->profile = profile_new();
	r->stacks = stacks_new();
	r->texts = strpool_new();
	r->frame_ids = hmap_new(sizeof(struct recording_frame), sizeof(uint32_t));
	r->modules = hmap_new(sizeof(struct module), sizeof(struct module *));
	if (!r->profile || !r->stacks || !r->texts || !r->frame_ids || !r->modules ||
	    vec_push(&r->depths, 0))
		return NULL;
	profile_set_resolver(r->profile, resolve, r);
	return take_ptr(r);
}

static void free_modules(struct recording *r)
{
	size_t pos = 0;
	void *module;

	while (r->modules && hmap_each(r->modules, &pos, NULL, &module))
		free(*(struct module **)module);
	hmap_free(r->modules);
}

void recording_free(struct recording *r)
{
	if (!r)
		return;
	profile_free(r->profile);
	stacks_free(r->stacks);
	strpool_free(r->texts);
	hmap_free(r->frame_ids);
	free_modules(r);
	vec_done(&r->frames);
	vec_done(&r->depths);
	free(r);
}

struct profile *recording_profile(struct recording *r)
{
	return r->profile;
}

struct stacks *recording_stacks(struct recording *r)
{
	return r->stacks;
}

/* --- texts, frames, nodes --------------------------------------------------------------------- */

int recording_add_text(struct recording *r, const char *text, size_t len, uint32_t *ret)
{
	*ret = strpool_add(r->texts, text, len);
	return *ret == UINT32_MAX ? -ENOMEM : 0;
}

const char *recording_text(const struct recording *r, uint32_t text)
{
	return strpool_str(r->texts, text);
}

static struct frame frame_of(const struct recording *r, const struct recording_frame *key)
{
	return (struct frame){ .name = strpool_str(r->texts, key->name),
			       .file = key->file ? strpool_str(r->texts, key->file - 1) : NULL,
			       .line = key->line,
			       .first = key->first,
			       .kind = key->kind,
			       .approximate = key->approximate,
			       .address = key->address,
			       .module = key->module };
}

/* Equal texts have one address in the recording, so a module is its own key. */
int recording_add_module(struct recording *r, const struct module *module,
			 const struct module **ret)
{
	struct module **slot;
	bool fresh;

	slot = hmap_put(r->modules, module, &fresh);
	if (!slot)
		return -ENOMEM;
	if (fresh) {
		*slot = malloc(sizeof(*module));
		if (!*slot)
			return -ENOMEM;
		**slot = *module;
	}
	*ret = *slot;
	return 0;
}

int recording_add_frame(struct recording *r, const struct recording_frame *key, uint32_t *ret)
{
	uint32_t *id = NULL;
	bool fresh = true;

	if (key->kind != FRAME_MARK) {
		id = hmap_put(r->frame_ids, key, &fresh);
		if (!id)
			return -ENOMEM;
	}
	if (fresh && vec_push(&r->frames, frame_of(r, key)))
		return -ENOMEM;
	if (id && fresh)
		*id = r->frames.len - 1;
	*ret = id ? *id : r->frames.len - 1;
	return 0;
}

int recording_set_frame(struct recording *r, uint32_t frame, const struct recording_frame *now)
{
	if (r->frames.at[frame].kind != FRAME_MARK)
		return -EBADMSG;
	r->frames.at[frame] = frame_of(r, now);
	return 0;
}

static int set_depth(struct recording *r, uint32_t parent, uint32_t node)
{
	uint16_t depth = r->depths.at[parent] + 1;

	if (depth > DEPTH_MAX)
		return -EBADMSG;
	return node < r->depths.len ? 0 : vec_push(&r->depths, depth);
}

int recording_add_node(struct recording *r, uint32_t parent, uint32_t frame, uint32_t *ret)
{
	*ret = stacks_push(r->stacks, parent, frame);
	return *ret == STACKS_NONE ? -ENOMEM : set_depth(r, parent, *ret);
}

/* --- files ------------------------------------------------------------------------------------ */

static int differ(const char *name, const char *what, const char *a, const char *b, struct err *err)
{
	return err_set(err, -EINVAL,
		       "recording: '%s': cannot be merged: its %s is '%s', that of the others "
		       "'%s'; report it separately",
		       name, what, b, a);
}

static int compare_meta(const struct recording *r, const char *name, const struct profile_meta *b,
			struct err *err)
{
	const struct profile_meta *a = &r->meta;
	char hz[2][32];

	if (strcmp(a->unit, b->unit))
		return differ(name, "unit", a->unit, b->unit, err);
	if (strcmp(a->mode, b->mode))
		return differ(name, "mode", a->mode, b->mode, err);
	if (strcmp(a->event, b->event))
		return differ(name, "event", a->event, b->event, err);
	snprintf(hz[0], sizeof(hz[0]), "%g", a->asked_hz);
	snprintf(hz[1], sizeof(hz[1]), "%g", b->asked_hz);
	return strcmp(hz[0], hz[1]) ? differ(name, "rate", hz[0], hz[1], err) : 0;
}

static int64_t ms_between(const struct timespec *a, const struct timespec *b)
{
	return (b->tv_sec - a->tv_sec) * 1000 + (b->tv_nsec - a->tv_nsec) / 1000000;
}

int recording_place(const struct recording *r, const char *name, const struct profile_meta *meta,
		    int64_t *ret_ms, struct err *err)
{
	int code = r->any ? compare_meta(r, name, meta, err) : 0;

	*ret_ms = 0;
	if (code || !r->any)
		return code;
	*ret_ms = ms_between(&r->meta.started, &meta->started);
	if (*ret_ms < 0 || *ret_ms > MS_MAX)
		return err_set(err, -EINVAL,
			       "recording: '%s': began %" PRId64
			       " s before or after the first one; report it separately",
			       name, *ret_ms / 1000);
	return 0;
}

/* Merges the meta of another file; for different hosts, the host name lists both. */
static void add_meta(struct recording *r, const struct profile_meta *b)
{
	struct profile_meta *a = &r->meta;
	double seconds = a->seconds + b->seconds;
	char host[sizeof(a->host)];

	if (seconds > 0)
		a->achieved_hz =
			(a->achieved_hz * a->seconds + b->achieved_hz * b->seconds) / seconds;
	a->seconds = seconds;
	if (!strcmp(a->host, b->host) || strstr(a->host, "+"))
		return;
	memcpy(host, a->host, sizeof(host));
	snprintf(a->host, sizeof(a->host), "%.30s+%.30s", host, b->host);
}

static uint64_t lost_before(const struct recording *r, const char *name)
{
	size_t n;
	const struct profile_loss *all = profile_losses(r->profile, &n);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i].name, name))
			return all[i].count;
	return 0;
}

int recording_finish(struct recording *r, const struct profile_meta *meta,
		     const struct profile_loss *losses, size_t n)
{
	int err = 0;

	if (r->any)
		add_meta(r, meta);
	else
		r->meta = *meta;
	r->any = true;
	profile_set_meta(r->profile, &r->meta);
	for (size_t i = 0; i < n && !err; i++)
		err = profile_set_loss(r->profile, losses[i].name, losses[i].text,
				       lost_before(r, losses[i].name) + losses[i].count);
	return err;
}
