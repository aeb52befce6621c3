/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The task part of a sample (taskname.bpf.h has the picture). It comes after the stack was taken and changes only
 * its id: the id of a stack and a task is sent once, with the name (struct wire_tasked).
 */
#ifndef KRAIT_TASKSAMPLE_BPF_H
#define KRAIT_TASKSAMPLE_BPF_H

#include "taskname.bpf.h"
#include "take.bpf.h"

#ifndef NATIVE

static __always_inline bool task_read(pywalk_source *src, struct task_scratch *t, void *to, u32 len,
				      u64 at)
{
	t->reads++;
	return at && !read_user(src, to, len, at);
}

static __always_inline u64 task_object_u64(const struct task_scratch *t, u32 off)
{
	return *(const u64 *)(t->object + (off & (TASKS_OBJECT - 8)));
}

/* --- which task ------------------------------------------------------------------------------- */

static __always_inline bool task_is_c(pywalk_source *src, struct task_scratch *t,
				      const struct task_place *p, const struct py_layout *l)
{
	u64 type = task_object_u64(t, l->ob_type);
	u32 i;

	for (i = 0; i < TASKS_BASES; i++) {
		if (!type || type == p->type)
			return type;
		if (!task_read(src, t, &type, 8, type + l->ob_type + 8 + TASKS_BASE))
			return false;
	}
	return type == p->type;
}

/* Reads a task into object[]. False: it cannot be read. */
static __always_inline bool task_load(pywalk_source *src, struct task_scratch *t,
				      const struct task_place *p, u64 task)
{
	u32 last = p->coro > p->name ? p->coro : p->name;

	return task_read(src, t, t->object, (last + 8) & (TASKS_OBJECT - 1), task);
}

/* Is the frame of @coro one of the walk's? */
static __always_inline bool task_has_frame(const struct task_scratch *t, u64 frame)
{
	u32 i, found = 0;

#pragma unroll
	for (i = 0; i < WIRE_TASK_FRAMES; i++)
		found |= t->coros[i] == frame && i < t->ncoros;
	return found;
}

struct task_search {
	pywalk_source *src;
	struct task_scratch *t;
	const struct task_place *p;
};

/* An entry of the dict: is its task this thread's? */
static long task_entry_step(u32 i, struct task_search *s)
{
	struct task_scratch *t = s->t;
	u32 at = i * TASKS_ENTRY + 16;
	u64 task, coro;

	if (at > TASKS_LOOPS * TASKS_ENTRY - 8)
		return 1;
	task = *(u64 *)(t->dict + at);
	if (!task || (task & 7) || !task_load(s->src, t, s->p, task))
		return 0;
	coro = task_object_u64(t, s->p->coro);
	if (!coro || !task_has_frame(t, coro + s->p->frame))
		return 0;
	t->task = task;
	t->coro = coro;
	t->name = task_object_u64(t, s->p->name);
	return 1;
}

/* 3.12, 3.13. False: the dict cannot be read. */
static __always_inline bool task_find_in_dict(pywalk_source *src, struct task_scratch *t,
					      const struct task_place *p, const struct py_layout *l)
{
	struct task_search s = { src, t, p };
	const u64 *head = (const u64 *)t->head;
	u64 keys = 0, n;
	u32 shift;

	/* ma_keys follows ma_used and a tag. */
	if (!t->ncoros)
		return true;
	if (!task_read(src, t, &keys, 8, p->current + l->ob_type + 8 + 16) ||
	    !task_read(src, t, t->head, TASKS_KEYS, keys))
		return false;
	shift = head[1] >> 8 & 31; /* log2 of the index's bytes */
	n = head[3];
	if (n > TASKS_LOOPS)
		n = TASKS_LOOPS;
	if (!n)
		return true;
	if (!task_read(src, t, t->dict, n * TASKS_ENTRY, keys + TASKS_KEYS + (1ULL << shift)))
		return false;
	bpf_loop(n, task_entry_step, &s, 0);
	return true;
}

/* 3.14+. False: the thread state or the task cannot be read. */
static __always_inline bool task_find_in_state(pywalk_source *src, struct task_scratch *t,
					       const struct task_place *p,
					       const struct py_layout *l, u64 state)
{
	u64 task = 0, outermost;

	if (!task_read(src, t, &task, 8, state + p->running))
		return false;
	if (!task)
		return true;
	if ((task & 7) || !task_load(src, t, p, task))
		return false;
	t->task = task;
	if (task_is_c(src, t, p, l)) {
		t->coro = task_object_u64(t, p->coro);
		t->name = task_object_u64(t, p->name);
		return true;
	}
	outermost = t->coros[(t->ncoros - 1) & (WIRE_TASK_FRAMES - 1)];
	t->coro = t->ncoros ? outermost - p->frame : 0;
	return true;
}

/* --- its name --------------------------------------------------------------------------------- */

/* Reads the str @str into text[]. False: it is no str, or cannot be read. */
static __always_inline bool task_read_text(pywalk_source *src, struct task_scratch *t,
					   const struct task_place *p, const struct py_layout *l,
					   u64 str)
{
	u64 len, size, from;
	u32 state;

	if (!task_read(src, t, t->head, l->us_ascii & 127, str) ||
	    *(u64 *)(t->head + (l->ob_type & 120)) != p->str_type)
		return false;
	len = *(u64 *)(t->head + (l->us_length & 120));
	state = *(u32 *)(t->head + (l->us_state & 124));
	size = state >> (l->us_kind & 31) & 7;
	from = str + (state >> (l->us_ascii_bit & 31) & 1 ? l->us_ascii : l->us_compact);
	if (!size || size > 4 || size == 3 || !len)
		return false;
	if (len > WIRE_TASK_TEXT / 4)
		len = len * size <= WIRE_TASK_TEXT ? len : WIRE_TASK_TEXT / 4 * (4 / size);
	len *= size;
	if (len > WIRE_TASK_TEXT)
		return false;
	__builtin_memset(t->text, 0, sizeof(t->text));
	if (!task_read(src, t, t->text, len, from))
		return false;
	t->record.len = len;
	t->record.char_size = size;
	return true;
}

/*
 * Is text[] "Task-" and a number? Like the hash below verified once, by itself: their branches would multiply with
 * those of the visitor.
 */
__attribute__((weak, noinline)) int task_is_default(u32 index)
{
	enum { PREFIX = 5, DIGITS = 19 };
	static const char prefix[PREFIX] = { 'T', 'a', 's', 'k', '-' };
	struct task_scratch *t = task_scratch_of(index);
	u32 i, wrong = 0;

	if (!t || t->record.char_size != 1 || t->record.len <= PREFIX ||
	    t->record.len > PREFIX + DIGITS)
		return 0;
#pragma unroll
	for (i = 0; i < PREFIX; i++)
		wrong |= t->text[i] ^ prefix[i];
#pragma unroll
	for (i = PREFIX; i < PREFIX + DIGITS; i++)
		wrong |= i < t->record.len && (u8)(t->text[i] - '0') > 9;
	return !wrong;
}

/* False: the name cannot be read. */
static __always_inline bool task_name(pywalk_source *src, struct task_scratch *t, u32 index,
				      const struct task_place *p, const struct py_layout *l)
{
	u64 qualname = 0;

	if (t->name && task_read_text(src, t, p, l, t->name) && !task_is_default(index))
		return true;
	t->record.len = 0;
	return t->coro && task_read(src, t, &qualname, 8, t->coro + p->qualname) &&
	       task_read_text(src, t, p, l, qualname);
}

/* --- the place -------------------------------------------------------------------------------- */

/* A process that runs coroutines may be about to load asyncio. It is looked at less and less often. */
static __always_inline void task_ask(struct task_place *p, struct scratch *s)
{
	enum { FIRST_MS = 20, MOST_MS = 1000, MS = 1000000 };
	struct task_place fresh = { .kind = PLACE_ASKED, .wait_ms = FIRST_MS };
	u64 now = bpf_ktime_get_ns();

	if (p && now - p->asked < (u64)p->wait_ms * MS)
		return;
	if (p) {
		p->asked = now;
		p->wait_ms = p->wait_ms < MOST_MS / 2 ? 2 * p->wait_ms : MOST_MS;
	} else {
		fresh.asked = now;
		if (bpf_map_update_elem(&task_places, &s->walk.stack.proc, &fresh, BPF_NOEXIST))
			return;
	}
	tell_of_walk(s->walk.index, EVENT_TASKS);
}

enum task_found { TASK_NONE, TASK_NAMED, TASK_UNREAD };

static __always_inline enum task_found task_find(pywalk_source *src, struct scratch *s,
						 struct task_scratch *t, const struct py_layout *l)
{
	struct task_place *p = bpf_map_lookup_elem(&task_places, &s->walk.stack.proc);
	bool read;

	t->task = t->coro = t->name = 0;
	t->record.len = 0;
	if (!p || p->kind == PLACE_ASKED || p->kind == PLACE_NONE) {
		if (!t->ncoros)
			return TASK_NONE;
		task_ask(p, s);
		if (p && p->kind == PLACE_NONE)
			return TASK_NONE;
		stats_note(NOTE_TASK_EARLY);
		return TASK_UNREAD;
	}
	if (p->kind != PLACE_FOUND) {
		stats_note(p->kind == PLACE_OLD ? NOTE_TASK_OLD : NOTE_TASK_HIDDEN);
		return TASK_NONE;
	}
	read = p->current ? task_find_in_dict(src, t, p, l)
			  : task_find_in_state(src, t, p, l, s->walk.tstate);
	if (read && !t->task)
		return TASK_NONE;
	if (read && task_name(src, t, s->walk.index, p, l))
		return TASK_NAMED;
	stats_note(NOTE_TASK_UNREAD);
	return TASK_UNREAD;
}

/* --- the record ------------------------------------------------------------------------------- */

__attribute__((weak, noinline)) u64 task_hash(u32 index, u64 hash)
{
	struct task_scratch *t = task_scratch_of(index);
	u32 i;

	if (!t)
		return hash;
	hash = pywalk_mix(hash, (u64)t->record.char_size << 32 | t->record.len);
	for (i = 0; i < WIRE_TASK_TEXT / 8; i++) {
		if (i * 8 >= t->record.len)
			break;
		hash = pywalk_mix(hash, *(const u64 *)(t->text + i * 8));
	}
	return hash;
}

static __always_inline int task_send(struct task_scratch *t)
{
	u32 len = t->record.len;

	if (len > WIRE_TASK_TEXT)
		return -1;
	return ring_send(&t->record, sizeof(t->record) + len);
}

/* The id of the stack that was taken, together with the task that it ran in. */
static __always_inline u64 task_stack(pywalk_source *src, struct scratch *s,
				      const struct py_layout *l, u64 stack)
{
	struct task_scratch *t = task_scratch_of(s->walk.index);
	enum task_found found;
	u64 id;

	if (!t || s->walk.stack.end == WALK_EXITING || s->walk.stack.end == WALK_NO_STATE ||
	    s->walk.stack.end == WALK_AMBIGUOUS || !s->walk.tstate)
		return stack;
	t->reads = 0;
	found = task_find(src, s, t, l);
	if (t->reads) {
		struct wire_stats *st = stats_get();

		if (st)
			st->note[NOTE_TASK_READS] += t->reads;
	}
	if (found == TASK_NONE)
		return stack;
	stats_note(NOTE_TASKS);
	if (found == TASK_UNREAD)
		t->record.len = 0;
	id = task_hash(s->walk.index, stack);
	if (was_sent(&sent_stacks, cfg.sent_stacks, id))
		return id;
	t->record.kind = RECORD_TASK;
	t->record.id = id;
	t->record.stack = stack;
	if (task_send(t)) {
		stats_note(NOTE_TASK_RING);
		return stack;
	}
	mark_sent(&sent_stacks, cfg.sent_stacks, id);
	return id;
}

/* Before a walk: it notes its coroutines anew. */
static __always_inline void task_begin(u32 index)
{
	struct task_scratch *t = task_scratch_of(index);

	if (t)
		t->ncoros = 0;
}

#ifndef MEMORY_OF_TASK

/* Verified once, by itself. */
__attribute__((weak, noinline)) u64 task_here(u32 index, u64 stack)
{
	struct loop c = { .src = SELF };

	return loop_of(&c, index) ? task_stack(SELF, c.s, c.l, stack) : stack;
}

#endif

#else /* programs for native frames read no tasks */

static __always_inline void task_begin(u32 index)
{
}

static __always_inline u64 task_here(u32 index, u64 stack)
{
	return stack;
}

#endif

#endif
