/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	       ┌────────────────────────────── no ─────────────────────────────┐
 *	       ▼                                                               │
 *	task ─► walk ─► did the thread rest meanwhile? ─ yes ─► STACK_RESTED    │
 *	                   └─ no ─► equal to the walk before? ─ yes ─► STACK_AGREED
 *	                                └─ no, and tries or time are used up ─► STACK_MOVED
 *
 * A thread off-CPU does not change its stack, and its switch count proves that it stayed there (proc/task.c).
 * The frames of a thread on a CPU move while they are read. Its readings are compared whole: each frame's code
 * object and instruction, and how the walk ended. If no two in a row are equal, what is left is the part at the
 * root that the last two complete ones share.
 */
#include "py/stackread.h"

#include <asm/unistd.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "proc/procfs.h"
#include "proc/rmem.h"
#include "py/locals.h"
#include "py/walk.h"

enum {
	TRIES_MIN = 64,
	PATIENCE_NS = 20000000, /* for one thread that runs, once it had so many tries */
	/* PF_* of the kernel's include/linux/sched.h. */
	PF_EXITING = 0x4,
	PF_IO_WORKER = 0x10,
	PF_USER_WORKER = 0x4000,
};

/* One walk. */
struct reading {
	struct wire_stack head;
	struct wire_frame *frames; /* head.count of them, leaf first */
	uint64_t *at;              /* of each frame: its address */
};

struct stackread {
	struct walk *walk;
	pid_t pid; /* the process that walk reads */
	struct reading last, before;
	struct value_reader values;
};

static int read_process(void *ctx, void *to, size_t len, uint64_t addr)
{
	const struct stackread *r = ctx;

	return rmem_read(r->pid, addr, to, len);
}

static bool alloc_reading(struct reading *g)
{
	g->frames = calloc(WIRE_MAX_FRAMES, sizeof(*g->frames));
	g->at = calloc(WIRE_MAX_FRAMES, sizeof(*g->at));
	return g->frames && g->at;
}

static void free_reading(struct reading *g)
{
	free(g->frames);
	free(g->at);
}

struct stackread *stackread_new(void)
{
	struct stackread *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->walk = walk_new(read_process, r);
	if (r->walk && alloc_reading(&r->last) && alloc_reading(&r->before))
		return r;
	stackread_free(r);
	return NULL;
}

void stackread_free(struct stackread *r)
{
	if (!r)
		return;
	walk_free(r->walk);
	free_reading(&r->last);
	free_reading(&r->before);
	free(r);
}

/* --- one walk --------------------------------------------------------------------------------- */

static struct walk_thread thread_of(const struct stack_wanted *w, const struct proc_stat *stat,
				    const struct task_now *now)
{
	return (struct walk_thread){
		.proc = w->key,
		.thread_pointer = w->self + w->info.tss_base,
		.ns_tid = now->ns_tid,
		.pc = now->pc,
		.sp = now->sp,
		.first_start = stat->start_stack,
		.first_len = now->stack_len,
		.leader = w->leader,
		.asleep = now->parked,
	};
}

/* Why the thread has no Python stack at all; WALK_COMPLETE: it may have one. */
static enum walk_end cannot(const struct stack_wanted *w, const struct proc_stat *stat)
{
	if (stat->state == 'Z' || stat->state == 'X' || stat->flags & PF_EXITING)
		return WALK_EXITING;
	if (stat->flags & (PF_IO_WORKER | PF_USER_WORKER) || !w->self)
		return w->doubtful ? WALK_AMBIGUOUS : WALK_NO_STATE;
	return WALK_COMPLETE;
}

/* Walks once, into r->last; the reading before it becomes r->before. */
static void walk_once(struct stackread *r, const struct stack_wanted *w,
		      const struct walk_thread *t)
{
	struct reading old = r->before;
	const struct wire_frame *frames;
	const struct wire_stack *s;

	r->before = r->last;
	r->last = old;
	s = walk_stack(r->walk, &w->layout, &w->info, t, &frames);
	r->last.head = *s;
	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t slot = (s->first + i) % s->count;

		r->last.frames[i] = frames[slot];
		r->last.at[i] = walk_frame_at(r->walk, slot);
	}
}

static bool is_same(const struct wire_frame *a, const struct wire_frame *b)
{
	return a->code == b->code && a->lasti == b->lasti && a->flags == b->flags;
}

static bool agree(const struct reading *a, const struct reading *b)
{
	if (a->head.id != b->head.id || a->head.count != b->head.count ||
	    a->head.end != b->head.end)
		return false;
	for (uint32_t i = 0; i < a->head.count; i++)
		if (!is_same(&a->frames[i], &b->frames[i]))
			return false;
	return true;
}

/* Keeps the callers that two complete readings share; none if one is not complete. */
static void keep_shared(struct reading *a, const struct reading *b)
{
	uint32_t n = 0, ours = a->head.count, theirs = b->head.count;

	if (a->head.end == WALK_COMPLETE && b->head.end == WALK_COMPLETE)
		while (n < ours && n < theirs &&
		       is_same(&a->frames[ours - 1 - n], &b->frames[theirs - 1 - n]))
			n++;
	memmove(a->frames, a->frames + ours - n, n * sizeof(*a->frames));
	memmove(a->at, a->at + ours - n, n * sizeof(*a->at));
	a->head.count = n;
	a->head.end = WALK_COMPLETE;
}

/* --- until they agree ------------------------------------------------------------------------- */

/* Is it the end of a walk that another try may turn into a complete one? */
static bool is_torn(const struct stack_found *found, enum walk_end end)
{
	return found->proof != STACK_RESTED &&
	       (end == WALK_UNREADABLE || end == WALK_INCOMPLETE || end == WALK_ENDLESS);
}

static int read_stack(struct stackread *r, const struct stack_wanted *w,
		      const struct proc_stat *stat, struct stack_found *found)
{
	int64_t end = clock_ns() + PATIENCE_NS;
	bool had_one = false;

	for (int i = 0; i < TRIES_MIN || clock_ns() < end; i++) {
		struct walk_thread t;

		if (task_read(w->pid, w->tid, &found->task))
			return -ESRCH;
		t = thread_of(w, stat, &found->task);
		walk_once(r, w, &t);
		found->proof = STACK_RESTED;
		if (task_rested(w->pid, w->tid, &found->task))
			return 0;
		found->proof = STACK_AGREED;
		if (had_one && agree(&r->last, &r->before) && !is_torn(found, r->last.head.end))
			return 0;
		had_one = true;
	}
	found->proof = STACK_MOVED;
	keep_shared(&r->last, &r->before);
	return 0;
}

static void note_state(struct stackread *r, const struct stack_wanted *w, struct stack_found *found)
{
	uint64_t gil = walk_gil(r->walk, &w->layout, &w->info);

	found->state = walk_state(r->walk);
	found->in_gil = found->proof == STACK_RESTED && found->task.call == __NR_futex &&
			walk_in_gil(gil, found->task.first);
}

/* --- variables -------------------------------------------------------------------------------- */

/*
 * Variables are read twice, one whole pass after the other, so that time passes in between. Then the stack is
 * walked again: only frames that are still there, at the same address and instruction and with the same callers,
 * can have kept their variables.
 */
enum {
	LOCALS_FRAMES = 200, /* from the leaf */
	LOCALS_READS = 20000,
	LOCALS_BYTES = 256 << 10,
};

static void read_locals(struct stackread *r, const struct stack_wanted *w, uint32_t n,
			struct buf *out)
{
	r->values.pid = w->pid;
	r->values.l = &w->layout;
	r->values.left = LOCALS_READS;
	memset(r->values.types, 0, sizeof(r->values.types));
	for (uint32_t i = 0; i < n && out->len < LOCALS_BYTES; i++) {
		const struct wire_frame *f = &r->last.frames[i];

		if (!(f->flags & (FRAME_UNREADABLE | FRAME_LINE)))
			locals_read(&r->values, i, r->last.at[i], f->addr, out);
	}
}

/* Which of the first @n frames of r->before are no longer in r->last, counted from the root? */
static void find_moved(const struct stackread *r, bool *moved, uint32_t n)
{
	const struct reading *now = &r->last, *then = &r->before;
	uint32_t kept = 0;

	while (kept < now->head.count && kept < then->head.count) {
		uint32_t i = now->head.count - 1 - kept, k = then->head.count - 1 - kept;

		if (now->at[i] != then->at[k] || !is_same(&now->frames[i], &then->frames[k]))
			break;
		kept++;
	}
	for (uint32_t i = 0; i < n; i++)
		moved[i] = then->head.count - i > kept;
}

static void swap_readings(struct stackread *r)
{
	struct reading old = r->before;

	r->before = r->last;
	r->last = old;
}

static void add_locals(struct stackread *r, const struct stack_wanted *w,
		       const struct proc_stat *stat, const struct stack_found *found,
		       struct buf *out)
{
	_cleanup_(buf_done) struct buf first = {}, second = {};
	uint32_t n = found->count < LOCALS_FRAMES ? found->count : LOCALS_FRAMES;
	bool moved[LOCALS_FRAMES] = {};
	struct walk_thread t;
	struct task_now now;

	read_locals(r, w, n, &first);
	read_locals(r, w, n, &second);
	if (found->proof != STACK_RESTED || !task_rested(w->pid, w->tid, &found->task)) {
		if (task_read(w->pid, w->tid, &now))
			return;
		t = thread_of(w, stat, &now);
		walk_once(r, w, &t);
		find_moved(r, moved, n);
		swap_readings(r);
	}
	locals_merge(&first, &second, moved, n, out);
}

int stackread_thread(struct stackread *r, const struct stack_wanted *w, struct buf *out)
{
	struct stack_found found = {};
	struct proc_stat stat;
	int err = procfs_thread_stat(w->pid, w->tid, &stat);

	if (err)
		return -ESRCH;
	r->pid = w->pid;
	r->last.head.count = 0;
	r->last.head.end = cannot(w, &stat);
	if (r->last.head.end == WALK_COMPLETE) {
		err = read_stack(r, w, &stat, &found);
		if (!err)
			note_state(r, w, &found);
	} else {
		err = task_read(w->pid, w->tid, &found.task);
	}
	if (err)
		return err;
	found.end = r->last.head.end;
	found.count = r->last.head.count;
	buf_add(out, &found, sizeof(found));
	buf_add(out, r->last.frames, found.count * sizeof(*r->last.frames));
	buf_add(out, r->last.at, found.count * sizeof(*r->last.at));
	if (w->locals && found.count)
		add_locals(r, w, &stat, &found, out);
	return out->err;
}
