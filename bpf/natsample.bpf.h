/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The native part of a sample. It comes after the Python part and changes nothing of it.
 *
 *	seats of the Python walk ─┐
 *	registers, mappings ──────┴─► natstack.h ─► frames ─► id
 *	                                  │           └ new: struct wire_native ─► ring
 *	                                  └ a chunk or the mappings are missing:
 *	                                    struct wire_copy ─► ring, the loader walks
 *
 * Whose memory is read and how the parts are called differs between the programs, like in take.bpf.h. An
 * off-CPU thread's registers are where it entered the kernel. Its stack does not change, so the visitor
 * sends few copies at a time and postpones the other threads until the loader has compiled what they
 * share: at the start of a recording thousands of threads may be read in one tick.
 */
#ifndef KRAIT_NATSAMPLE_BPF_H
#define KRAIT_NATSAMPLE_BPF_H

#include "context.bpf.h"
#include "natseats.bpf.h"
#include "take.bpf.h"

#define NATIVE_LATER 1ULL /* no stack has this id */

/* --- seats ------------------------------------------------------------------------------------ */

/* The versions whose seats the Python walk does not pass by: 3.10 and 3.11. */
static __always_inline bool natsample_has_cframes(const struct py_layout *l)
{
	return l->ts_cframe && !(l->flags & PY_SHIM);
}

/* Nothing else, so that the verifier finds its states equal. */
struct native_loop {
	struct native_scratch *n;
	struct scratch *s;
	const struct py_layout *l;
	pywalk_source *src;
};

static long cframe_step(u32 i, struct native_loop *l)
{
	struct native_scratch *n = l->n;

	if (n->cframes >= WIRE_MAX_SEATS)
		return 1;
	n->cframe = pywalk_cframe(l->src, &l->s->walk, l->l, n->cframe);
	if (!n->cframe)
		return 1;
	n->cframe_at[n->cframes++ & (WIRE_MAX_SEATS - 1)] = n->cframe;
	return 0;
}

/* While the loop is entered or left, the innermost _PyCFrame has no Python frame. */
static long seat_step(u32 i, struct native_loop *l)
{
	struct native_scratch *n = l->n;
	struct wire_seat *seat = natstack_seat(&n->stack, i);

	seat->at = n->cframe_at[(i + n->cframes - n->noted) & (WIRE_MAX_SEATS - 1)];
	return 0;
}

/* 3.10: each Python frame has a C frame. */
static long frame_step(u32 i, struct native_loop *l)
{
	natstack_seat(&l->n->stack, i)->frames = i + 1;
	return 0;
}

static __always_inline void natsample_cframes(struct native_loop *l)
{
	struct native_scratch *n = l->n;
	u32 frames = l->s->walk.total;

	n->cframes = 0;
	n->cframe = 0;
	bpf_loop(WIRE_MAX_SEATS, cframe_step, l, 0);
	if (!(l->l->flags & PY_IS_ENTRY)) {
		n->noted = frames < WIRE_MAX_SEATS ? frames : 0;
		bpf_loop(n->noted, frame_step, l, 0);
	}
	if (n->cframes < n->noted)
		n->noted = 0;
	else
		bpf_loop(n->noted, seat_step, l, 0);
}

/* --- the walk --------------------------------------------------------------------------------- */

static long native_step(u32 i, struct native_loop *l)
{
	return natstack_step(l->src, &l->n->stack) != NATWALK_MORE;
}

static __always_inline void natsample_walk(struct native_loop *l)
{
	bpf_loop(WIRE_MAX_NATIVE, native_step, l, 0);
}

#if defined(__TARGET_ARCH_x86)

/* By DWARF's numbers: the place in struct pt_regs. */
#define NATSAMPLE_REGS(X)                                                                          \
	X(0, ax, 10)                                                                               \
	X(1, dx, 12)                                                                               \
	X(2, cx, 11)                                                                               \
	X(3, bx, 5)                                                                                \
	X(4, si, 13)                                                                               \
	X(5, di, 14)                                                                               \
	X(8, r8, 9)                                                                                \
	X(9, r9, 8)                                                                                \
	X(10, r10, 7)                                                                              \
	X(11, r11, 6)                                                                              \
	X(12, r12, 3)                                                                              \
	X(13, r13, 2)                                                                              \
	X(14, r14, 1)                                                                              \
	X(15, r15, 0)

/* @ctx NULL: the thread is off-CPU, or on its way there. */
static __always_inline void natsample_regs(struct natwalk *w, struct task_struct *task, void *ctx)
{
	volatile struct context_regs *regs = ctx;
	struct pt_regs *saved;

	if (ctx && CONTEXT_USER(regs)) {
#define TAKE(number, name, at) w->regs[number] = regs->before[at];
		NATSAMPLE_REGS(TAKE)
#undef TAKE
		natwalk_start(w, regs->ip, regs->sp, regs->before[4]);
	} else {
		saved = (void *)bpf_task_pt_regs(task);
#define TAKE(number, name, at) w->regs[number] = saved->name;
		NATSAMPLE_REGS(TAKE)
#undef TAKE
		natwalk_start(w, saved->ip, saved->sp, saved->bp);
	}
	w->has_regs = 1;
}

#else

static __always_inline void natsample_regs(struct natwalk *w, struct task_struct *task, void *ctx)
{
	natwalk_start(w, 0, 0, 0); /* native frames are not offered on this machine */
}

#endif

/* Everything that the walk starts from. NULL: the process's mappings are not known. */
static __always_inline struct native_proc *natsample_begin(struct loop *c, struct native_scratch *n,
							   struct task_struct *task, void *ctx)
{
	struct native_proc *p = bpf_map_lookup_elem(&native_procs, &c->s->walk.stack.proc);
	struct natstack *s = &n->stack;

	natsample_regs(&s->walk, task, ctx);
	s->walk.first_map = p ? p->maps : 0;
	s->walk.maps = p ? p->maps >> 32 : 0;
	s->delta = p ? p->delta : 0;
	s->fp_saved = p ? p->fp_saved : 0;
	s->by_code = !c->l->ts_cframe && !(c->l->flags & PY_SHIM);
	s->code = c->s->proc.code;
	s->seats = s->by_code ? 0 : n->noted;
	natstack_start(s);
	return p;
}

/* --- what the loader gets --------------------------------------------------------------------- */

/* A number below @most, a power of two, so that every verifier sees that it is. */
static __always_inline u32 natsample_bounded(u32 n, u32 most)
{
	asm volatile("" : "+r"(n));
	return n & (most - 1);
}

/* The stack ends in an address that may be in a new mapping: has the loader look, now and then. */
static __always_inline void natsample_look_again(struct native_proc *p, u32 index)
{
	enum { AGAIN_NS = 20000000 };
	u64 now = bpf_ktime_get_ns();

	if (now - p->asked < AGAIN_NS)
		return;
	p->asked = now;
	tell_of_walk(index, EVENT_NATIVE);
}

static __always_inline void natsample_learned(struct native_proc *p, const struct natstack *s)
{
	if (p->delta || !s->delta)
		return;
	p->fp_saved = s->fp_saved;
	p->delta = s->delta;
}

/* The registers change during the walk. */
static __always_inline void natsample_keep_regs(struct native_scratch *n)
{
	struct natwalk *w = &n->stack.walk;

	n->copy.pc = w->pc;
	n->copy.sp = w->sp;
	n->copy.fp = w->fp;
	__builtin_memcpy(n->copy.regs, w->regs, sizeof(n->copy.regs));
}

static __always_inline void natsample_fill_copy(struct native_loop *l, u64 id)
{
	struct native_scratch *n = l->n;
	struct wire_copy *c = &n->copy;
	u64 from = c->sp & -(u64)WIRE_PAGE;
	u32 i;

	c->kind = RECORD_COPY;
	c->proc = l->s->walk.stack.proc;
	c->id = id;
	c->python = l->s->walk.stack.id;
	c->delta = n->stack.delta;
	c->fp_saved = n->stack.fp_saved;
	c->by_code = n->stack.by_code;
	c->code = n->stack.code;
	c->seats = n->stack.seats < WIRE_COPY_SEATS ? n->stack.seats : WIRE_COPY_SEATS;
	bpf_probe_read_kernel(c->seat, sizeof(c->seat), n->stack.seat);
	c->stack = from;
	for (i = 0; i < WIRE_COPY_PAGES; i++)
		if (read_user(l->src, n->copied + i * WIRE_PAGE, WIRE_PAGE, from + i * WIRE_PAGE))
			break;
	c->len = i * WIRE_PAGE;
}

/* Has the loader walk the stack. Returns the id of this sample alone; 0: there is no room. */
static __always_inline u64 natsample_send_copy(struct native_loop *l)
{
	u64 id = pywalk_mix(l->s->walk.stack.id, bpf_ktime_get_ns());
	u32 len;

	natsample_fill_copy(l, id);
	len = natsample_bounded(l->n->copy.len, 2 * WIRE_COPY_PAGES * WIRE_PAGE);
	if (len > WIRE_COPY_PAGES * WIRE_PAGE || ring_send(&l->n->copy, sizeof(l->n->copy) + len))
		return 0;
	tell_of_walk(l->s->walk.index, EVENT_COPY);
	return id;
}

static __always_inline int natsample_send(struct native_scratch *n, struct scratch *s, u64 id)
{
	struct wire_native *h = &n->head;
	u32 len = natsample_bounded(n->stack.count * 8, 2 * 8 * WIRE_MAX_NATIVE);

	if (len > sizeof(n->frame))
		return -1;
	h->kind = RECORD_NATIVE;
	h->count = len / 8;
	h->proc = s->walk.stack.proc;
	h->id = id;
	h->python = s->walk.stack.id;
	h->by_code = n->stack.by_code;
	bpf_probe_read_kernel(n->frame, len, n->stack.frame);
	return ring_send(h, sizeof(*h) + len);
}

/* The id of the Python and the native stack together. It is sent if that is new. */
static __always_inline u64 natsample_finished(struct native_scratch *n, struct scratch *s)
{
	u64 id = pywalk_mix(s->walk.stack.id, n->stack.hash);

	if (was_sent(&sent_stacks, cfg.sent_stacks, id))
		return id;
	if (natsample_send(n, s, id)) {
		stats_note(NOTE_NATIVE_RING);
		return s->walk.stack.id;
	}
	mark_sent(&sent_stacks, cfg.sent_stacks, id);
	return id;
}

/* The walk of @s was of a thread that did not run meanwhile. */
static __always_inline void natsample_confirm(struct scratch *s)
{
	u32 index = s->walk.index;
	struct native_scratch *n = bpf_map_lookup_elem(&native_scratches, &index);
	struct native_proc *p = bpf_map_lookup_elem(&native_procs, &s->walk.stack.proc);

	if (n && p)
		natsample_learned(p, &n->stack);
}

/* --- parts ------------------------------------------------------------------------------------ */

/* They read memory of the thread, and loop. */
enum native_part { NATIVE_CFRAMES, NATIVE_WALK, NATIVE_COPY };

/* NATIVE_COPY: natsample_send_copy() */
typedef u64 native_fn(struct loop *c, enum native_part part);

static __always_inline u64 natsample_part(struct loop *c, enum native_part part)
{
	u32 index = c->s->walk.index;
	struct native_loop l = { .s = c->s, .l = c->l, .src = c->src };

	l.n = bpf_map_lookup_elem(&native_scratches, &index);
	if (!l.n)
		return 0;
	if (part == NATIVE_COPY)
		return natsample_send_copy(&l);
	if (part == NATIVE_CFRAMES)
		natsample_cframes(&l);
	else
		natsample_walk(&l);
	return 0;
}

#ifndef MEMORY_OF_TASK

/* Verified once, like find_here() in take.bpf.h. */
__attribute__((weak, noinline)) u64 natsample_part_here(u32 index, u32 part)
{
	struct loop c = { .src = SELF };

	return loop_of(&c, index) ? natsample_part(&c, part) : 0;
}

static __always_inline u64 natsample_here(struct loop *c, enum native_part part)
{
	return natsample_part_here(c->s->walk.index, part);
}

#endif

/* --- a stack ---------------------------------------------------------------------------------- */

/* That the visitor sends in a tick; the ring has room for 28 at least. */
enum { NATIVE_COPIES = 8 };

/* May the stack that was just walked be walked by the loader? */
static __always_inline bool natsample_may_copy(struct native_scratch *n)
{
	if (OF_SELF)
		return true;
	if (n->tick != wall.tick)
		n->copies = 0;
	n->tick = wall.tick;
	return n->copies++ < NATIVE_COPIES;
}

/* The id; NATIVE_LATER: the thread has to be visited again; 0: it cannot be walked by the loader. */
static __always_inline u64 natsample_unfinished(struct loop *c, struct native_scratch *n,
						native_fn *native, bool unknown)
{
	u64 id;

	if (!natsample_may_copy(n))
		return NATIVE_LATER;
	if (unknown)
		tell_of_walk(c->s->walk.index, EVENT_NATIVE);
	id = native(c, NATIVE_COPY);
	return id || OF_SELF ? id : NATIVE_LATER;
}

/*
 * Walks the native stack after the Python stack was taken. Returns the id of both together, or
 * NATIVE_LATER. A visitor learns from the walk when it is sure that the thread did not run meanwhile.
 */
static __always_inline u64 natsample_stack(struct loop *c, struct task_struct *task, void *ctx,
					   u32 flags, native_fn *native)
{
	struct scratch *s = c->s;
	u32 index = s->walk.index, end = s->walk.stack.end;
	struct native_scratch *n = bpf_map_lookup_elem(&native_scratches, &index);
	struct native_proc *p;
	u64 id;

	if (!n || (flags & PF_EXITING) || task_is_worker(flags) || end == WALK_TRUNCATED ||
	    end == WALK_ENDLESS)
		return s->walk.stack.id;
	if (natsample_has_cframes(c->l))
		native(c, NATIVE_CFRAMES);
	p = natsample_begin(c, n, task, ctx);
	natsample_keep_regs(n);
	native(c, NATIVE_WALK);
	if (p && OF_SELF)
		natsample_learned(p, &n->stack);
	if (n->stack.unfinished && (!p || p->maps >> 32)) {
		id = natsample_unfinished(c, n, native, !p);
		if (id)
			return id;
	}
	if (n->stack.unfinished)
		natstack_add(&n->stack, NATIVE_FRAME_ABSOLUTE | n->stack.walk.end);
	if (p && n->stack.unmapped)
		natsample_look_again(p, index);
	return natsample_finished(n, s);
}

#endif
