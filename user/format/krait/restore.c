/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	numbers in the file --> struct reading --> numbers in the recording	one such table for each file
 *
 * A table has a function for each field of store.h; each function validates everything that it reads.
 */
#include "format/krait/restore.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/proto.h"
#include "base/vec.h"
#include "format/krait/block.h"
#include "format/krait/store.h"

enum { TEXT_MAX = 1 << 20, STATES_MAX = 1 << 20, LOSSES_MAX = 256 };
#define WEIGHT_MAX (UINT64_C(1) << 48)
#define MS_MAX     (UINT64_C(1) << 40) /* 34 years */

/* A file that is being read; its vectors map numbers in the file to numbers in the recording. */
struct reading {
	struct recording *r;
	const char *name;
	VEC(uint32_t) texts, containers, processes, threads, states, frames, nodes;
	VEC(const struct module *) modules;
	VEC(struct profile_loss) losses;
	struct profile_meta meta;
	int64_t offset_ms; /* start of the file, relative to the start of the recording */
	bool ended;
};

static void reading_done(struct reading *f)
{
	vec_done(&f->texts);
	vec_done(&f->containers);
	vec_done(&f->processes);
	vec_done(&f->threads);
	vec_done(&f->states);
	vec_done(&f->frames);
	vec_done(&f->nodes);
	vec_done(&f->modules);
	vec_done(&f->losses);
}

static struct profile *profile_of(const struct reading *f)
{
	return recording_profile(f->r);
}

/* --- fields of a message ---------------------------------------------------------------------- */

enum { FIELDS = 16 };

/* The fields of a small message by number; of a repeated field the last value. */
struct fields {
	uint64_t value[FIELDS];
	struct proto bytes[FIELDS];
};

static int read_fields(struct proto p, struct fields *ret)
{
	struct proto_field f;
	int r;

	*ret = (struct fields){};
	while ((r = proto_next(&p, &f)) == 1) {
		if (f.number >= FIELDS)
			continue;
		ret->value[f.number] = f.value;
		ret->bytes[f.number] = f.bytes;
	}
	return r;
}

/* Copies a text into a fixed-size field, NUL-terminated. */
static void copy_text(char *to, size_t size, struct proto from)
{
	size_t len = from.end - from.at;

	if (len >= size)
		len = size - 1;
	if (len)
		memcpy(to, from.at, len);
	to[len] = '\0';
}

/* Stores a text up to its first NUL, because all users take C strings. NULL: out of memory. */
static const char *keep_text(struct recording *r, struct proto from)
{
	size_t len = from.end - from.at;
	uint32_t id;

	if (recording_add_text(r, (const char *)from.at,
			       len ? strnlen((const char *)from.at, len) : 0, &id))
		return NULL;
	return recording_text(r, id);
}

/* --- tables of a file ------------------------------------------------------------------------- */

/* A rate or a time; 0, unknown, if it is not a sensible number. */
static double sane(uint64_t bits)
{
	double v = proto_as_double(bits);

	return isfinite(v) && v >= 1e-6 && v <= 1e9 ? v : 0;
}

static int read_meta(struct reading *f, struct proto p)
{
	struct profile_meta m = {};
	struct fields v;
	int err = read_fields(p, &v);

	copy_text(m.host, sizeof(m.host), v.bytes[META_HOST]);
	copy_text(m.mode, sizeof(m.mode), v.bytes[META_MODE]);
	copy_text(m.event, sizeof(m.event), v.bytes[META_EVENT]);
	copy_text(m.unit, sizeof(m.unit), v.bytes[META_UNIT]);
	copy_text(m.krait, sizeof(m.krait), v.bytes[META_KRAIT]);
	m.asked_hz = sane(v.value[META_ASKED_HZ]);
	m.achieved_hz = sane(v.value[META_ACHIEVED_HZ]);
	m.seconds = sane(v.value[META_SECONDS]);
	if (v.value[META_STARTED_S] > UINT32_MAX * 4ULL || v.value[META_STARTED_NS] > 999999999)
		return -EBADMSG;
	m.started.tv_sec = v.value[META_STARTED_S];
	m.started.tv_nsec = v.value[META_STARTED_NS];
	m.boot = v.value[META_BOOT];
	f->meta = m;
	return err;
}

static int read_text(struct reading *f, struct proto p)
{
	size_t len = p.end - p.at;
	uint32_t id;
	int err;

	if (len > TEXT_MAX || (len && memchr(p.at, '\0', len)))
		return -EBADMSG;
	err = recording_add_text(f->r, (const char *)p.at, len, &id);
	return err ? err : vec_push(&f->texts, id);
}

static int container_of_fields(struct recording *r, const struct fields *v, struct container *ret)
{
	const char **const texts[] = {
		[CONTAINER_ID] = &ret->id,           [CONTAINER_NAME] = &ret->name,
		[CONTAINER_ENGINE] = &ret->engine,   [CONTAINER_IMAGE] = &ret->image,
		[CONTAINER_POD] = &ret->pod,         [CONTAINER_NS] = &ret->ns,
		[CONTAINER_POD_UID] = &ret->pod_uid, [CONTAINER_UNIT] = &ret->unit,
		[CONTAINER_LABELS] = &ret->labels,
	};

	for (size_t i = CONTAINER_ID; i <= CONTAINER_LABELS; i++) {
		if (!texts[i])
			continue;
		*texts[i] = keep_text(r, v->bytes[i]);
		if (!*texts[i])
			return -ENOMEM;
	}
	return 0;
}

static int read_container(struct reading *f, struct proto p)
{
	struct container c = {};
	struct fields v;
	uint32_t i;

	if (read_fields(p, &v))
		return -EBADMSG;
	if (container_of_fields(f->r, &v, &c))
		return -ENOMEM;
	i = profile_add_container(profile_of(f), &c);
	return i == PROFILE_NONE ? -ENOMEM : vec_push(&f->containers, i);
}

static int read_container_is(struct reading *f, struct proto p)
{
	struct container c = {};
	struct fields v;
	uint64_t i;

	if (read_fields(p, &v))
		return -EBADMSG;
	i = v.value[CONTAINER_NUMBER];
	if (!i || i >= f->containers.len)
		return -EBADMSG;
	if (container_of_fields(f->r, &v, &c))
		return -ENOMEM;
	return profile_set_container(profile_of(f), f->containers.at[i], &c);
}

/* Files of older versions have no boot id; then all boots of a host are taken as one. */
static uint64_t boot_of(const struct reading *f, uint64_t said)
{
	static const uint64_t seed[2] = { 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f };

	if (said || f->meta.boot)
		return said ? said : f->meta.boot;
	return hmap_hash(f->meta.host, strlen(f->meta.host), seed);
}

static int set_process(struct reading *f, const struct fields *v, uint32_t process)
{
	const char *flavour = keep_text(f->r, v->bytes[PROCESS_FLAVOUR]);

	if (!flavour)
		return -ENOMEM;
	if (v->value[PROCESS_CONTAINER] >= f->containers.len)
		return -EBADMSG;
	profile_set_process_container(profile_of(f), process,
				      f->containers.at[v->value[PROCESS_CONTAINER]]);
	profile_set_process_version(profile_of(f), process, v->value[PROCESS_VERSION], flavour);
	profile_set_process_start(profile_of(f), process, v->value[PROCESS_START],
				  boot_of(f, v->value[PROCESS_BOOT]));
	return 0;
}

static int read_process(struct reading *f, struct proto p)
{
	char comm[PROFILE_COMM];
	struct fields v;
	uint32_t process;

	if (read_fields(p, &v) || v.value[PROCESS_PID] > UINT32_MAX)
		return -EBADMSG;
	copy_text(comm, sizeof(comm), v.bytes[PROCESS_COMM]);
	process = profile_add_process(profile_of(f), v.value[PROCESS_PID], comm);
	if (process == PROFILE_NONE || vec_push(&f->processes, process))
		return -ENOMEM;
	return set_process(f, &v, process);
}

static int read_process_is(struct reading *f, struct proto p)
{
	char comm[PROFILE_COMM];
	struct fields v;
	uint32_t process;

	if (read_fields(p, &v) || v.value[PROCESS_NUMBER] >= f->processes.len)
		return -EBADMSG;
	process = f->processes.at[v.value[PROCESS_NUMBER]];
	copy_text(comm, sizeof(comm), v.bytes[PROCESS_COMM]);
	profile_set_process_comm(profile_of(f), process, comm);
	return set_process(f, &v, process);
}

static int read_thread(struct reading *f, struct proto p)
{
	char comm[PROFILE_NAME];
	struct fields v;
	uint32_t thread;

	if (read_fields(p, &v) || v.value[THREAD_PROCESS] >= f->processes.len ||
	    v.value[THREAD_TID] > UINT32_MAX)
		return -EBADMSG;
	copy_text(comm, sizeof(comm), v.bytes[THREAD_COMM]);
	/* The thread's number is its life: it tells threads with the same tid apart. */
	thread = profile_add_life(profile_of(f), f->processes.at[v.value[THREAD_PROCESS]],
				  v.value[THREAD_TID], f->threads.len + 1, comm);
	if (thread == PROFILE_NONE || vec_push(&f->threads, thread))
		return -ENOMEM;
	profile_set_thread_start(profile_of(f), thread, v.value[THREAD_START]);
	return 0;
}

static int read_thread_is(struct reading *f, struct proto p)
{
	char comm[PROFILE_NAME];
	struct fields v;

	if (read_fields(p, &v) || v.value[THREAD_NUMBER] >= f->threads.len)
		return -EBADMSG;
	copy_text(comm, sizeof(comm), v.bytes[THREAD_COMM]);
	profile_set_thread_comm(profile_of(f), f->threads.at[v.value[THREAD_NUMBER]], comm);
	profile_set_thread_start(profile_of(f), f->threads.at[v.value[THREAD_NUMBER]],
				 v.value[THREAD_START]);
	return 0;
}

static int read_state(struct reading *f, struct proto p)
{
	struct state state = {};
	struct fields v;
	uint32_t i;

	if (read_fields(p, &v) || f->states.len >= STATES_MAX ||
	    profile_states(profile_of(f)) >= STATES_MAX)
		return -EBADMSG;
	/* Kinds of later versions are unknown here. */
	state.kind = v.value[STATE_KIND] < STATE_KINDS ? v.value[STATE_KIND] : STATE_UNKNOWN;
	state.leaf = v.value[STATE_LEAF] < LEAF_KINDS ? v.value[STATE_LEAF] : LEAF_UNKNOWN;
	if (state.kind != STATE_RUNNING)
		state.leaf = LEAF_UNKNOWN;
	state.holds_gil = v.value[STATE_HOLDS_GIL];
	state.call = keep_text(f->r, v.bytes[STATE_CALL]);
	state.module = keep_text(f->r, v.bytes[STATE_MODULE]);
	state.task = keep_text(f->r, v.bytes[STATE_TASK]);
	if (!state.call || !state.module || !state.task)
		return -ENOMEM;
	if (!*state.call)
		state.call = NULL;
	if (!*state.module || state.leaf != LEAF_NATIVE)
		state.module = NULL;
	if (!*state.task)
		state.task = NULL;
	i = profile_add_state(profile_of(f), &state);
	return i == PROFILE_NONE ? -ENOMEM : vec_push(&f->states, i);
}

/* --- stacks ----------------------------------------------------------------------------------- */

/* Kinds of later versions read as markers. */
static enum frame_kind kind_of(uint64_t kind)
{
	return kind <= FRAME_KERNEL ? (enum frame_kind)kind : FRAME_MARK;
}

static int read_module(struct reading *f, struct proto p)
{
	struct module m = {};
	const struct module *kept;
	struct fields v;
	int err;

	if (read_fields(p, &v) || v.value[MODULE_PATH] >= f->texts.len || !v.value[MODULE_SIZE] ||
	    v.value[MODULE_START] + v.value[MODULE_SIZE] < v.value[MODULE_START])
		return -EBADMSG;
	m.path = recording_text(f->r, f->texts.at[v.value[MODULE_PATH]]);
	m.build_id = keep_text(f->r, v.bytes[MODULE_BUILD_ID]);
	m.start = v.value[MODULE_START];
	m.size = v.value[MODULE_SIZE];
	m.offset = v.value[MODULE_OFFSET];
	err = m.build_id ? recording_add_module(f->r, &m, &kept) : -ENOMEM;
	return err ? err : vec_push(&f->modules, kept);
}

static int read_frame_text(const struct reading *f, struct proto p, struct fields *v,
			   struct recording_frame *key)
{
	if (read_fields(p, v) || v->value[FRAME_NAME] >= f->texts.len ||
	    v->value[FRAME_FILE] > f->texts.len || v->value[FRAME_LINE] > INT32_MAX ||
	    v->value[FRAME_FIRST] > INT32_MAX || v->value[FRAME_MODULE] > f->modules.len)
		return -EBADMSG;
	*key = (struct recording_frame){
		.name = f->texts.at[v->value[FRAME_NAME]],
		.line = v->value[FRAME_LINE],
		.first = v->value[FRAME_FIRST],
		.kind = kind_of(v->value[FRAME_KIND]),
		.approximate = !!v->value[FRAME_APPROXIMATE],
	};
	if (v->value[FRAME_FILE])
		key->file = f->texts.at[v->value[FRAME_FILE] - 1] + 1;
	if (v->value[FRAME_MODULE] && key->kind == FRAME_NATIVE) {
		key->address = v->value[FRAME_ADDRESS];
		key->module = f->modules.at[v->value[FRAME_MODULE] - 1];
	}
	return 0;
}

static int read_frame(struct reading *f, struct proto p)
{
	struct recording_frame key;
	struct fields v;
	uint32_t id;
	int err = read_frame_text(f, p, &v, &key);

	if (!err)
		err = recording_add_frame(f->r, &key, &id);
	return err ? err : vec_push(&f->frames, id);
}

static int read_frame_is(struct reading *f, struct proto p)
{
	struct recording_frame key;
	struct fields v;
	int err = read_frame_text(f, p, &v, &key);

	if (err || v.value[FRAME_NUMBER] >= f->frames.len)
		return -EBADMSG;
	return recording_set_frame(f->r, f->frames.at[v.value[FRAME_NUMBER]], &key);
}

static int read_node(struct reading *f, uint64_t up, uint64_t frame)
{
	uint32_t node;
	int err;

	if (!up || up > f->nodes.len || frame >= f->frames.len)
		return -EBADMSG;
	err = recording_add_node(f->r, f->nodes.at[f->nodes.len - up], f->frames.at[frame], &node);
	return err ? err : vec_push(&f->nodes, node);
}

/* Reads a tuple of @n packed numbers. 1: done, 0: at the end, or -EBADMSG. */
static int next_tuple(struct proto *p, uint64_t *ret, int n)
{
	int r = proto_next_varint(p, &ret[0]);

	for (int i = 1; r == 1 && i < n; i++)
		r = proto_next_varint(p, &ret[i]) == 1 ? 1 : -EBADMSG;
	return r;
}

static int read_nodes(struct reading *f, struct proto p)
{
	uint64_t v[2];
	int r, err = 0;

	while (!err && (r = next_tuple(&p, v, 2)) == 1)
		err = read_node(f, v[0], v[1]);
	return err ? err : r;
}

/* --- counts ----------------------------------------------------------------------------------- */

static int read_count(struct reading *f, const uint64_t v[5], int64_t ms)
{
	if (v[0] >= f->threads.len || v[1] >= f->states.len || v[2] >= f->nodes.len ||
	    v[4] > WEIGHT_MAX || ms < 0 || (uint64_t)ms > MS_MAX)
		return -EBADMSG;
	profile_set_time(profile_of(f), (uint64_t)(ms + f->offset_ms) * 1000000);
	return profile_count(profile_of(f), f->threads.at[v[0]], f->nodes.at[v[2]],
			     f->states.at[v[1]], v[4]);
}

static int read_counts(struct reading *f, struct proto p)
{
	uint64_t v[5];
	int64_t ms = 0;
	int r, err = 0;

	while (!err && (r = next_tuple(&p, v, 5)) == 1) {
		ms = (int64_t)((uint64_t)ms + (uint64_t)proto_unzigzag(v[3]));
		err = read_count(f, v, ms);
	}
	return err ? err : r;
}

static int read_loss(struct reading *f, struct proto p)
{
	struct profile_loss loss, *it;
	struct fields v;

	if (read_fields(p, &v) || v.value[LOSS_COUNT] > WEIGHT_MAX)
		return -EBADMSG;
	loss = (struct profile_loss){ keep_text(f->r, v.bytes[LOSS_NAME]),
				      keep_text(f->r, v.bytes[LOSS_TEXT]), v.value[LOSS_COUNT] };
	if (!loss.name || !loss.text)
		return -ENOMEM;
	vec_each (&f->losses, it) {
		if (!strcmp(it->name, loss.name)) {
			*it = loss;
			return 0;
		}
	}
	return f->losses.len < LOSSES_MAX ? vec_push(&f->losses, loss) : -EBADMSG;
}

static int read_end(struct reading *f, struct proto p)
{
	f->ended = true;
	return 0;
}

/* --- messages --------------------------------------------------------------------------------- */

static int (*const readers[])(struct reading *f, struct proto p) = {
	[STORE_META] = read_meta,
	[STORE_TEXT] = read_text,
	[STORE_PROCESS] = read_process,
	[STORE_THREAD] = read_thread,
	[STORE_STATE] = read_state,
	[STORE_FRAME] = read_frame,
	[STORE_NODES] = read_nodes,
	[STORE_COUNTS] = read_counts,
	[STORE_LOSS] = read_loss,
	[STORE_END] = read_end,
	[STORE_PROCESS_IS] = read_process_is,
	[STORE_THREAD_IS] = read_thread_is,
	[STORE_FRAME_IS] = read_frame_is,
	[STORE_CONTAINER] = read_container,
	[STORE_CONTAINER_IS] = read_container_is,
	[STORE_MODULE] = read_module,
};

static int read_message(struct reading *f, struct proto p)
{
	struct proto_field field;
	int r, err = 0;

	while (!err && (r = proto_next(&p, &field)) == 1) {
		if (field.number < sizeof(readers) / sizeof(readers[0]) && readers[field.number])
			err = readers[field.number](f, field.bytes);
	}
	return err ? err : r;
}

static int read_block(struct reading *f, const struct block *b)
{
	_free_ unsigned char *data = NULL;
	int err = block_inflate(b, &data);

	return err ? err : read_message(f, (struct proto){ data, data + b->whole });
}

/* --- files ------------------------------------------------------------------------------------ */

static int say(const char *name, int code, struct err *err)
{
	if (code == -EBADMSG)
		return err_set(err, code,
			       "recording: '%s': damaged (wrong checksum or inconsistent "
			       "contents); use another copy",
			       name);
	return err_set(err, code, "recording: '%s': %s", name, strerror(-code));
}

static int read_head(FILE *from, const char *name, struct err *err)
{
	uint32_t version;
	int code = block_read_head(from, &version);

	if (code == -EINVAL)
		return err_set(err, code,
			       "recording: '%s': not a krait recording; 'krait record -o x.krait' "
			       "writes one",
			       name);
	if (code == -EOPNOTSUPP)
		return err_set(err, code,
			       "recording: '%s': format version %" PRIu32
			       ", but this krait reads version %d; use the krait that wrote it, or "
			       "a newer one",
			       name, version, BLOCK_VERSION);
	return code ? say(name, code, err) : 0;
}

/* Reads the meta, with which every file begins. */
static int peek(FILE *from, const char *name, struct profile_meta *ret, struct err *err)
{
	_cleanup_(reading_done) struct reading f = {};
	_cleanup_(block_done) struct block b = {};
	_free_ unsigned char *data = NULL;
	struct proto_field field;
	struct proto p;
	int code = read_head(from, name, err);

	if (code)
		return code;
	code = block_next(from, &b);
	if (code == 0 || code == -ENODATA)
		return err_set(err, -ENODATA, "recording: '%s': empty: nothing was flushed to it",
			       name);
	if (code > 0)
		code = block_inflate(&b, &data);
	if (!code) {
		p = (struct proto){ data, data + b.whole };
		if (proto_next(&p, &field) != 1 || field.number != STORE_META)
			code = -EBADMSG;
	}
	if (!code)
		code = read_meta(&f, field.bytes);
	*ret = f.meta;
	return code ? say(name, code, err) : 0;
}

int restore_started(FILE *from, const char *name, struct timespec *ret, struct err *err)
{
	struct profile_meta meta = {};
	int code = peek(from, name, &meta, err);

	*ret = meta.started;
	return code;
}

/* Adds the entries 0 that tables have without being written. */
static int begin_file(struct reading *f)
{
	return vec_push(&f->texts, 0) || vec_push(&f->containers, 0) || vec_push(&f->states, 0) ||
			       vec_push(&f->nodes, STACKS_ROOT)
		       ? -ENOMEM
		       : 0;
}

static int read_blocks(struct reading *f, FILE *from)
{
	int r = 1, err = 0;

	while (!err && r == 1) {
		_cleanup_(block_done) struct block b = {};

		r = block_next(from, &b);
		if (r == 1)
			err = read_block(f, &b);
	}
	return err ? err : r;
}

static int read_file(struct reading *f, FILE *from, bool *ret_whole)
{
	int code = begin_file(f);

	if (!code)
		code = read_blocks(f, from);
	*ret_whole = f->ended && !code;
	if (code == -ENODATA) /* incomplete: keep what was read up to the last flush */
		code = 0;
	return code ? code : recording_finish(f->r, &f->meta, f->losses.at, f->losses.len);
}

int restore_add(struct recording *r, FILE *from, const char *name, bool *ret_whole, struct err *err)
{
	_cleanup_(reading_done) struct reading f = { .r = r, .name = name };
	int code;

	rewind(from);
	code = peek(from, name, &f.meta, err);
	if (!code)
		code = recording_place(r, name, &f.meta, &f.offset_ms, err);
	if (code)
		return code;
	rewind(from);
	code = read_head(from, name, err);
	if (code)
		return code;
	code = read_file(&f, from, ret_whole);
	return code ? say(name, code, err) : 0;
}
