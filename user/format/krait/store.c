/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables only grow, so a number tells how much of each was written. For values that change (names of processes,
 * weights of rows) a copy of what was written is kept. Frames that were written as markers may be symbolized
 * later; there are few of them, and they are checked again each time.
 */
#include "format/krait/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/proto.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "format/format.h"
#include "format/krait/block.h"
#include "format/stream.h"

enum { BLOCK_AT = 1 << 20 };

struct mark {
	uint32_t id;     /* in the recording */
	uint32_t number; /* in the file */
	uint32_t name;   /* number of the text that was written */
};

struct store {
	bool begun;
	uint32_t texts_done, states_done, nodes_done;
	uint64_t last_ms; /* time of the previous count of this block */
	struct strpool *texts;
	struct hmap *frames;  /* frame id -> number in the file */
	struct hmap *modules; /* struct module * -> the same */
	VEC(struct mark) marks;
	VEC(struct container) containers;
	VEC(struct process) processes;
	VEC(struct thread) threads;
	VEC(uint64_t) weights; /* by row */
	struct profile_meta meta;
	struct buf *to;
	struct buf block;
	struct buf counts;
	struct buf message;
	struct buf nodes;
};

struct store *store_new(void)
{
	_cleanup_(store_freep) struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->texts = strpool_new();
	s->frames = hmap_new(sizeof(uint32_t), sizeof(uint32_t));
	s->texts_done = s->states_done = s->nodes_done = 1;
	s->modules = hmap_new(sizeof(struct module *), 0);
	return s->texts && s->frames && s->modules ? take_ptr(s) : NULL;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	strpool_free(s->texts);
	hmap_free(s->frames);
	hmap_free(s->modules);
	vec_done(&s->marks);
	vec_done(&s->containers);
	vec_done(&s->processes);
	vec_done(&s->threads);
	vec_done(&s->weights);
	buf_done(&s->block);
	buf_done(&s->counts);
	buf_done(&s->message);
	buf_done(&s->nodes);
	free(s);
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* Puts counts last, after everything that they refer to. */
static int end_block(struct store *s)
{
	int err;

	if (s->counts.len)
		proto_bytes(&s->block, STORE_COUNTS, s->counts.data, s->counts.len);
	err = s->counts.err ? s->counts.err : s->block.err;
	if (!err && s->block.len)
		err = block_add(s->to, s->block.data, s->block.len);
	buf_clear(&s->block);
	buf_clear(&s->counts);
	s->last_ms = 0;
	return err;
}

static int split_block(struct store *s)
{
	return s->block.len + s->counts.len < BLOCK_AT ? 0 : end_block(s);
}

/* Adds s->message to the block. */
static int add_message(struct store *s, enum store_field field)
{
	int err = s->message.err;

	proto_bytes(&s->block, field, s->message.data, s->message.len);
	buf_clear(&s->message);
	return err ? err : split_block(s);
}

/* --- texts ------------------------------------------------------------------------------------ */

/* The number of a text, which is written if it is new. UINT32_MAX: out of memory. */
static uint32_t text_of(struct store *s, const char *text)
{
	uint32_t id = strpool_add(s->texts, text, strlen(text));

	if (id == UINT32_MAX || id < s->texts_done)
		return id;
	proto_bytes(&s->block, STORE_TEXT, text, strlen(text));
	s->texts_done = id + 1;
	return id;
}

/* --- containers ------------------------------------------------------------------------------- */

static int add_container(struct store *s, uint32_t i, const struct container *c, bool fresh)
{
	proto_str(&s->message, CONTAINER_ID, c->id);
	proto_str(&s->message, CONTAINER_NAME, c->name);
	proto_str(&s->message, CONTAINER_ENGINE, c->engine);
	proto_str(&s->message, CONTAINER_IMAGE, c->image);
	proto_str(&s->message, CONTAINER_POD, c->pod);
	proto_str(&s->message, CONTAINER_NS, c->ns);
	proto_str(&s->message, CONTAINER_POD_UID, c->pod_uid);
	proto_str(&s->message, CONTAINER_UNIT, c->unit);
	proto_str(&s->message, CONTAINER_LABELS, c->labels);
	if (!fresh)
		proto_uint(&s->message, CONTAINER_NUMBER, i);
	return add_message(s, fresh ? STORE_CONTAINER : STORE_CONTAINER_IS);
}

/* Strings of containers are interned, so pointers can be compared. */
static int add_containers(struct store *s, const struct profile *p)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < profile_containers(p); i++) {
		const struct container *c = profile_container(p, i);
		bool fresh = i >= s->containers.len;

		if (fresh && vec_push(&s->containers, *c))
			return -ENOMEM;
		if (i && (fresh || memcmp(c, &s->containers.at[i], sizeof(*c))))
			err = add_container(s, i, c, fresh);
		s->containers.at[i] = *c;
	}
	return err;
}

/* --- processes and threads -------------------------------------------------------------------- */

static bool same_process(const struct process *a, const struct process *b)
{
	return !strcmp(a->comm, b->comm) && a->version == b->version && a->start == b->start &&
	       a->boot == b->boot && a->container == b->container &&
	       !strcmp(a->flavour, b->flavour);
}

static int add_process(struct store *s, uint32_t i, const struct process *p, bool fresh)
{
	proto_uint(&s->message, PROCESS_PID, p->pid);
	proto_str(&s->message, PROCESS_COMM, p->comm);
	proto_uint(&s->message, PROCESS_VERSION, p->version);
	proto_str(&s->message, PROCESS_FLAVOUR, p->flavour);
	proto_uint(&s->message, PROCESS_CONTAINER, p->container);
	proto_uint(&s->message, PROCESS_START, p->start);
	proto_uint(&s->message, PROCESS_BOOT, p->boot);
	if (!fresh)
		proto_uint(&s->message, PROCESS_NUMBER, i);
	return add_message(s, fresh ? STORE_PROCESS : STORE_PROCESS_IS);
}

static int add_processes(struct store *s, const struct profile *p)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < profile_processes(p); i++) {
		const struct process *process = profile_process(p, i);
		bool fresh = i >= s->processes.len;

		if (fresh && vec_push(&s->processes, *process))
			return -ENOMEM;
		if (fresh || !same_process(process, &s->processes.at[i]))
			err = add_process(s, i, process, fresh);
		s->processes.at[i] = *process;
	}
	return err;
}

static int add_thread(struct store *s, uint32_t i, const struct thread *t, bool fresh)
{
	proto_uint(&s->message, THREAD_PROCESS, t->process);
	proto_uint(&s->message, THREAD_TID, t->tid);
	proto_str(&s->message, THREAD_COMM, t->comm);
	proto_uint(&s->message, THREAD_START, t->start);
	if (!fresh)
		proto_uint(&s->message, THREAD_NUMBER, i);
	return add_message(s, fresh ? STORE_THREAD : STORE_THREAD_IS);
}

static int add_threads(struct store *s, const struct profile *p)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < profile_threads(p); i++) {
		const struct thread *t = profile_thread(p, i);
		bool fresh = i >= s->threads.len;

		if (fresh && vec_push(&s->threads, *t))
			return -ENOMEM;
		if (fresh || strcmp(t->comm, s->threads.at[i].comm) ||
		    t->start != s->threads.at[i].start)
			err = add_thread(s, i, t, fresh);
		s->threads.at[i] = *t;
	}
	return err;
}

static int add_states(struct store *s, const struct profile *p)
{
	int err = 0;

	for (; !err && s->states_done < profile_states(p); s->states_done++) {
		const struct state *state = profile_state(p, s->states_done);

		proto_uint(&s->message, STATE_KIND, state->kind);
		proto_uint(&s->message, STATE_HOLDS_GIL, state->holds_gil);
		proto_str(&s->message, STATE_CALL, state->call);
		proto_str(&s->message, STATE_MODULE, state->module);
		proto_uint(&s->message, STATE_LEAF, state->leaf);
		proto_str(&s->message, STATE_TASK, state->task);
		err = add_message(s, STORE_STATE);
	}
	return err;
}

/* --- stacks ----------------------------------------------------------------------------------- */

/* *@ret: the number of the module + 1; 0: @m is NULL. */
static int module_number(struct store *s, const struct module *m, uint64_t *ret)
{
	uint32_t count = hmap_count(s->modules), number, path;

	*ret = 0;
	if (!m)
		return 0;
	number = hmap_number(s->modules, &m);
	if (number == UINT32_MAX)
		return -ENOMEM;
	*ret = (uint64_t)number + 1;
	if (number < count)
		return 0;
	path = text_of(s, m->path);
	if (path == UINT32_MAX)
		return -ENOMEM;
	proto_uint(&s->message, MODULE_PATH, path);
	proto_bytes(&s->message, MODULE_BUILD_ID, m->build_id, strlen(m->build_id));
	proto_uint(&s->message, MODULE_START, m->start);
	proto_uint(&s->message, MODULE_SIZE, m->size);
	proto_uint(&s->message, MODULE_OFFSET, m->offset);
	return add_message(s, STORE_MODULE);
}

static int add_frame(struct store *s, const struct frame *frame, const uint32_t *number)
{
	uint32_t name = text_of(s, frame->name), file = 0;
	uint64_t module;
	int err = module_number(s, frame->module, &module);

	if (err)
		return err;
	if (frame->file)
		file = text_of(s, frame->file);
	if (name == UINT32_MAX || file == UINT32_MAX)
		return -ENOMEM;
	proto_uint(&s->message, FRAME_NAME, name);
	proto_uint(&s->message, FRAME_FILE, frame->file ? (uint64_t)file + 1 : 0);
	proto_uint(&s->message, FRAME_LINE, frame->line > 0 ? frame->line : 0);
	proto_uint(&s->message, FRAME_KIND, frame->kind);
	proto_uint(&s->message, FRAME_APPROXIMATE, frame->approximate);
	proto_uint(&s->message, FRAME_FIRST, frame->first > 0 ? frame->first : 0);
	proto_uint(&s->message, FRAME_ADDRESS, frame->address);
	proto_uint(&s->message, FRAME_MODULE, module);
	if (number)
		proto_uint(&s->message, FRAME_NUMBER, *number);
	return add_message(s, number ? STORE_FRAME_IS : STORE_FRAME);
}

static int frame_number(struct store *s, const struct profile *p, uint32_t id, uint32_t *ret)
{
	uint32_t next = hmap_count(s->frames), *number;
	struct frame frame;
	struct mark mark = { .id = id, .number = next };
	bool fresh;
	int err;

	number = hmap_put(s->frames, &id, &fresh);
	if (!number)
		return -ENOMEM;
	if (fresh)
		*number = next;
	*ret = *number;
	if (!fresh)
		return 0;
	profile_frame(p, id, &frame);
	err = add_frame(s, &frame, NULL);
	if (err || frame.kind != FRAME_MARK)
		return err;
	mark.name = text_of(s, frame.name);
	return vec_push(&s->marks, mark);
}

/* Adds s->nodes to the block; their frames are already in this block or an earlier one. */
static int put_nodes(struct store *s)
{
	int err = s->nodes.err;

	if (s->nodes.len)
		proto_bytes(&s->block, STORE_NODES, s->nodes.data, s->nodes.len);
	buf_clear(&s->nodes);
	return err ? err : split_block(s);
}

static int add_nodes(struct store *s, const struct profile *p, const struct stacks *stacks)
{
	int err = 0;

	for (; !err && s->nodes_done < stacks_count(stacks); s->nodes_done++) {
		uint32_t i = s->nodes_done, number = 0;

		err = frame_number(s, p, stacks_frame(stacks, i), &number);
		proto_varint(&s->nodes, i - stacks_parent(stacks, i));
		proto_varint(&s->nodes, number);
		if (!err && s->nodes.len >= BLOCK_AT)
			err = put_nodes(s);
	}
	return err ? err : put_nodes(s);
}

static int look_at_marks(struct store *s, const struct profile *p)
{
	struct mark *m;
	int err = 0;

	vec_each (&s->marks, m) {
		struct frame frame;

		profile_frame(p, m->id, &frame);
		if (err || (frame.kind == FRAME_MARK &&
			    !strcmp(frame.name, strpool_str(s->texts, m->name))))
			continue;
		err = add_frame(s, &frame, &m->number);
		m->name = text_of(s, frame.name);
	}
	return err;
}

/* --- counts ----------------------------------------------------------------------------------- */

static int add_count(struct store *s, const struct profile_row *row, uint64_t ms, uint64_t weight)
{
	proto_varint(&s->counts, row->thread);
	proto_varint(&s->counts, row->state);
	proto_varint(&s->counts, row->node);
	proto_varint(&s->counts, proto_zigzag((int64_t)(ms - s->last_ms)));
	proto_varint(&s->counts, weight);
	s->last_ms = ms;
	return s->counts.err ? s->counts.err : split_block(s);
}

static int add_counts(struct store *s, const struct profile *p, uint64_t ms)
{
	struct profile_row row;
	size_t i = 0;
	int err = 0;

	for (size_t pos = 0; !err && profile_each(p, &pos, &row); i++) {
		if (i == s->weights.len && vec_push(&s->weights, 0))
			return -ENOMEM;
		if (row.weight != s->weights.at[i])
			err = add_count(s, &row, ms, row.weight - s->weights.at[i]);
		s->weights.at[i] = row.weight;
	}
	return err;
}

/* Adds all counts, with the times of their bins. */
static int add_bins(struct store *s, const struct profile *p)
{
	uint64_t bin_ms = profile_bin_ns(p) / 1000000;
	struct profile_row row;
	struct profile_bin bin;
	int err = 0;

	for (size_t pos = 0; !err && profile_each(p, &pos, &row);)
		for (uint32_t at = 0; !err && profile_each_bin(p, &row, &at, &bin);)
			err = add_count(s, &row, bin.bin * bin_ms, bin.weight);
	return err;
}

/* --- the recording ---------------------------------------------------------------------------- */

static int add_meta(struct store *s, const struct profile *p)
{
	const struct profile_meta *m = profile_meta(p);

	proto_str(&s->message, META_HOST, m->host);
	proto_str(&s->message, META_MODE, m->mode);
	proto_str(&s->message, META_EVENT, m->event);
	proto_str(&s->message, META_UNIT, m->unit);
	proto_str(&s->message, META_KRAIT, m->krait);
	proto_double(&s->message, META_ASKED_HZ, m->asked_hz);
	proto_double(&s->message, META_ACHIEVED_HZ, m->achieved_hz);
	proto_double(&s->message, META_SECONDS, m->seconds);
	proto_uint(&s->message, META_STARTED_S, m->started.tv_sec);
	proto_uint(&s->message, META_STARTED_NS, m->started.tv_nsec);
	proto_uint(&s->message, META_BOOT, m->boot);
	return add_message(s, STORE_META);
}

static int add_losses(struct store *s, const struct profile *p)
{
	size_t n;
	const struct profile_loss *losses = profile_losses(p, &n);
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		proto_str(&s->message, LOSS_NAME, losses[i].name);
		proto_str(&s->message, LOSS_TEXT, losses[i].text);
		proto_uint(&s->message, LOSS_COUNT, losses[i].count);
		err = add_message(s, STORE_LOSS);
	}
	return err;
}

static void begin(struct store *s, struct buf *to)
{
	s->to = to;
	if (!s->begun)
		block_add_head(to);
	s->begun = true;
}

/* Everything but the counts. */
static int add_tables(struct store *s, const struct profile *p, const struct stacks *stacks)
{
	int err = add_meta(s, p);

	if (!err)
		err = add_losses(s, p);
	if (!err)
		err = add_containers(s, p);
	if (!err)
		err = add_processes(s, p);
	if (!err)
		err = add_threads(s, p);
	if (!err)
		err = add_states(s, p);
	if (!err)
		err = look_at_marks(s, p);
	if (!err)
		err = add_nodes(s, p, stacks);
	return err;
}

int store_append(struct store *s, const struct profile *p, const struct stacks *stacks, uint64_t ms,
		 struct buf *to)
{
	int err;

	begin(s, to);
	err = add_tables(s, p, stacks);
	if (!err)
		err = add_counts(s, p, ms);
	return err ? err : end_block(s);
}

int store_end(struct store *s, struct buf *to)
{
	begin(s, to);
	proto_uint(&s->block, STORE_END, 1);
	return end_block(s);
}

/* --- a whole file at once --------------------------------------------------------------------- */

static int write_all(struct store *s, const struct profile *p, const struct stacks *stacks,
		     struct buf *to)
{
	int err;

	begin(s, to);
	err = add_tables(s, p, stacks);
	if (!err)
		err = add_bins(s, p);
	if (!err)
		err = end_block(s);
	return err ? err : store_end(s, to);
}

static int write_krait(const struct profile *p, const struct stacks *stacks,
		       const struct format_opts *o, FILE *to, struct err *err)
{
	_cleanup_(store_freep) struct store *s = store_new();
	_cleanup_(buf_done) struct buf b = {};
	int code = s ? write_all(s, p, stacks, &b) : -ENOMEM;

	if (!code)
		code = stream_put(&b, to, true);
	if (!code)
		code = stream_flush(to);
	return code ? stream_failed(err, "krait", code) : 0;
}

const struct format_ops format_krait = {
	.name = "krait",
	.extension = "krait",
	.help = "all recorded data, for krait report",
	.binary = true,
	.write = write_krait,
};
