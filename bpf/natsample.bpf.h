/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The native part of a sample. It comes after the Python part and changes nothing of it.
 *
 *	seats of the Python walk ─┐
 *	registers, mappings ──────┴─► natstack.h ─► frames ─► id
 *	                                  │           └ new: struct wire_native ─► ring
 *	                                  └ a chunk or the mappings are missing:
 *	                                    struct wire_copy ─► ring, the loader walks
 */
#ifndef KRAIT_NATSAMPLE_BPF_H
#define KRAIT_NATSAMPLE_BPF_H

#include "context.bpf.h"
#include "natseats.bpf.h"
#include "take.bpf.h"

/* --- seats ------------------------------------------------------------------------------------ */

/* The versions whose seats the Python walk does not pass by: 3.10 and 3.11. */
static __always_inline bool natsample_has_cframes(const struct py_layout *l)
{
	return l->ts_cframe && !(l->flags & PY_SHIM);
}

static long cframe_step(u32 i, struct loop *c)
{
	u32 index = c->s->walk.index;
	struct native_scratch *n = bpf_map_lookup_elem(&native_scratches, &index);

	if (!n || n->cframes >= WIRE_MAX_SEATS)
		return 1;
	n->cframe = pywalk_cframe(SELF, &c->s->walk, c->l, n->cframe);
	if (!n->cframe)
		return 1;
	n->cframe_at[n->cframes++ & (WIRE_MAX_SEATS - 1)] = n->cframe;
	return 0;
}

/* While the loop is entered or left, the innermost _PyCFrame has no Python frame. */
static long seat_step(u32 i, struct native_scratch **at)
{
	struct native_scratch *n = *at;
	struct wire_seat *seat = natstack_seat(&n->stack, i);

	seat->at = n->cframe_at[(i + n->cframes - n->noted) & (WIRE_MAX_SEATS - 1)];
	return 0;
}

/* 3.10: each Python frame has a C frame. */
static long frame_step(u32 i, struct native_scratch **at)
{
	natstack_seat(&(*at)->stack, i)->frames = i + 1;
	return 0;
}

__attribute__((weak, noinline)) int natsample_cframes(u32 index)
{
	struct native_scratch *n = bpf_map_lookup_elem(&native_scratches, &index);
	struct loop c = { .src = SELF };

	if (!n || !loop_of(&c, index))
		return 0;
	n->cframes = 0;
	n->cframe = 0;
	bpf_loop(WIRE_MAX_SEATS, cframe_step, &c, 0);
	if (!(c.l->flags & PY_IS_ENTRY)) {
		n->noted = c.s->walk.total < WIRE_MAX_SEATS ? c.s->walk.total : 0;
		bpf_loop(n->noted, frame_step, &n, 0);
	}
	if (n->cframes < n->noted)
		n->noted = 0;
	else
		bpf_loop(n->noted, seat_step, &n, 0);
	return 0;
}

/* --- the walk --------------------------------------------------------------------------------- */

static long native_step(u32 i, struct native_scratch **n)
{
	return natstack_step(SELF, &(*n)->stack) != NATWALK_MORE;
}

__attribute__((weak, noinline)) int natsample_walk(u32 index)
{
	struct native_scratch *n = bpf_map_lookup_elem(&native_scratches, &index);

	return n ? bpf_loop(WIRE_MAX_NATIVE, native_step, &n, 0) : 0;
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

static __always_inline void natsample_regs(struct natwalk *w, void *ctx)
{
	volatile struct context_regs *regs = ctx;
	struct pt_regs *saved;

	if (CONTEXT_USER(regs)) {
#define TAKE(number, name, at) w->regs[number] = regs->before[at];
		NATSAMPLE_REGS(TAKE)
#undef TAKE
		natwalk_start(w, regs->ip, regs->sp, regs->before[4]);
	} else {
		saved = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
#define TAKE(number, name, at) w->regs[number] = saved->name;
		NATSAMPLE_REGS(TAKE)
#undef TAKE
		natwalk_start(w, saved->ip, saved->sp, saved->bp);
	}
	w->has_regs = 1;
}

#else

static __always_inline void natsample_regs(struct natwalk *w, void *ctx)
{
	natwalk_start(w, 0, 0, 0); /* native frames are not offered on this machine */
}

#endif

/* Everything that the walk starts from. NULL: the process's mappings are not known. */
static __always_inline struct native_proc *natsample_begin(struct loop *c, struct native_scratch *n,
							   void *ctx)
{
	struct native_proc *p = bpf_map_lookup_elem(&native_procs, &c->s->walk.stack.proc);
	struct natstack *s = &n->stack;

	natsample_regs(&s->walk, ctx);
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

/* Not inlined: the event takes 104 bytes of the stack. */
__attribute__((weak, noinline)) int natsample_tell(u32 index, u32 kind)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &index);
	struct wire_event event = { .kind = kind };

	if (!s)
		return 0;
	event.proc = s->walk.stack.proc;
	if (bpf_ringbuf_output(&events, &event, sizeof(event), BPF_RB_FORCE_WAKEUP))
		stats_note(NOTE_EVENT_LOST);
	return 0;
}

/* The stack ends in an address that may be in a new mapping: has the loader look, now and then. */
static __always_inline void natsample_look_again(struct native_proc *p, u32 index)
{
	enum { AGAIN_NS = 20000000 };
	u64 now = bpf_ktime_get_ns();

	if (now - p->asked < AGAIN_NS)
		return;
	p->asked = now;
	natsample_tell(index, EVENT_NATIVE);
}

static __always_inline void natsample_learned(struct native_proc *p, const struct natstack *s)
{
	if (p->delta || !s->delta)
		return;
	p->fp_saved = s->fp_saved;
	p->delta = s->delta;
}

/* 0: the copy is on its way. */
static __always_inline int natsample_send_copy(struct native_scratch *n, struct scratch *s, u64 id)
{
	struct wire_copy *c = &n->copy;
	u64 from = n->stack.walk.sp;
	u32 i, len;

	c->kind = RECORD_COPY;
	c->proc = s->walk.stack.proc;
	c->id = id;
	c->python = s->walk.stack.id;
	c->delta = n->stack.delta;
	c->fp_saved = n->stack.fp_saved;
	c->by_code = n->stack.by_code;
	c->code = n->stack.code;
	c->seats = n->stack.seats < WIRE_COPY_SEATS ? n->stack.seats : WIRE_COPY_SEATS;
	bpf_probe_read_kernel(c->seat, sizeof(c->seat), n->stack.seat);
	from = c->sp & -(u64)WIRE_PAGE;
	c->stack = from;
	for (i = 0; i < WIRE_COPY_PAGES; i++)
		if (bpf_probe_read_user(n->copied + i * WIRE_PAGE, WIRE_PAGE,
					(void *)(from + i * WIRE_PAGE)))
			break;
	c->len = i * WIRE_PAGE;
	len = natsample_bounded(c->len, 2 * WIRE_COPY_PAGES * WIRE_PAGE);
	if (len > WIRE_COPY_PAGES * WIRE_PAGE)
		return -1;
	return ring_send(c, sizeof(*c) + len);
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

/* Has the loader walk the stack. Returns the id of this sample alone; 0: there is no room. */
static __always_inline u64 natsample_unfinished(struct native_scratch *n, struct scratch *s,
						bool unknown)
{
	u64 id = pywalk_mix(s->walk.stack.id, bpf_ktime_get_ns());

	if (unknown)
		natsample_tell(s->walk.index, EVENT_NATIVE);
	if (natsample_send_copy(n, s, id))
		return 0;
	natsample_tell(s->walk.index, EVENT_COPY);
	return id;
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

/* Walks the native stack after the Python stack was taken. Returns the id of both together. */
static __always_inline u64 natsample_stack(struct loop *c, void *ctx, u32 flags)
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
		natsample_cframes(index);
	p = natsample_begin(c, n, ctx);
	natsample_keep_regs(n);
	natsample_walk(index);
	if (p)
		natsample_learned(p, &n->stack);
	if (n->stack.unfinished && (!p || p->maps >> 32)) {
		id = natsample_unfinished(n, s, !p);
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
