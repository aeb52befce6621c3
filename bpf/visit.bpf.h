/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Wall-clock mode, the visitor: at each tick it reads the stacks of threads that have run since the
 * last tick and are off-CPU now (wall.bpf.h has the picture). It is sleepable: it may fault in
 * pages of the target. There is one visitor at a time.
 *
 * Two programs find the threads: visit_ring looks each up by its id (bpf_task_from_pid, 6.2),
 * visit_all goes through all tasks of the host and takes those that are queued (5.18).
 *
 * visit.bpf.c makes programs of it that read Python frames only, and some that read the running asyncio
 * task after them; natvisit.bpf.c, with NATIVE defined, makes a visit_ring that reads native frames, too.
 */
#ifndef KRAIT_VISIT_BPF_H
#define KRAIT_VISIT_BPF_H

#define MEMORY_OF_TASK
#include "filter.bpf.h"
#ifdef NATIVE
#include "natsample.bpf.h"
#endif
#include "take.bpf.h"
#include "settle.bpf.h"
#include "tasksample.bpf.h"
#include "wallstate.bpf.h"
#include <bpf/bpf_tracing.h>

extern struct task_struct *bpf_task_from_pid(s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;

struct visit {
	struct task_struct *task;
	struct wall_thread *t;
	u64 tick;
	u32 turn; /* the visitor's number */
};

/*
 * A page that a file system does not serve blocks a visitor for any length of time. Then the loader
 * sends another one, and the first is too late whenever it comes back. So each visitor has a
 * scratch of its own, and checks that it is still the current one before it changes anything.
 */
static __always_inline bool is_late(const struct visit *v)
{
	return v->turn != wall_now(wall.turn) ||
	       (u32)bpf_get_current_pid_tgid() != wall_now(wall.visitor);
}

/* Counts the off-CPU ticks that belong to no stack yet for @stack, the one read nearest to them. */
static __always_inline void give_rest(struct task_struct *task, struct wall_thread *t, u64 stack,
				      u64 life, u32 state, u64 tick)
{
	s64 rest = tick - t->first - t->ran - t->given;

	if (rest <= 0)
		return;
	settle_add(task, t, stack, life, state, rest);
	t->given += rest;
}

/* --- verified once (take.bpf.h), where a task can be found by its id -------------------------- */

/*
 * A global function cannot be given the task, so it looks it up again. NULL: the task has exited,
 * and perhaps another one has its id.
 */
static __always_inline struct task_struct *task_again(struct scratch *s)
{
	struct task_struct *task = bpf_task_from_pid(s->tid);

	if (!task || task->start_boottime == s->start_ns)
		return task;
	bpf_task_release(task);
	return NULL;
}

__attribute__((noinline)) int find_task(u32 index, u32 alone)
{
	struct loop c;
	int go;

	if (!loop_of(&c, index))
		return PYWALK_END;
	c.src = task_again(c.s);
	if (!c.src)
		return pywalk_end(&c.s->walk, WALK_EXITING);
	go = find_state(&c, alone);
	bpf_task_release(c.src);
	return go;
}

static __always_inline int loop_found(u32 index, u32 kind, loop_fn *loop)
{
	struct loop c;

	if (!loop_of(&c, index))
		return 0;
	c.src = task_again(c.s);
	if (!c.src)
		return kind == LOOP_WALK ? pywalk_end(&c.s->walk, WALK_EXITING) : 0;
	loop(&c, kind);
	bpf_task_release(c.src);
	return 0;
}

__attribute__((noinline)) int loop_task(u32 index, u32 kind)
{
	return loop_found(index, kind, loop_modern);
}

/* Returns enum presence. */
__attribute__((noinline)) int look_task(u32 index, u32 interp, u64 pc)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &index);
	struct task_struct *task = s ? task_again(s) : NULL;
	int has;

	if (!task)
		return NOWHERE;
	has = interps_look(task, s, interp, pc);
	bpf_task_release(task);
	return has;
}

static __always_inline int find_by_id(struct loop *c, bool alone)
{
	return find_task(c->s->walk.index, alone);
}

static __always_inline void loop_by_id(struct loop *c, enum loop_kind kind)
{
	loop_task(c->s->walk.index, kind);
}

static long choose_step_by_id(u32 i, struct loop *c)
{
	choose_note(c, i, look_task(c->s->walk.index, i, c->pc));
	return i >= c->s->more;
}

static __always_inline bool choose_by_id(struct loop *c)
{
	c->s->more = c->s->proc.more;
	bpf_loop(WIRE_MAX_INTERPS, choose_step_by_id, c, 0);
	return choose_end(c);
}

#ifndef NATIVE

__attribute__((noinline)) int loop_task_noting(u32 index, u32 kind)
{
	return loop_found(index, kind, loop_noting);
}

__attribute__((noinline)) u64 task_there(u32 index, u64 stack)
{
	struct loop c;
	u64 id;

	if (!loop_of(&c, index))
		return stack;
	c.src = task_again(c.s);
	if (!c.src)
		return stack;
	id = task_stack(c.src, c.s, c.l, stack);
	bpf_task_release(c.src);
	return id;
}

static __always_inline void loop_noting_by_id(struct loop *c, enum loop_kind kind)
{
	loop_task_noting(c->s->walk.index, kind);
}

static __always_inline enum wire_fate take_tasked(struct loop *c, struct task_struct *task,
						  bool by_id)
{
	struct wire_stack *stack = &c->s->walk.stack;
	enum wire_fate fate;

	task_begin(c->s->walk.index);
	fate = by_id ? take_stack(c, task, task->flags, true, find_by_id, loop_noting_by_id,
				  choose_by_id, pc_of_task, sp_of_task, NULL)
		     : take_stack(c, task, task->flags, true, take_find, loop_noting, choose_modern,
				  pc_of_task, sp_of_task, NULL);
	if (fate == FATES)
		stack->id = by_id ? task_there(c->s->walk.index, stack->id)
				  : task_stack(task, c->s, c->l, stack->id);
	return fate;
}

#else

__attribute__((noinline)) u64 native_task(u32 index, u32 part)
{
	struct loop c;
	u64 ret;

	if (!loop_of(&c, index))
		return 0;
	c.src = task_again(c.s);
	if (!c.src)
		return 0;
	ret = natsample_part(&c, part);
	bpf_task_release(c.src);
	return ret;
}

static __always_inline u64 native_by_id(struct loop *c, enum native_part part)
{
	return native_task(c->s->walk.index, part);
}

/* The GIL's clock counts no other threads, so their C functions are not needed. */
static __always_inline void take_native(struct loop *c, struct task_struct *task, u32 state)
{
	if ((cfg.wall & WALL_GIL) && !(state & THREAD_HOLDS_GIL))
		return;
	c->s->walk.stack.id = natsample_stack(c, task, NULL, task->flags, native_by_id);
}

#endif

/* --- a visit ---------------------------------------------------------------------------------- */

/* How a visitor works, constant: threads are found by their id; asyncio tasks are read, too. */
struct manner {
	bool by_id, tasks;
};

static __always_inline enum wire_fate take_plain(struct loop *c, struct task_struct *task,
						 bool by_id)
{
	return by_id ? take_stack(c, task, task->flags, true, find_by_id, loop_by_id, choose_by_id,
				  pc_of_task, sp_of_task, NULL)
		     : take_stack(c, task, task->flags, true, take_find, loop_modern, choose_modern,
				  pc_of_task, sp_of_task, NULL);
}

/* Takes the stack of a thread, and its state into @state. False: the thread is not counted. */
static __always_inline bool take_visited(struct visit *v, struct scratch *s, struct manner m,
					 u32 *state)
{
	struct task_struct *task = v->task;
	struct loop c = { .s = s, .src = task };
	struct proc_info *info;
	enum wire_fate fate;

	if (cfg.filters && !filter_passes(task, task->tgid, task->pid))
		return false;
	proc_key_of(&s->walk.stack.proc, task);
	info = bpf_map_lookup_elem(&procs, &s->walk.stack.proc);
	if (!info || info->kind != PROC_PYTHON)
		return false;
	s->proc = *info;
	s->tid = task->pid;
	s->start_ns = task->start_boottime;
#ifdef NATIVE
	fate = take_plain(&c, task, m.by_id);
#else
	fate = m.tasks ? take_tasked(&c, task, m.by_id) : take_plain(&c, task, m.by_id);
#endif
	if (fate == FATES)
		*state = wall_state(&c, task);
#ifdef NATIVE
	if (fate == FATES)
		take_native(&c, task, *state);
#endif
	return fate == FATES;
}

/* Publishes the record, then checks the thread. False: it ran meanwhile, and the record is void. */
static __always_inline bool publish(struct visit *v, u64 switches)
{
	struct task_struct *task = v->task;
	struct wall_thread *t = v->t;

	__sync_val_compare_and_swap(&t->live, 0, 1);
	if (!wall_on_cpu(task) && wall_switches(task) == switches)
		return true;
	__sync_val_compare_and_swap(&t->live, 1, 0);
	stats_note(NOTE_WALL_MOVED);
	return false;
}

/* The thread was filtered out or not Python at the time: its time up to here is not counted. */
static __always_inline void pass_over(struct wall_thread *t, u64 tick)
{
	t->given = tick - t->first - t->ran;
	t->passed = 0;
}

enum reading {
	READ,
	READ_RUNS,  /* not read: the thread runs */
	READ_MOVED, /* not read: it ran meanwhile, or could not be read yet; visit it again */
};

static __always_inline enum reading record(struct visit *v, struct scratch *s, struct manner m)
{
	struct task_struct *task = v->task;
	struct wall_thread *t = v->t;
	u64 switches = wall_switches(task), runs, delay;
	u32 state = 0;

	if (wall_on_cpu(task))
		return READ_RUNS;
	runs = wall_now(task->sched_info.pcount);
	delay = wall_now(task->sched_info.run_delay);
	if (t->passed)
		pass_over(t, v->tick - 1);
	if (!take_visited(v, s, m, &state)) {
		if (!is_late(v))
			t->passed = 1;
		return READ; /* its next switch-out queues it */
	}
	if (is_late(v))
		return READ;
#ifdef NATIVE
	if (s->walk.stack.id == NATIVE_LATER)
		return READ_MOVED;
#endif
	t->proc = s->walk.stack.proc;
	t->stack = s->walk.stack.id;
	t->life = settle_life(task, &t->proc);
	t->state = state;
	t->halted = wall_is_halted(task);
	t->base = v->tick;
	t->end = 0;
	t->waited = 0;
	t->runs = runs;
	t->run_delay = delay;
	if (!publish(v, switches)) {
		t->want = 1;
		return READ_MOVED;
	}
#ifdef NATIVE
	natsample_confirm(s);
#endif
	stats_note(NOTE_WALL_READ);
	give_rest(task, t, t->stack, t->life, wall_word(state, t->halted), v->tick);
	return READ;
}

static __always_inline void visit(struct visit *v, struct manner m)
{
	struct wall_thread *t = v->t;
	u32 index = cfg.scratch + v->turn;
	struct scratch *s = bpf_map_lookup_elem(&scratches, &index);
	enum reading how;

	if (!s)
		return;
	s->walk.index = index;
	if (t->live && t->end)
		settle(v->task, t);
	if (t->got) {
		give_rest(v->task, t, t->own_stack, t->own_life, t->own_state, v->tick - 1);
		t->got = 0;
	}
	__sync_val_compare_and_swap(&t->queued, 1, 0);
	if (t->fresh) {
		t->fresh = 0;
		proc_key_of(&t->proc, v->task);
	}
	if (wall_is_stalled(v->task->tgid)) {
		wall_lose(t, v->tick);
		return;
	}
	wall.process = v->task->tgid;
	wall.visiting = v->task->pid;
	how = record(v, s, m);
	if (how == READ_MOVED || (how == READ_RUNS && wall_has_left(v->task, t)))
		wall_queue(t, v->task->pid);
	if (!is_late(v))
		wall.visiting = 0;
}

/* --- by the ring ------------------------------------------------------------------------------ */

struct ring_loop {
	u64 from;
	u32 turn;
};

static __always_inline long ring_visit(u32 i, struct ring_loop *l, bool tasks)
{
	u32 index = (l->from + i) & (WALL_RING - 1), tid;
	u32 *slot = bpf_map_lookup_elem(&visits, &index);
	struct visit v = { .tick = wall.tick, .turn = l->turn };

	if (!slot || is_late(&v))
		return 1;
	tid = wall_now(*slot);
	if (!tid)
		return 1; /* it is being written: read it at the next tick */
	wall_now(*slot) = 0;
	wall_now(wall.tail) = l->from + i + 1;
	v.task = bpf_task_from_pid(tid);
	if (!v.task)
		return 0;
	v.t = wall_get(v.task, 0);
	if (v.t && v.t->queued)
		visit(&v, (struct manner){ .by_id = true, .tasks = tasks });
	bpf_task_release(v.task);
	return 0;
}

static long ring_step(u32 i, struct ring_loop *l)
{
	return ring_visit(i, l, false);
}

static long ring_step_tasks(u32 i, struct ring_loop *l)
{
	return ring_visit(i, l, true);
}

static __always_inline int visit_by_ring(bool tasks)
{
	struct ring_loop l = { .from = wall.tail, .turn = wall.turn };
	u64 n = wall_now(wall.head) - l.from;

	if (n > WALL_RING)
		n = WALL_RING;
	bpf_loop(n, tasks ? ring_step_tasks : ring_step, &l, 0);
	return 0;
}

#endif
