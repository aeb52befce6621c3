/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	file's numbers --> struct numbers --> ours		one such table for each file
 *
 * A function for each field of format/store.h, in a table; each checks all that it is given. The depth of stacks
 * is bounded too, because a stack is walked wherever it is counted.
 */
#include "format/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/proto.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "format/store.h"

enum { TEXT_MAX = 1 << 20, DEPTH_MAX = 8192, STATES_MAX = 4096, LOSSES_MAX = 256 };
#define WEIGHT_MAX (UINT64_C(1) << 48)
#define MS_MAX     (UINT64_C(1) << 40) /* 34 years */

struct frame_key {
	uint32_t name;
	uint32_t file; /* and 1; 0: none */
	int32_t line;
	int32_t first;
	uint16_t kind;
	uint16_t approximate;
};

struct recording {
	struct profile *profile;
	struct stacks *stacks;
	struct strpool *texts;
	struct hmap *frame_ids; /* struct frame_key -> u32 */
	VEC(struct frame) frames;
	VEC(uint16_t) depths; /* by node of ours */
	struct profile_meta meta;
	bool any; /* file was added */
};

/* One file while it is read: its numbers, and what they are here. */
struct reading {
	struct recording *r;
	const char *name;
	VEC(uint32_t) texts, containers, processes, threads, states, frames, nodes;
	VEC(struct profile_loss) losses;
	struct profile_meta meta;
	int64_t offset_ms; /* of its beginning, after that of the recording */
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
	vec_done(&f->losses);
}

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
	r->frame_ids = hmap_new(sizeof(struct frame_key), sizeof(uint32_t));
	if (!r->profile || !r->stacks || !r->texts || !r->frame_ids || vec_push(&r->depths, 0))
		return NULL;
	profile_set_resolver(r->profile, resolve, r);
	return take_ptr(r);
}

void recording_free(struct recording *r)
{
	if (!r)
		return;
	profile_free(r->profile);
	stacks_free(r->stacks);
	strpool_free(r->texts);
	hmap_free(r->frame_ids);
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

/* --- fields of a message ------------------------------------------------------------------------- */

enum { FIELDS = 16 };

/* The fields of a small message by number: the last of each. */
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

/* Into a field of a struct, with a NUL. */
static void copy_text(char *to, size_t size, struct proto from)
{
	size_t len = from.end - from.at;

	if (len >= size)
		len = size - 1;
	if (len)
		memcpy(to, from.at, len);
	to[len] = '\0';
}

/* Up to a NUL: all that has it takes C strings. NULL: out of memory. */
static const char *keep_text(struct recording *r, struct proto from)
{
	size_t len = from.end - from.at;
	uint32_t id = strpool_add(r->texts, (const char *)from.at,
				  len ? strnlen((const char *)from.at, len) : 0);

	return id == UINT32_MAX ? NULL : strpool_str(r->texts, id);
}

/* --- what a file has ------------------------------------------------------------------------------ */

/* A rate or a time; what is none is unknown. */
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

	if (len > TEXT_MAX || (len && memchr(p.at, '\0', len)))
		return -EBADMSG;
	id = strpool_add(f->r->texts, (const char *)p.at, len);
	return id == UINT32_MAX ? -ENOMEM : vec_push(&f->texts, id);
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
	i = profile_add_container(f->r->profile, &c);
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
	return profile_set_container(f->r->profile, f->containers.at[i], &c);
}

/* Older files do not say which boot it was; then all of a host's are one. */
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
	profile_set_process_container(f->r->profile, process,
				      f->containers.at[v->value[PROCESS_CONTAINER]]);
	profile_set_process_version(f->r->profile, process, v->value[PROCESS_VERSION], flavour);
	profile_set_process_start(f->r->profile, process, v->value[PROCESS_START],
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
	process = profile_add_process(f->r->profile, v.value[PROCESS_PID], comm);
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
	profile_set_process_comm(f->r->profile, process, comm);
	return set_process(f, &v, process);
}

static int read_thread(struct reading *f, struct proto p)
{
	char comm[PROFILE_COMM];
	struct fields v;
	uint32_t thread;

	if (read_fields(p, &v) || v.value[THREAD_PROCESS] >= f->processes.len ||
	    v.value[THREAD_TID] > UINT32_MAX)
		return -EBADMSG;
	copy_text(comm, sizeof(comm), v.bytes[THREAD_COMM]);
	/* Its number tells it from others with its tid. */
	thread = profile_add_life(f->r->profile, f->processes.at[v.value[THREAD_PROCESS]],
				  v.value[THREAD_TID], f->threads.len + 1, comm);
	if (thread == PROFILE_NONE || vec_push(&f->threads, thread))
		return -ENOMEM;
	profile_set_thread_start(f->r->profile, thread, v.value[THREAD_START]);
	return 0;
}

static int read_thread_is(struct reading *f, struct proto p)
{
	char comm[PROFILE_COMM];
	struct fields v;

	if (read_fields(p, &v) || v.value[THREAD_NUMBER] >= f->threads.len)
		return -EBADMSG;
	copy_text(comm, sizeof(comm), v.bytes[THREAD_COMM]);
	profile_set_thread_comm(f->r->profile, f->threads.at[v.value[THREAD_NUMBER]], comm);
	profile_set_thread_start(f->r->profile, f->threads.at[v.value[THREAD_NUMBER]],
				 v.value[THREAD_START]);
	return 0;
}

static int read_state(struct reading *f, struct proto p)
{
	struct state state = {};
	struct fields v;
	uint32_t i;

	if (read_fields(p, &v) || f->states.len >= STATES_MAX ||
	    profile_states(f->r->profile) >= STATES_MAX)
		return -EBADMSG;
	/* A kind that a later version has is one that this one does not know. */
	state.kind = v.value[STATE_KIND] < STATE_KINDS ? v.value[STATE_KIND] : STATE_UNKNOWN;
	state.holds_gil = v.value[STATE_HOLDS_GIL];
	state.call = keep_text(f->r, v.bytes[STATE_CALL]);
	if (!state.call)
		return -ENOMEM;
	if (!*state.call)
		state.call = NULL;
	i = profile_add_state(f->r->profile, &state);
	return i == PROFILE_NONE ? -ENOMEM : vec_push(&f->states, i);
}

/* --- stacks ------------------------------------------------------------------------------------- */

static int read_frame_text(const struct reading *f, struct proto p, struct fields *v,
			   struct frame_key *key)
{
	if (read_fields(p, v) || v->value[FRAME_NAME] >= f->texts.len ||
	    v->value[FRAME_FILE] > f->texts.len || v->value[FRAME_LINE] > INT32_MAX ||
	    v->value[FRAME_FIRST] > INT32_MAX)
		return -EBADMSG;
	*key = (struct frame_key){
		.name = f->texts.at[v->value[FRAME_NAME]],
		.line = v->value[FRAME_LINE],
		.first = v->value[FRAME_FIRST],
		.kind = v->value[FRAME_KIND] == FRAME_PYTHON ? FRAME_PYTHON : FRAME_MARK,
		.approximate = !!v->value[FRAME_APPROXIMATE],
	};
	if (v->value[FRAME_FILE])
		key->file = f->texts.at[v->value[FRAME_FILE] - 1] + 1;
	return 0;
}

static struct frame frame_of(const struct recording *r, const struct frame_key *key)
{
	return (struct frame){ .name = strpool_str(r->texts, key->name),
			       .file = key->file ? strpool_str(r->texts, key->file - 1) : NULL,
			       .line = key->line,
			       .first = key->first,
			       .kind = key->kind,
			       .approximate = key->approximate };
}

/* Marks may become something else later in the file: each is a frame of its own. */
static int intern_frame(struct recording *r, const struct frame_key *key, uint32_t *ret)
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

static int read_frame(struct reading *f, struct proto p)
{
	struct frame_key key;
	struct fields v;
	uint32_t id;
	int err = read_frame_text(f, p, &v, &key);

	if (!err)
		err = intern_frame(f->r, &key, &id);
	return err ? err : vec_push(&f->frames, id);
}

static int read_frame_is(struct reading *f, struct proto p)
{
	struct frame_key key;
	struct frame *frame;
	struct fields v;
	int err = read_frame_text(f, p, &v, &key);

	if (err || v.value[FRAME_NUMBER] >= f->frames.len)
		return -EBADMSG;
	frame = &f->r->frames.at[f->frames.at[v.value[FRAME_NUMBER]]];
	if (frame->kind != FRAME_MARK)
		return -EBADMSG;
	*frame = frame_of(f->r, &key);
	return 0;
}

static int set_depth(struct recording *r, uint32_t parent, uint32_t node)
{
	uint16_t depth = r->depths.at[parent] + 1;

	if (depth > DEPTH_MAX)
		return -EBADMSG;
	return node < r->depths.len ? 0 : vec_push(&r->depths, depth);
}

static int read_node(struct reading *f, uint64_t up, uint64_t frame)
{
	uint32_t parent, node;
	int err;

	if (!up || up > f->nodes.len || frame >= f->frames.len)
		return -EBADMSG;
	parent = f->nodes.at[f->nodes.len - up];
	node = stacks_push(f->r->stacks, parent, f->frames.at[frame]);
	if (node == STACKS_NONE)
		return -ENOMEM;
	err = set_depth(f->r, parent, node);
	return err ? err : vec_push(&f->nodes, node);
}

/* @n packed numbers that belong together. 1, 0 at the end, -EBADMSG. */
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

/* --- counts ------------------------------------------------------------------------------------- */

static int read_count(struct reading *f, const uint64_t v[5], int64_t ms)
{
	if (v[0] >= f->threads.len || v[1] >= f->states.len || v[2] >= f->nodes.len ||
	    v[4] > WEIGHT_MAX || ms < 0 || (uint64_t)ms > MS_MAX)
		return -EBADMSG;
	profile_set_time(f->r->profile, (uint64_t)(ms + f->offset_ms) * 1000000);
	return profile_count(f->r->profile, f->threads.at[v[0]], f->nodes.at[v[2]],
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

/* --- blocks ------------------------------------------------------------------------------------- */

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

struct block {
	uint32_t stored, whole, crc;
	unsigned char *data;
};

static void block_done(struct block *b)
{
	free(b->data);
}

static uint32_t get_u32(const unsigned char *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Grows with what is really there: the length is only what the file says. */
static int read_data(FILE *from, struct block *b)
{
	enum { STEP = 1 << 20 };
	size_t have = 0;

	while (have < b->stored) {
		size_t want = b->stored - have < STEP ? b->stored - have : STEP;
		unsigned char *more = realloc(b->data, have + want);

		if (!more)
			return -ENOMEM;
		b->data = more;
		if (fread(more + have, 1, want, from) != want)
			return ferror(from) ? -EIO : -ENODATA;
		have += want;
	}
	return 0;
}

static bool at_end(FILE *from)
{
	int c = getc(from);

	if (c != EOF)
		ungetc(c, from);
	return c == EOF;
}

/*
 * 1 with a block, 0 at the end, -ENODATA where the file ends within one: what was written when it stopped is
 * not whole, or, after a crash of the host, nothing but zeros.
 */
static int next_block(FILE *from, struct block *ret)
{
	unsigned char head[STORE_BLOCK_HEAD];
	size_t n = fread(head, 1, sizeof(head), from);
	int err;

	if (!n)
		return ferror(from) ? -EIO : 0;
	if (n < sizeof(head))
		return ferror(from) ? -EIO : -ENODATA;
	*ret = (struct block){ get_u32(head), get_u32(head + 4), get_u32(head + 8), NULL };
	if (!ret->stored || !ret->whole || ret->stored > STORE_BLOCK_MAX ||
	    ret->whole > STORE_BLOCK_MAX)
		return at_end(from) ? -ENODATA : -EBADMSG;
	err = read_data(from, ret);
	if (err)
		return err;
	if (crc32(0, ret->data, ret->stored) != ret->crc)
		return at_end(from) ? -ENODATA : -EBADMSG;
	return 1;
}

/* The caller frees *@ret. */
static int inflate_block(const struct block *b, unsigned char **ret)
{
	uLongf len = b->whole;
	unsigned char *to;

	if (b->whole / 2048 > b->stored) /* more than deflate can do */
		return -EBADMSG;
	to = malloc(b->whole);
	if (!to)
		return -ENOMEM;
	if (uncompress(to, &len, b->data, b->stored) != Z_OK || len != b->whole) {
		free(to);
		return -EBADMSG;
	}
	*ret = to;
	return 0;
}

static int read_block(struct reading *f, const struct block *b)
{
	_free_ unsigned char *data = NULL;
	int err = inflate_block(b, &data);

	return err ? err : read_message(f, (struct proto){ data, data + b->whole });
}

/* --- files -------------------------------------------------------------------------------------- */

static int say(const char *name, int code, struct err *err)
{
	if (code == -EBADMSG)
		return err_set(err, code,
			       "recording: '%s': damaged: what it holds contradicts itself or its "
			       "checksum; take another copy",
			       name);
	return err_set(err, code, "recording: '%s': %s", name, strerror(-code));
}

static int read_head(FILE *from, const char *name, struct err *err)
{
	unsigned char head[STORE_HEAD];
	size_t n = fread(head, 1, sizeof(head), from);

	if (ferror(from))
		return say(name, errno ? -errno : -EIO, err);
	if (n < sizeof(head) || memcmp(head, STORE_MAGIC, 8))
		return err_set(
			err, -EINVAL,
			"recording: '%s': is no recording of krait's; krait record -o x.krait "
			"makes one",
			name);
	if (get_u32(head + 8) != STORE_VERSION)
		return err_set(
			err, -EOPNOTSUPP,
			"recording: '%s': has version %" PRIu32
			" of the format, this krait reads %d; use the krait that wrote it, or "
			"a later one",
			name, get_u32(head + 8), STORE_VERSION);
	return 0;
}

/* The meta that the file begins with. */
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
	code = next_block(from, &b);
	if (code == 0 || code == -ENODATA)
		return err_set(err, -ENODATA,
			       "recording: '%s': is empty: nothing was flushed to it", name);
	if (code > 0)
		code = inflate_block(&b, &data);
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

int recording_started(FILE *from, const char *name, struct timespec *ret, struct err *err)
{
	struct profile_meta meta = {};
	int code = peek(from, name, &meta, err);

	*ret = meta.started;
	return code;
}

static int differ(const struct reading *f, const char *what, const char *a, const char *b,
		  struct err *err)
{
	return err_set(err, -EINVAL,
		       "recording: '%s': its %s is '%s', that of the others '%s'; they do not add "
		       "up, report each for itself",
		       f->name, what, b, a);
}

static int compare_meta(const struct reading *f, struct err *err)
{
	const struct profile_meta *a = &f->r->meta, *b = &f->meta;
	char hz[2][32];

	if (strcmp(a->unit, b->unit))
		return differ(f, "unit", a->unit, b->unit, err);
	if (strcmp(a->mode, b->mode))
		return differ(f, "mode", a->mode, b->mode, err);
	if (strcmp(a->event, b->event))
		return differ(f, "event", a->event, b->event, err);
	snprintf(hz[0], sizeof(hz[0]), "%g", a->asked_hz);
	snprintf(hz[1], sizeof(hz[1]), "%g", b->asked_hz);
	return strcmp(hz[0], hz[1]) ? differ(f, "rate", hz[0], hz[1], err) : 0;
}

/* What two recordings are together; on different hosts, the longer name says so. */
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

static int64_t ms_between(const struct timespec *a, const struct timespec *b)
{
	return (b->tv_sec - a->tv_sec) * 1000 + (b->tv_nsec - a->tv_nsec) / 1000000;
}

/* Before anything is counted. */
static int place_file(struct reading *f, struct err *err)
{
	int code = f->r->any ? compare_meta(f, err) : 0;

	if (code || !f->r->any)
		return code;
	f->offset_ms = ms_between(&f->r->meta.started, &f->meta.started);
	if (f->offset_ms < 0 || (uint64_t)f->offset_ms > MS_MAX)
		return err_set(err, -EINVAL,
			       "recording: '%s': began %" PRId64
			       " s before or after the first one; report each for itself",
			       f->name, f->offset_ms / 1000);
	return 0;
}

static int add_losses(struct reading *f)
{
	const struct profile_loss *it, *all;
	int err = 0;

	vec_each (&f->losses, it) {
		uint64_t before = 0;
		size_t n;

		all = profile_losses(f->r->profile, &n);
		for (size_t i = 0; i < n; i++)
			if (!strcmp(all[i].name, it->name))
				before = all[i].count;
		if (!err)
			err = profile_set_loss(f->r->profile, it->name, it->text,
					       before + it->count);
	}
	return err;
}

static int finish_file(struct reading *f)
{
	struct recording *r = f->r;

	if (r->any)
		add_meta(r, &f->meta);
	else
		r->meta = f->meta;
	r->any = true;
	profile_set_meta(r->profile, &r->meta);
	return add_losses(f);
}

/* Its number 0 of each table that has one. */
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

		r = next_block(from, &b);
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
	if (code == -ENODATA) /* up to its last flush */
		code = 0;
	return code ? code : finish_file(f);
}

int recording_add(struct recording *r, FILE *from, const char *name, bool *ret_whole,
		  struct err *err)
{
	_cleanup_(reading_done) struct reading f = { .r = r, .name = name };
	int code;

	rewind(from);
	code = peek(from, name, &f.meta, err);
	if (!code)
		code = place_file(&f, err);
	if (code)
		return code;
	rewind(from);
	code = read_head(from, name, err);
	if (code)
		return code;
	code = read_file(&f, from, ret_whole);
	return code ? say(name, code, err) : 0;
}
