/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	EVENT_NATIVE ─► helper: mappings ─► a range of map native_maps, and native_procs
 *	struct wire_copy ─► helper: frames ─┐
 *	struct wire_native ─────────────────┴─► waiting ─► names ─► (once a second) merge ─► samples.c
 *
 *	native_maps   │ process 1 │ process 2 │ free since 1 s │ process 3 │ never used ...
 *
 * A range that is left is reused after a second: no program runs that long. Names are asked for when the
 * ring was read, all together, because each question goes through a file's symbol table. Some are in the
 * memory of a process, which may be gone by then: another process of the same file is asked again.
 *
 * Which C frames show depends on names. The function of the interpreter's loop is known from frames that
 * have Python frames, whatever its name; other frames of that function are being entered or left.
 */
#include "session/natives.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/aside.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "session/merge.h"
#include "session/natwork.h"
#include "session/procs.h"
#include "session/samples.h"
#include "sym/plumbing.h"

enum {
	REST_NS = 1000000000, /* before a range is used again */
	SOON_NS = 10000000,   /* mappings are not read again before */
	WAITING_MAX = 1 << 16,
	ASKED_MAX = 3, /* processes for one name */
};

struct range {
	uint32_t first, n;
	int64_t since; /* of a process: when it was read; of a free one: since when it is free */
};

/* A native stack that waits for names. */
struct waiting {
	struct proc_key proc;
	uint64_t id, python;
	size_t from, n; /* in frames */
	bool by_code;
};

/* What is known of a place in code; or of a function, by the place where it begins. */
struct known {
	uint32_t frame; /* of the model */
	uint32_t module;
	uint64_t function;
	bool hidden, loop, named;
	bool astray;   /* a return address that is behind no call */
	uint8_t asked; /* how many times, if it has no name */
	uint32_t tgid; /* of the process that was asked last */
};

struct natives {
	struct kern *kern;
	struct kern_native memory;
	const struct procs *procs;
	struct samples *samples;
	struct natwork_shared *shared;
	struct aside *aside;
	bool all;
	struct hmap *spaces; /* struct proc_key -> struct range */
	VEC(struct range) free;
	uint32_t top; /* first entry of native_maps that was never used */
	VEC(struct waiting) waiting;
	size_t named;          /* of those, how many were looked at for names */
	VEC(uint64_t) frames;  /* of those */
	struct hmap *places;   /* bits 47..0 of a frame -> struct known */
	struct hmap *loops;    /* functions that have run Python frames */
	struct hmap *interps;  /* files with such functions, in texts */
	struct strpool *texts; /* paths of files */
	struct natives_sums sums;
};

struct natives *natives_new(struct kern *k, const struct procs *procs, struct samples *samples,
			    bool all)
{
	struct natives *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->kern = k;
	n->memory = kern_native(k);
	n->procs = procs;
	n->samples = samples;
	n->all = all;
	n->spaces = hmap_new(sizeof(struct proc_key), sizeof(struct range));
	n->places = hmap_new(sizeof(uint64_t), sizeof(struct known));
	n->loops = hmap_new(sizeof(uint64_t), 0);
	n->interps = hmap_new(sizeof(uint32_t), 0);
	n->texts = strpool_new();
	n->shared = natwork_share(&n->memory);
	n->aside = n->shared ? aside_new_with(&natwork_ops, n->memory.pools) : NULL;
	if (n->spaces && n->places && n->loops && n->interps && n->texts && n->aside)
		return n;
	natives_free(n);
	return NULL;
}

void natives_free(struct natives *n)
{
	if (!n)
		return;
	if (n->aside)
		aside_free(n->aside);
	natwork_unshare(n->shared);
	hmap_free(n->spaces);
	hmap_free(n->places);
	hmap_free(n->loops);
	hmap_free(n->interps);
	strpool_free(n->texts);
	vec_done(&n->free);
	vec_done(&n->waiting);
	vec_done(&n->frames);
	free(n);
}

int natives_follow(struct natives *n)
{
	return aside_follow(n->aside);
}

/* --- questions to the helper ------------------------------------------------------------------ */

struct answer {
	struct buf bytes;
	int code;
};

static void take(void *ctx, int code, const void *data, size_t len)
{
	struct answer *a = ctx;

	a->code = code;
	if (!code && len)
		buf_add(&a->bytes, data, len);
}

static void answer_done(struct answer *a)
{
	buf_done(&a->bytes);
}

/* 0, or -errno: also if the helper hangs, or did a moment ago. */
static int ask(struct natives *n, enum natwork_op op, const struct proc_key *proc, size_t count,
	       struct answer *ret)
{
	const struct natwork_ask q = { .shared = n->shared, .proc = *proc, .n = count };
	int err = aside_ask(n->aside, proc->tgid, op, &q, sizeof(q), take, ret);

	return err ? err : ret->code ? ret->code : ret->bytes.err;
}

/* --- mappings --------------------------------------------------------------------------------- */

static int give_back(struct natives *n, struct range r)
{
	r.since = clock_ns();
	return r.n ? vec_push(&n->free, r) : 0;
}

/* Takes a range of @count entries. False: there is none. */
static bool take_range(struct natives *n, uint32_t count, struct range *ret)
{
	int64_t now = clock_ns();

	for (size_t i = 0; i < n->free.len; i++) {
		struct range *r = &n->free.at[i];

		if (r->n < count || now - r->since < REST_NS)
			continue;
		*ret = (struct range){ r->first, count, now };
		r->first += count;
		r->n -= count;
		if (!r->n)
			*r = n->free.at[--n->free.len];
		return true;
	}
	if (count > n->memory.n_maps - n->top)
		return false;
	*ret = (struct range){ n->top, count, now };
	n->top += count;
	return true;
}

/* Tells the programs where the process's mappings are. What they have learned of it stays. */
static int publish(struct natives *n, const struct proc_key *proc, const struct range *r)
{
	struct native_proc p = {};

	kern_get_native(n->kern, proc, &p);
	p.maps = (uint64_t)r->n << 32 | r->first;
	return kern_set_native(n->kern, proc, &p);
}

static int put_maps(struct natives *n, const struct proc_key *proc, const struct native_map *maps,
		    uint32_t count)
{
	struct range fresh = { .since = clock_ns() }, *slot;
	bool is_new;
	int err = 0;

	if (count && !take_range(n, count, &fresh))
		n->sums.refused++;
	memcpy(&n->memory.maps[fresh.first], maps, fresh.n * sizeof(*maps));
	publish(n, proc, &fresh);
	slot = hmap_put(n->spaces, proc, &is_new);
	if (!slot)
		return -ENOMEM;
	if (!is_new)
		err = give_back(n, *slot);
	n->sums.processes += is_new;
	*slot = fresh;
	return err;
}

/* A process whose mappings cannot be read has none: its native stacks say so. */
static int read_maps(struct natives *n, const struct proc_key *proc)
{
	const struct range *known = hmap_get(n->spaces, proc);
	_cleanup_(answer_done) struct answer a = {};
	size_t count = 0;

	if (known && clock_ns() - known->since < SOON_NS)
		return 0;
	n->sums.reads++;
	if (!ask(n, NATWORK_MAPS, proc, 0, &a))
		count = a.bytes.len / sizeof(struct native_map);
	if (!count && known && known->n)
		return 0;
	return put_maps(n, proc, (const void *)(a.bytes.data ? a.bytes.data : ""), count);
}

int natives_event(struct natives *n, const struct wire_event *event)
{
	return read_maps(n, &event->proc);
}

void natives_second(struct natives *n)
{
	VEC(struct proc_key) gone = {};
	const struct proc_key *key;
	const void *at;
	size_t pos = 0;

	while (hmap_each(n->spaces, &pos, &at, NULL)) {
		struct proc_key proc;

		memcpy(&proc, at, sizeof(proc));
		if (!procs_get(n->procs, &proc) && vec_push(&gone, proc))
			break;
	}
	vec_each (&gone, key) {
		kern_del_native(n->kern, key);
		give_back(n, *(struct range *)hmap_get(n->spaces, key));
		hmap_del(n->spaces, key);
	}
	vec_done(&gone);
}

/* --- stacks ----------------------------------------------------------------------------------- */

static int keep(struct natives *n, const struct waiting *w, const uint64_t *frames)
{
	struct waiting fresh = *w;
	int err = 0;

	if (n->waiting.len >= WAITING_MAX)
		return 0; /* its samples count as ones whose stack was not received */
	fresh.from = n->frames.len;
	for (size_t i = 0; i < w->n && !err; i++)
		err = vec_push(&n->frames, frames[i]);
	return err ? err : vec_push(&n->waiting, fresh);
}

int natives_stack(struct natives *n, const struct wire_native *stack, const uint64_t *frames)
{
	const struct waiting w = { .proc = stack->proc,
				   .id = stack->id,
				   .python = stack->python,
				   .n = stack->count,
				   .by_code = stack->by_code };

	return keep(n, &w, frames);
}

int natives_copy(struct natives *n, const struct wire_copy *copy)
{
	_cleanup_(answer_done) struct answer a = {};
	uint64_t pending = NATIVE_FRAME_ABSOLUTE | NATIVE_NO_CHUNK;
	struct waiting w = { .proc = copy->proc,
			     .id = copy->id,
			     .python = copy->python,
			     .n = 1,
			     .by_code = copy->by_code };

	_Static_assert(sizeof(*copy) + WIRE_COPY_PAGES * WIRE_PAGE <= NATWORK_ROOM, "room");
	memcpy(n->shared->room, copy, sizeof(*copy) + copy->len);
	if (ask(n, NATWORK_COPY, &copy->proc, 0, &a) || !a.bytes.len) {
		n->sums.unfinished++;
		return keep(n, &w, &pending);
	}
	n->sums.finished++;
	w.n = a.bytes.len / sizeof(uint64_t);
	return keep(n, &w, (const void *)a.bytes.data);
}

/* --- names ------------------------------------------------------------------------------------ */

/* The name in the result: for a function without a name, its address in the file. */
static int name_of(const struct natwork_name *name, const char *text, struct buf *ret)
{
	if (name->name_len)
		buf_add(ret, text, name->name_len);
	else
		buf_printf(ret, "0x%llx", (unsigned long long)name->address);
	return ret->err;
}

/* Adds the frame for a function called @shown in the model. */
static uint32_t add_frame(struct natives *n, const struct natwork_name *name, const char *shown,
			  const char *path, const char *id)
{
	const struct module module = {
		.path = path,
		.build_id = id,
		.start = name->start,
		.size = name->size,
		.offset = name->offset,
	};

	return samples_native_frame(n->samples, shown, name->address, &module);
}

static int learn(struct natives *n, uint32_t tgid, uint64_t where, const struct natwork_name *name,
		 const char *text)
{
	_cleanup_(buf_done) struct buf shown = {}, module = {}, id = {};
	struct known k = { .function = name->function,
			   .named = name->name_len,
			   .astray = name->astray,
			   .tgid = tgid },
		     *slot;
	bool fresh;

	if (name->module_len)
		buf_add(&module, text + name->name_len, name->module_len);
	if (name->id_len)
		buf_add(&id, text + name->name_len + name->module_len, name->id_len);
	if (name_of(name, text, &shown) || module.err || id.err)
		return -ENOMEM;
	k.frame = add_frame(n, name, shown.data, module.data ? module.data : "",
			    id.data ? id.data : "");
	k.module = strpool_add(n->texts, module.data ? module.data : "", module.len);
	k.hidden = k.named && plumbing_is(shown.data);
	k.loop = k.named && plumbing_is_loop(shown.data);
	slot = hmap_put(n->places, &where, &fresh);
	if (!slot || k.frame == PROFILE_NONE || k.module == UINT32_MAX)
		return -ENOMEM;
	k.asked = fresh ? 1 : slot->asked + 1;
	n->sums.functions += fresh;
	n->sums.unnamed += !k.named - (!fresh && !slot->named);
	*slot = k;
	return 0;
}

/* What the helper could not tell: the place shows as what it is. */
static int learn_nothing(struct natives *n, uint32_t tgid, uint64_t where)
{
	const struct natwork_name none = { .function = where, .address = where };

	return learn(n, tgid, where, &none, "");
}

static int take_names(struct natives *n, uint32_t tgid, const uint64_t *frames, size_t count,
		      const struct buf *from)
{
	const char *at = from->data;
	size_t left = from->len, len;
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		uint64_t where = frames[i] & NATIVE_FRAME_WHERE;
		struct natwork_name name;

		if (left < sizeof(name)) {
			err = learn_nothing(n, tgid, where);
			continue;
		}
		memcpy(&name, at, sizeof(name));
		at += sizeof(name);
		left -= sizeof(name);
		len = (size_t)name.name_len + name.module_len + name.id_len;
		if (left < len)
			return -EBADMSG;
		err = learn(n, tgid, where, &name, at);
		at += len;
		left -= len;
	}
	return err;
}

typedef VEC(uint64_t) place_vec;

static int name_places(struct natives *n, const struct proc_key *proc, const place_vec *places)
{
	enum { MOST = NATWORK_ROOM / sizeof(uint64_t) };
	int err = 0;

	for (size_t i = 0; i < places->len && !err; i += MOST) {
		size_t count = places->len - i < MOST ? places->len - i : MOST;
		_cleanup_(answer_done) struct answer a = {};

		memcpy(n->shared->room, places->at + i, count * sizeof(uint64_t));
		if (ask(n, NATWORK_NAMES, proc, count, &a))
			buf_clear(&a.bytes);
		err = take_names(n, proc->tgid, places->at + i, count, &a.bytes);
	}
	return err;
}

static bool is_known(const struct natives *n, uint64_t where, uint32_t tgid)
{
	const struct known *k = hmap_get(n->places, &where);

	return k && (k->named || k->asked >= ASKED_MAX || k->tgid == tgid);
}

/* Adds a frame for each place of a stack that is not known yet. */
static int add_places(struct natives *n, const struct waiting *w, struct hmap *asked,
		      place_vec *places)
{
	int err = 0;

	for (size_t i = 0; i < w->n && !err; i++) {
		uint64_t frame = n->frames.at[w->from + i], where = frame & NATIVE_FRAME_WHERE;
		bool fresh;

		if ((frame & NATIVE_FRAME_ABSOLUTE) || is_known(n, where, w->proc.tgid))
			continue;
		if (!hmap_put(asked, &where, &fresh))
			err = -ENOMEM;
		else if (fresh)
			err = vec_push(places, frame);
	}
	return err;
}

/* Names the new places of the stacks of one process, from number @i on. */
static int name_process(struct natives *n, size_t i)
{
	_cleanup_(hmap_freep) struct hmap *asked = hmap_new(sizeof(uint64_t), 0);
	const struct proc_key proc = n->waiting.at[i].proc;
	place_vec places = {};
	int err = asked ? 0 : -ENOMEM;

	for (; i < n->waiting.len && !err; i++)
		if (!memcmp(&n->waiting.at[i].proc, &proc, sizeof(proc)))
			err = add_places(n, &n->waiting.at[i], asked, &places);
	if (!err)
		err = name_places(n, &proc, &places);
	vec_done(&places);
	return err;
}

static int name_all(struct natives *n)
{
	_cleanup_(hmap_freep) struct hmap *done = hmap_new(sizeof(struct proc_key), 0);
	int err = done ? 0 : -ENOMEM;
	bool fresh;

	for (size_t i = n->named; i < n->waiting.len && !err; i++) {
		if (!hmap_put(done, &n->waiting.at[i].proc, &fresh))
			err = -ENOMEM;
		else if (fresh)
			err = name_process(n, i);
	}
	n->named = n->waiting.len;
	return err;
}

/* Functions that have Python frames are the loop. */
static int note_loops(struct natives *n)
{
	const uint64_t *frame;
	int err = 0;

	vec_each (&n->frames, frame) {
		uint64_t where = *frame & NATIVE_FRAME_WHERE;
		const struct known *k = hmap_get(n->places, &where);

		if (err || !(*frame & NATIVE_FRAME_LOOP) || (*frame & NATIVE_FRAME_ABSOLUTE) || !k)
			continue;
		if (!hmap_put(n->loops, &k->function, NULL) ||
		    !hmap_put(n->interps, &k->module, NULL))
			err = -ENOMEM;
	}
	return err;
}

/* --- merging ---------------------------------------------------------------------------------- */

static enum merge_look look(void *ctx, uint64_t native, uint32_t *ret)
{
	struct natives *n = ctx;
	uint64_t where = native & NATIVE_FRAME_WHERE;
	const struct known *k = hmap_get(n->places, &where);

	if (!k)
		return MERGE_HIDE;
	*ret = k->frame;
	if (k->loop || hmap_get(n->loops, &k->function))
		return MERGE_LOOP;
	/* A stripped interpreter has names only for what Python code calls. */
	if (k->hidden || (!k->named && hmap_get(n->interps, &k->module)))
		return MERGE_HIDE;
	return MERGE_SHOW;
}

static uint32_t marker(void *ctx, uint32_t end)
{
	struct natives *n = ctx;

	return samples_native_marker(n->samples, end);
}

/*
 * A library may have been replaced by another one at the same address. Then return addresses are behind no
 * call in the file that was there before. (The last frame of a thread or a fiber may have been made, not called.)
 */
static bool is_astray(const struct natives *n, const struct waiting *w)
{
	for (size_t i = 0; i + 1 < w->n; i++) {
		uint64_t frame = n->frames.at[w->from + i], where = frame & NATIVE_FRAME_WHERE;
		const struct known *k =
			(frame & NATIVE_FRAME_RETURN) && !(frame & NATIVE_FRAME_ABSOLUTE)
				? hmap_get(n->places, &where)
				: NULL;

		if (k && k->astray)
			return true;
	}
	return false;
}

static int merge_one(struct natives *n, const struct waiting *w)
{
	static const uint64_t changed = NATIVE_FRAME_ABSOLUTE | NATIVE_ASTRAY;
	const struct merge_ops ops = { look, marker, n };
	struct merge m = { .native = n->frames.at + w->from,
			   .natives = w->n,
			   .by_code = w->by_code,
			   .all = n->all };
	int err = 0;

	if (is_astray(n, w)) {
		err = read_maps(n, &w->proc);
		m.native = &changed;
		m.natives = 1;
	}
	return err ? err : samples_native(n->samples, w->id, w->python, &m, &ops);
}

int natives_turn(struct natives *n)
{
	return name_all(n);
}

int natives_settle(struct natives *n)
{
	const struct waiting *w;
	int err = name_all(n);

	if (!err)
		err = note_loops(n);
	vec_each (&n->waiting, w)
		if (!err)
			err = merge_one(n, w);
	n->waiting.len = n->named = 0;
	n->frames.len = 0;
	return err;
}

struct natives_sums natives_sums(const struct natives *n)
{
	return n->sums;
}
