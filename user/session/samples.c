/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	struct wire_code ───► codes (py/code.h) ◄── sym: frame id ─► name, file, line, when a format asks
 *	struct wire_stack ──► stacks: a node of the tree, by the id of the stack
 *	struct wire_tasked ─► a stack's id and the name of a task, by the id of both
 *	struct wire_thread ─► procs: a thread of the profile ─┐
 *	struct count_key ───► thread, node, state ────────────┴─► row of the profile, += n
 *
 * Records arrive before records that refer to them, unless they were lost. A code object may still arrive later,
 * so frames are symbolized on demand; a count whose stack never arrived is counted as an unknown stack.
 */
#include "session/samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "py/code.h"
#include "py/pystr.h"
#include "session/merge.h"
#include "session/procs.h"
#include "session/reader.h"
#include "sym/parked.h"
#include "sym/sym.h"
#include "sym/syscall.h"

struct samples {
	struct profile *profile;
	struct procs *procs;
	struct reader *reader;
	struct codes *codes;
	struct sym *sym;
	struct stacks *stacks;
	struct hmap *nodes;  /* wire_stack.id -> u32 node */
	struct hmap *parked; /* frame id -> parked_in(); NULL: no threads are skipped */
	/* Ids of stacks with native frames -> u32, why frames are missing (enum native_end); 0: none are. */
	struct hmap *natives;
	struct hmap *states;     /* struct state_key -> u32, state of the profile */
	struct strpool *modules; /* names of libraries in states */
	struct hmap *tasked;     /* wire_tasked.id -> struct tasked; NULL: tasks are not recorded */
	struct strpool *names;   /* of tasks */
	/* Threads whose name was not read in time; a later try may have read it. */
	struct hmap *unread;
	size_t room;
	bool journal;
	bool full;       /* no new stacks any more */
	bool crowded;    /* no new threads any more */
	uint32_t others; /* the thread that stands for all new ones then; PROFILE_NONE: none yet */
	struct samples_sums sums;
};

enum { MODULES_MAX = 256 };

/* A stack that a task ran. */
struct tasked {
	uint64_t stack;
	uint32_t name; /* in names */
};

/* What is together a state of the profile. */
struct state_key {
	uint32_t state, leaf;
	uint32_t module; /* in struct samples.modules; 0: none */
	uint32_t task;   /* in struct samples.names; 0: none */
};

static bool open_tables(struct samples *s, bool skip_parked, bool tasks)
{
	s->stacks = stacks_new();
	s->codes = codes_new();
	s->nodes = hmap_new(sizeof(uint64_t), sizeof(uint32_t));
	s->natives = hmap_new(sizeof(uint64_t), sizeof(uint32_t));
	s->states = hmap_new(sizeof(struct state_key), sizeof(uint32_t));
	s->modules = strpool_new();
	s->unread = hmap_new(sizeof(uint32_t), 0);
	if (tasks)
		s->tasked = hmap_new(sizeof(uint64_t), sizeof(struct tasked));
	s->names = strpool_new();
	if (skip_parked)
		s->parked = hmap_new(sizeof(uint32_t), sizeof(bool));
	s->sym = s->codes ? sym_new(s->codes) : NULL;
	return s->stacks && s->nodes && s->natives && s->states && s->modules && s->unread &&
	       s->names && (s->tasked || !tasks) && (s->parked || !skip_parked) && s->sym;
}

struct samples *samples_new(struct profile *profile, struct procs *procs, struct reader *reader,
			    const struct samples_opts *o)
{
	struct samples *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->profile = profile;
	s->procs = procs;
	s->reader = reader;
	s->journal = o->journal;
	s->others = PROFILE_NONE;
	if (!open_tables(s, o->skip_parked, o->tasks)) {
		samples_free(s);
		return NULL;
	}
	reader_complete(reader, s->codes);
	profile_set_resolver(profile, sym_resolve, s->sym);
	return s;
}

void samples_free(struct samples *s)
{
	if (!s)
		return;
	sym_free(s->sym);
	codes_free(s->codes);
	stacks_free(s->stacks);
	hmap_free(s->nodes);
	hmap_free(s->natives);
	hmap_free(s->states);
	strpool_free(s->modules);
	hmap_free(s->tasked);
	strpool_free(s->names);
	hmap_free(s->unread);
	hmap_free(s->parked);
	free(s);
}

void samples_set_room(struct samples *s, size_t bytes)
{
	s->room = bytes;
}

/* --- memory ----------------------------------------------------------------------------------- */

/*
 * A target can create functions, threads and processes without end. Known stacks and threads are always counted
 * exactly. When seven eighths of the room are used, no new stack is added: its samples are counted under
 * their thread, without a stack. When all of it is used, new threads are counted as one. Nothing in the model
 * is ever freed, so both limits are final.
 */
static size_t model_bytes(const struct samples *s)
{
	size_t twice = codes_bytes(s->codes) + sym_bytes(s->sym) + profile_bytes(s->profile);

	return (s->journal ? 2 : 1) * twice + stacks_bytes(s->stacks) + hmap_bytes(s->nodes) +
	       hmap_bytes(s->natives) + hmap_bytes(s->unread) + hmap_bytes(s->states) +
	       strpool_bytes(s->names) + (s->tasked ? hmap_bytes(s->tasked) : 0);
}

static bool is_full(struct samples *s)
{
	size_t bytes;

	if (!s->room || s->crowded)
		return s->full;
	bytes = model_bytes(s);
	s->crowded = bytes > s->room;
	if (!s->full && bytes > s->room / 8 * 7) {
		s->full = true;
		profile_freeze(s->profile);
	}
	return s->full;
}

/* The process and thread that stand for all threads without room. */
static uint32_t other_threads(struct samples *s)
{
	uint32_t process;

	if (s->others != PROFILE_NONE)
		return s->others;
	process = profile_add_process(s->profile, 0, sym_marker_name(WALK_MEMORY));
	if (process != PROFILE_NONE)
		s->others =
			profile_add_thread(s->profile, process, 0, sym_marker_name(WALK_MEMORY));
	return s->others;
}

static uint32_t thread_index(struct samples *s, const struct count_key *key)
{
	if (is_full(s) && s->crowded &&
	    !procs_has_thread(s->procs, &key->proc, key->tid, key->life))
		return other_threads(s);
	return procs_thread_index(s->procs, &key->proc, key->tid, key->life);
}

/* --- records ---------------------------------------------------------------------------------- */

static uint32_t push_marker(struct samples *s, uint32_t node, const struct wire_stack *stack,
			    bool leaf)
{
	if (stack->end == WALK_COMPLETE)
		return node;
	if (leaf ? stack->end != WALK_TRUNCATED && stack->end != WALK_ENDLESS
		 : stack->end == WALK_TRUNCATED)
		return node;
	return stacks_push(s->stacks, node, sym_marker(stack->end));
}

int samples_stack(struct samples *s, const struct wire_stack *stack,
		  const struct wire_frame *frames)
{
	uint32_t node = STACKS_ROOT, *slot;
	bool fresh;

	if (is_full(s) && !hmap_get(s->nodes, &stack->id))
		return 0;
	slot = hmap_put(s->nodes, &stack->id, &fresh);
	if (!slot)
		return -ENOMEM;
	/* Fault the page in, so that the next sample is complete: NUMA balancing and reclaim unmap cold frames. */
	if (stack->fault &&
	    reader_touch(s->reader, stack->proc.tgid, stack->fault, &s->sums.touched))
		return -ENOMEM;
	if (!fresh)
		return 0; /* sent before; the kernel's cache has evicted it since */
	node = push_marker(s, node, stack, false);
	for (uint32_t i = stack->count; i-- > 0;)
		node = stacks_push(s->stacks, node,
				   sym_frame(s->sym, &frames[(stack->first + i) % stack->count]));
	node = push_marker(s, node, stack, true);
	if (node == STACKS_NONE)
		return -ENOMEM;
	*slot = node;
	return 0;
}

/* --- native stacks ---------------------------------------------------------------------------- */

uint32_t samples_native_frame(struct samples *s, const char *name, uint64_t address,
			      const struct module *module)
{
	return sym_native(s->sym, name, address, module);
}

uint32_t samples_native_marker(struct samples *s, uint32_t end)
{
	return sym_native_marker(s->sym, end);
}

/* The frames of a Python stack, leaf first, for @m. */
static int python_of(struct samples *s, uint32_t node, merge_frames *python, struct merge *m)
{
	int err = 0;

	for (; !err && node != STACKS_ROOT; node = stacks_parent(s->stacks, node)) {
		uint32_t frame = stacks_frame(s->stacks, node);

		m->marks += frame < WALK_ENDS;
		err = vec_push(python, frame);
	}
	m->python = python->at;
	m->pythons = python->len;
	return err;
}

/* Enters the merged stack. */
static int put_native(struct samples *s, uint64_t id, const merge_frames *frames, uint32_t end)
{
	uint32_t node = STACKS_ROOT, *slot;

	for (size_t i = frames->len; i-- > 0;)
		node = stacks_push(s->stacks, node, frames->at[i]);
	if (node == STACKS_NONE)
		return -ENOMEM;
	slot = hmap_put(s->natives, &id, NULL);
	if (!slot)
		return -ENOMEM;
	*slot = end;
	slot = hmap_put(s->nodes, &id, NULL);
	if (!slot)
		return -ENOMEM;
	*slot = node;
	return 0;
}

int samples_native(struct samples *s, uint64_t id, uint64_t python, struct merge *m,
		   const struct merge_ops *ops)
{
	const uint32_t *node = hmap_get(s->nodes, &python);
	merge_frames frames = {}, merged = {};
	uint32_t end;
	int err;

	if (!node || is_full(s) || hmap_get(s->nodes, &id))
		return 0;
	err = python_of(s, *node, &frames, m);
	if (!err)
		err = merge_stacks(m, ops, &merged, &end);
	if (!err)
		err = put_native(s, id, &merged, end);
	vec_done(&frames);
	vec_done(&merged);
	return err;
}

uint32_t samples_kernel_frame(struct samples *s, const char *name, const char *module)
{
	return sym_kernel(s->sym, name, module);
}

/* What is missing below is missing of the whole. */
static int copy_native(struct samples *s, uint64_t id, uint64_t below)
{
	const uint32_t *known = hmap_get(s->natives, &below);
	uint32_t end, *slot;

	if (!known)
		return 0;
	end = *known;
	slot = hmap_put(s->natives, &id, NULL);
	if (!slot)
		return -ENOMEM;
	*slot = end;
	return 0;
}

int samples_kernel(struct samples *s, uint64_t id, uint64_t below, const uint32_t *frames, size_t n)
{
	const uint32_t *under = hmap_get(s->nodes, &below);
	uint32_t node, *slot;

	if (!under || is_full(s) || hmap_get(s->nodes, &id))
		return 0;
	node = *under;
	for (size_t i = n; i-- > 0;)
		node = stacks_push(s->stacks, node, frames[i]);
	slot = node == STACKS_NONE ? NULL : hmap_put(s->nodes, &id, NULL);
	if (!slot)
		return -ENOMEM;
	*slot = node;
	return copy_native(s, id, below);
}

static void count_native(struct samples *s, uint64_t id, uint64_t n)
{
	const uint32_t *end = hmap_get(s->natives, &id);

	if (!end)
		return;
	s->sums.merged += n;
	if (*end)
		s->sums.native[*end] += n;
}

/* --- tasks ------------------------------------------------------------------------------------ */

static uint32_t task_name(struct samples *s, const struct wire_tasked *t, const void *text)
{
	static const char unknown[] = "[task unknown]";
	_cleanup_(buf_done) struct buf name = {};

	if (!t->len)
		return strpool_add(s->names, unknown, strlen(unknown));
	pystr_utf8(&name, text, t->len / t->char_size, t->char_size);
	return name.err ? UINT32_MAX : strpool_add(s->names, name.data, name.len);
}

int samples_tasked(struct samples *s, const struct wire_tasked *t, const void *text)
{
	struct tasked *slot;
	uint32_t name;

	if (!s->tasked || (is_full(s) && !hmap_get(s->tasked, &t->id)))
		return 0;
	name = task_name(s, t, text);
	slot = hmap_put(s->tasked, &t->id, NULL);
	if (!slot || name == UINT32_MAX)
		return -ENOMEM;
	*slot = (struct tasked){ t->stack, name };
	return 0;
}

int samples_code(struct samples *s, const struct wire_code *code, const uint8_t *data)
{
	const struct py_layout *l;
	uint64_t code_type;

	if (is_full(s) && !codes_known(s->codes, code->id))
		return 0;
	if (!procs_layout(s->procs, &code->proc, code->layout, &l, &code_type))
		return -EBADMSG;
	return codes_add(s->codes, code, data, l, code_type);
}

static void name_thread(void *ctx, uint32_t thread, const char *name)
{
	struct samples *s = ctx;

	if (!name)
		hmap_put(s->unread, &thread, NULL); /* without memory, it is not counted */
	else if (*name)
		profile_name_thread(s->profile, thread, name);
}

static int ask_name(struct samples *s, const struct wire_thread *thread, uint32_t index)
{
	struct threadname_wanted w;
	int err = 0;

	/* A thread without an entry of its own shares one, whose name stands for many. */
	if (profile_thread(s->profile, index)->named ||
	    !procs_has_thread(s->procs, &thread->proc, thread->tid, thread->life))
		return 0;
	for (uint32_t i = 0; !err && procs_name_wanted(s->procs, thread, i, &w); i++)
		err = reader_thread_name(s->reader, &w, index, name_thread, s);
	return err;
}

int samples_thread(struct samples *s, const struct wire_thread *thread, uint32_t *ret_process)
{
	uint32_t index;
	int err;

	*ret_process = PROFILE_NONE;
	if (is_full(s) && s->crowded &&
	    !procs_has_thread(s->procs, &thread->proc, thread->tid, thread->life))
		return 0;
	err = procs_thread(s->procs, thread);
	if (err)
		return err;
	index = procs_thread_index(s->procs, &thread->proc, thread->tid, thread->life);
	if (index == PROFILE_NONE)
		return -ENOMEM;
	*ret_process = profile_thread(s->profile, index)->process;
	return ask_name(s, thread, index);
}

/* --- counts ----------------------------------------------------------------------------------- */

/* The kernel's thread states and kinds of leaves have the same numbers as the model's. */
_Static_assert((int)THREAD_RUNNING == STATE_RUNNING && (int)THREAD_RUNNABLE == STATE_RUNNABLE &&
		       (int)THREAD_THROTTLED == STATE_THROTTLED &&
		       (int)THREAD_GIL_WAIT == STATE_GIL_WAIT && (int)THREAD_FUTEX == STATE_FUTEX &&
		       (int)THREAD_SLEEPING == STATE_SLEEPING && (int)THREAD_DISK == STATE_DISK &&
		       (int)THREAD_STOPPED == STATE_STOPPED && (int)THREAD_UNKNOWN == STATE_UNKNOWN,
	       "states");
_Static_assert((int)RAN_UNKNOWN == LEAF_UNKNOWN && (int)RAN_PYTHON == LEAF_PYTHON &&
		       (int)RAN_INTERPRETER == LEAF_INTERPRETER && (int)RAN_NATIVE == LEAF_NATIVE &&
		       (int)RAN_KERNEL == LEAF_KERNEL && (int)RAN_GC == LEAF_GC,
	       "leaves");

static uint32_t add_state(struct samples *s, const struct state_key *key)
{
	uint32_t call = key->state >> THREAD_CALL_SHIFT;
	const struct state words = {
		.kind = (enum state_kind)(key->state & THREAD_STATE_MASK),
		.holds_gil = key->state & THREAD_HOLDS_GIL,
		.leaf = (enum leaf_kind)key->leaf,
		.call = call ? syscall_name(call - 1) : NULL,
		.module = key->module ? strpool_str(s->modules, key->module) : NULL,
		.task = key->task ? strpool_str(s->names, key->task) : NULL,
	};

	return profile_add_state(s->profile, &words);
}

/*
 * The library whose code a sample ran, if its stack has native frames: that of the last one. 0: unknown. There are few,
 * because a target can load libraries without end, and a recording has a limit of states.
 */
static uint32_t module_of(struct samples *s, const struct count_key *count, uint32_t node)
{
	struct frame f = {};
	const char *slash, *name;
	uint32_t number;

	if (count->leaf != RAN_NATIVE || node == STACKS_ROOT)
		return 0;
	profile_frame(s->profile, stacks_frame(s->stacks, node), &f);
	if (f.kind != FRAME_NATIVE || !f.file)
		return 0;
	slash = strrchr(f.file, '/');
	name = slash ? slash + 1 : f.file;
	number = strpool_add(s->modules, name, strlen(name));
	return number < MODULES_MAX ? number : 0;
}

/* The index of a kernel state in the profile. PROFILE_NONE: out of memory. */
static uint32_t state_index(struct samples *s, const struct count_key *count, uint32_t node,
			    uint32_t task)
{
	const struct state_key key = { count->state, count->leaf, module_of(s, count, node), task };
	uint32_t *known = hmap_get(s->states, &key), index;

	if (known)
		return *known;
	index = add_state(s, &key);
	known = hmap_put(s->states, &key, NULL);
	return known ? *known = index : PROFILE_NONE;
}

/* Caches the result, except for a frame whose code object has not arrived yet. */
static bool is_parked_in(struct samples *s, uint32_t frame_id)
{
	const bool *known = hmap_get(s->parked, &frame_id);
	struct frame frame;
	bool parked, *slot;

	if (known)
		return *known;
	profile_frame(s->profile, frame_id, &frame);
	parked = parked_in(&frame);
	slot = frame.file ? hmap_put(s->parked, &frame_id, NULL) : NULL;
	if (slot)
		*slot = parked;
	return parked;
}

/* In which Python function, whatever C function it waits in? */
static bool is_parked(struct samples *s, uint32_t node, uint32_t state)
{
	uint32_t kind = state & THREAD_STATE_MASK;

	if (!s->parked || (kind != THREAD_SLEEPING && kind != THREAD_FUTEX))
		return false;
	while (node != STACKS_ROOT && sym_is_native(s->sym, stacks_frame(s->stacks, node)))
		node = stacks_parent(s->stacks, node);
	return node != STACKS_ROOT && is_parked_in(s, stacks_frame(s->stacks, node));
}

int samples_count(struct samples *s, const struct count_key *key, uint64_t n)
{
	const struct tasked *tasked = s->tasked ? hmap_get(s->tasked, &key->stack) : NULL;
	const uint64_t stack = tasked ? tasked->stack : key->stack;
	const uint32_t *node = hmap_get(s->nodes, &stack), task = tasked ? tasked->name : 0;
	uint32_t thread, state, limited;

	if (!node && s->full) {
		limited = stacks_push(s->stacks, STACKS_ROOT, sym_marker(WALK_MEMORY));
		if (limited == STACKS_NONE)
			return -ENOMEM;
		node = &limited;
		s->sums.limited += n;
	}
	if (!node) {
		s->sums.unknown_stacks += n;
		return 0;
	}
	count_native(s, stack, n);
	if (is_parked(s, *node, key->state)) {
		s->sums.parked += n;
		return 0;
	}
	thread = thread_index(s, key);
	state = state_index(s, key, *node, task);
	if (thread == PROFILE_NONE || state == PROFILE_NONE)
		return -ENOMEM;
	if (!profile_thread(s->profile, thread)->start &&
	    procs_has_thread(s->procs, &key->proc, key->tid, key->life))
		profile_set_thread_start(s->profile, thread, key->start_ns);
	if (key->state & THREAD_STATE_MASK)
		s->sums.waiting += n;
	return profile_count(s->profile, thread, *node, state, n);
}

const struct stacks *samples_stacks(const struct samples *s)
{
	return s->stacks;
}

static uint64_t count_unnamed(const struct samples *s)
{
	const void *thread;
	uint64_t n = 0;
	size_t pos = 0;

	while (hmap_each(s->unread, &pos, &thread, NULL))
		n += !profile_thread(s->profile, *(const uint32_t *)thread)->named;
	return n;
}

struct samples_sums samples_sums(const struct samples *s)
{
	struct samples_sums sums = s->sums;

	sums.refetched = codes_refetched(s->codes);
	sums.unresolved_codes = codes_unresolved(s->codes);
	sums.unnamed = count_unnamed(s);
	return sums;
}
