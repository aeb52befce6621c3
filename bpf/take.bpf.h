/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Takes the stack of one thread: chooses its interpreter, walks, and sends what the loader does not
 * have. Three programs do that: the sampler for the interrupted thread, the visitor for an off-CPU
 * thread, and a thread's own switch-out. They differ in how they read memory, how they search and
 * loop, and how they find where user code stopped. They pass these as constant functions, which the
 * compiler inlines.
 */
#ifndef KRAIT_TAKE_BPF_H
#define KRAIT_TAKE_BPF_H

#include "interps.bpf.h"
#include "send.bpf.h"

struct loop {
	struct scratch *s;
	const struct py_layout *l;
	pywalk_source *src;
	u64 pc;
	u32 which, best, with_frames; /* of the interpreters that were looked at */
};

enum loop_kind { LOOP_WALK, LOOP_CODE };

/* pywalk_find(), and pywalk_adopt() if @alone. */
typedef int find_fn(struct loop *c, bool alone);
typedef void loop_fn(struct loop *c, enum loop_kind kind);
/* False: the thread is in several interpreters at once. */
typedef bool choose_fn(struct loop *c);
/* Where user code stopped; 0: unknown. Also fills @w->regs if it can and @w is not NULL. */
typedef u64 pc_fn(void *ctx, struct task_struct *task, struct pywalk *w);
/* The stack pointer of user code; 0: unknown. */
typedef u64 sp_fn(void *ctx, struct task_struct *task);

/* --- verified once ---------------------------------------------------------------------------- */

/* A walk by its index in scratches, for a global function, which takes only scalars. False: none. */
static __always_inline bool loop_of(struct loop *c, u32 index)
{
	u32 layout;

	c->s = bpf_map_lookup_elem(&scratches, &index);
	if (!c->s)
		return false;
	layout = c->s->layout;
	c->l = bpf_map_lookup_elem(&layouts, &layout);
	return c->l;
}

/*
 * The branches of these would multiply with those of the program before and after them. The
 * verifier checks a global function by itself, once.
 */
__attribute__((weak, noinline)) u64 characters_of(u32 index, u64 hash)
{
	struct loop c;

	return loop_of(&c, index) ? pywalk_characters(&c.s->walk, c.l, hash) : 0;
}

static __always_inline int find_state(struct loop *c, bool alone)
{
	int go = pywalk_find(c->src, &c->s->walk, c->l, &c->s->proc);

	return alone ? pywalk_adopt(c->src, &c->s->walk, c->l, &c->s->proc, go) : go;
}

static long code_step(u32 i, struct loop *c)
{
	return send_code(c->src, c->s, c->l);
}

#ifndef MEMORY_OF_TASK

__attribute__((weak, noinline)) int find_here(u32 index, u32 alone)
{
	struct loop c = { .src = SELF };

	return loop_of(&c, index) ? find_state(&c, alone) : PYWALK_END;
}

__attribute__((weak, noinline)) int astray_here(u32 index)
{
	struct loop c;

	if (!loop_of(&c, index))
		return PYWALK_END;
	return pywalk_astray(SELF, &c.s->walk, c.l, &c.s->proc);
}

/* One call for all code objects: one for each would make a new stack 5 % dearer. */
__attribute__((weak, noinline)) int codes_here(u32 index)
{
	struct loop c = { .src = SELF };

	return loop_of(&c, index) ? bpf_loop(WIRE_MAX_FRAMES + 1, code_step, &c, 0) : 0;
}

/* Returns enum presence. */
__attribute__((weak, noinline)) int look_here(u32 index, u32 interp, u64 pc)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &index);

	return s ? interps_look(SELF, s, interp, pc) : NOWHERE;
}

static __always_inline int take_find(struct loop *c, bool alone)
{
	return find_here(c->s->walk.index, alone);
}

static __always_inline int take_next(struct loop *c)
{
	if (c->s->walk.astray)
		return astray_here(c->s->walk.index);
	return pywalk_step(SELF, &c->s->walk, c->l);
}

static __always_inline int take_next_noting(struct loop *c)
{
	if (c->s->walk.astray)
		return astray_here(c->s->walk.index);
	return pywalk_step_noting(SELF, &c->s->walk, c->l, 1);
}

static __always_inline void take_codes(struct loop *c)
{
	codes_here(c->s->walk.index);
}

static __always_inline int take_look(struct loop *c, u32 interp)
{
	return look_here(c->s->walk.index, interp, c->pc);
}

#else

static __always_inline int take_find(struct loop *c, bool alone)
{
	return find_state(c, alone);
}

static __always_inline int take_next(struct loop *c)
{
	return pywalk_next(c->src, &c->s->walk, c->l, &c->s->proc);
}

static __always_inline int take_next_noting(struct loop *c)
{
	return pywalk_next_noting(c->src, &c->s->walk, c->l, &c->s->proc);
}

static __always_inline void take_codes(struct loop *c)
{
	bpf_loop(WIRE_MAX_FRAMES + 1, code_step, c, 0);
}

static __always_inline int take_look(struct loop *c, u32 interp)
{
	return interps_look(c->src, c->s, interp, c->pc);
}

#endif

/* --- loops, where the kernel has bpf_loop ----------------------------------------------------- */

static long walk_step(u32 i, struct loop *c)
{
	return take_next(c) != PYWALK_MORE;
}

static __always_inline void loop_modern(struct loop *c, enum loop_kind kind)
{
	if (kind == LOOP_WALK)
		bpf_loop(WIRE_MAX_WALK, walk_step, c, 0);
	else
		take_codes(c);
}

static long walk_step_noting(u32 i, struct loop *c)
{
	return take_next_noting(c) != PYWALK_MORE;
}

/* The same, for a program that reads the running asyncio task after the walk. */
static __always_inline void loop_noting(struct loop *c, enum loop_kind kind)
{
	if (kind == LOOP_WALK)
		bpf_loop(WIRE_MAX_WALK, walk_step_noting, c, 0);
	else
		take_codes(c);
}

/* --- several interpreters --------------------------------------------------------------------- */

static __always_inline void choose_note(struct loop *c, u32 index, u32 has)
{
	c->with_frames += has == HAS_FRAMES;
	if (has > c->best) {
		c->best = has;
		c->which = index;
	}
}

/*
 * Selects the interpreter with the strongest evidence. False: the thread has frames in several, so
 * one has called the other, but nothing tells which. No stack is better than half a stack.
 */
static __always_inline bool choose_end(struct loop *c)
{
	interps_use(c->s, c->which);
	return c->best == IS_ENTERING || c->with_frames < 2;
}

static long choose_step(u32 i, struct loop *c)
{
	choose_note(c, i, take_look(c, i));
	return i >= c->s->more;
}

static __always_inline bool choose_modern(struct loop *c)
{
	c->s->more = c->s->proc.more;
	bpf_loop(WIRE_MAX_INTERPS, choose_step, c, 0);
	return choose_end(c);
}

static __always_inline u64 pc_of_task(void *ctx, struct task_struct *task, struct pywalk *w)
{
	struct pt_regs *saved = (void *)bpf_task_pt_regs(task);

#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(saved, ip);
#else
	return BPF_CORE_READ(saved, pc);
#endif
}

static __always_inline u64 sp_of_task(void *ctx, struct task_struct *task)
{
	struct pt_regs *saved = (void *)bpf_task_pt_regs(task);

	return BPF_CORE_READ(saved, sp);
}

/* --- a stack ---------------------------------------------------------------------------------- */

/*
 * Fills walk.stack and frames for this thread. @alone: it is the only thread of a program after
 * execve, and its thread pointer may be stale.
 */
static __always_inline void take_walk(struct loop *c, bool alone, find_fn *find, loop_fn *loop)
{
	int go = find(c, alone);

	if (go == PYWALK_GO)
		go = pywalk_start(c->src, &c->s->walk, c->l, &c->s->proc);
	if (go != PYWALK_END)
		loop(c, LOOP_WALK);
	pywalk_check_absence(c->src, &c->s->walk);
}

/* Does the thread whose stack was taken hold the GIL? */
static __always_inline bool take_holds_gil(struct loop *c)
{
	switch (c->s->walk.stack.end) {
	case WALK_ENTERING:
		return true;
	case WALK_NO_STATE:
	case WALK_AMBIGUOUS:
	case WALK_EXITING:
		return false;
	}
	if (!pywalk_holds_gil(&c->s->walk, c->l))
		return false;
	return c->s->walk.stack.end != WALK_NO_FRAME ||
	       pywalk_has_locked(c->src, &c->s->walk, c->l, &c->s->proc);
}

/*
 * Takes the stack of @task, a thread of the process s->walk.stack.proc, whose entry is in s->proc.
 * FATES: the stack is sent, and s->walk.stack.id can be counted. Any other value is the fate of the
 * sample.
 */
static __always_inline enum wire_fate take_stack(struct loop *c, struct task_struct *task,
						 u32 flags, bool btf, find_fn *find, loop_fn *loop,
						 choose_fn *choose, pc_fn *pc, sp_fn *sp, void *ctx)
{
	struct scratch *s = c->s;
	struct pywalk *w = &s->walk;
	bool known = true;
	u64 at;

	w->seed = pywalk_seed(&w->stack.proc);
	w->thread_id = task_thread_pointer(task, btf) - s->proc.tss_base;
	w->ns_tid = task_ns_tid(task, btf);
	w->max_depth = cfg.max_depth;
	w->code_type = s->proc.code_type;
	w->sp = sp(ctx, task);
	w->has_top = 0;
	w->leader = task_is_leader(task, btf);
	w->asleep = !ctx;
	w->in_loop = 0;
	if (s->proc.more) {
		c->pc = pc(ctx, task, NULL);
		known = choose(c);
	}
	s->layout = s->proc.layout;
	c->l = bpf_map_lookup_elem(&layouts, &s->layout);
	if (!c->l)
		return FATE_BROKEN;
	pywalk_reset(w);
	if (flags & PF_EXITING)
		w->stack.end = WALK_EXITING;
	else if (task_is_worker(flags))
		w->stack.end = WALK_NO_STATE;
	else if (!known)
		w->stack.end = WALK_AMBIGUOUS;
	else {
		if (!(c->l->flags & PY_IFRAME))
			w->in_loop = pc(ctx, task, NULL) - s->proc.entry < s->proc.at_entry.code;
		if (c->l->flags & PY_ENTRY_WINDOW) {
			at = pc(ctx, task, NULL);
			if (pywalk_wants_regs(&s->proc, at))
				pc(ctx, task, w); /* rarely: it copies all of them */
			pywalk_stopped(w, c->l, &s->proc, at);
		}
		take_walk(c, task_may_be_unswitched(task, flags, btf), find, loop);
	}
	if (w->stack.end == WALK_NO_STATE && !s->proc.more && pywalk_idle(c->src, w, &s->proc))
		return FATE_OTHER;
	pywalk_finish(w);
	if (was_sent(&sent_stacks, cfg.sent_stacks, w->stack.id))
		return FATES;
	s->codes_left = cfg.code_budget;
	s->next_frame = 0;
	s->deferred = 0;
	loop(c, LOOP_CODE);
	return send_stack(s) ? FATE_RING_FULL : FATES;
}

#endif
