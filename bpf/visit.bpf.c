// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Wall-clock mode, the visitor: at each tick it reads the stacks of threads that have run since the
 * last tick and are off-CPU now (wall.bpf.h has the picture). It is sleepable: it may fault in
 * pages of the target. There is one visitor at a time.
 *
 * Two programs find the threads: visit_ring looks each up by its id (bpf_task_from_pid, 6.2),
 * visit_all goes through all tasks of the host and takes those that are queued (5.18).
 */
#define MEMORY_OF_TASK
#include "filter.bpf.h"
#include "take.bpf.h"
#include "settle.bpf.h"
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

/* Takes the stack of a thread, and its state into @state. False: the thread is not counted. */
static __always_inline bool take_visited(struct visit *v, struct scratch *s, u32 *state)
{
	struct task_struct *task = v->task;
	struct loop c = { .s = s, .src = task };
	struct proc_info *info;

	if (cfg.filters && !filter_passes(task, task->tgid, task->pid))
		return false;
	proc_key_of(&s->walk.stack.proc, task);
	info = bpf_map_lookup_elem(&procs, &s->walk.stack.proc);
	if (!info || info->kind != PROC_PYTHON)
		return false;
	s->proc = *info;
	if (take_stack(&c, task, task->flags, true, loop_modern, choose_modern, pc_of_task,
		       sp_of_task, NULL) != FATES)
		return false;
	*state = wall_state(&c, task);
	return true;
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

/* Reads the thread. False: it runs, or ran meanwhile, and must be visited again. */
static __always_inline bool record(struct visit *v, struct scratch *s)
{
	struct task_struct *task = v->task;
	struct wall_thread *t = v->t;
	u64 switches = wall_switches(task), runs, delay;
	u32 state = 0;

	if (wall_on_cpu(task))
		return false;
	runs = wall_now(task->sched_info.pcount);
	delay = wall_now(task->sched_info.run_delay);
	if (t->passed)
		pass_over(t, v->tick - 1);
	if (!take_visited(v, s, &state)) {
		if (!is_late(v))
			t->passed = 1;
		return true; /* its next switch-out queues it */
	}
	if (is_late(v))
		return true;
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
		return false;
	}
	stats_note(NOTE_WALL_READ);
	give_rest(task, t, t->stack, t->life, wall_word(state, t->halted), v->tick);
	return true;
}

static __always_inline void visit(struct visit *v)
{
	struct wall_thread *t = v->t;
	u32 index = cfg.scratch + v->turn;
	struct scratch *s = bpf_map_lookup_elem(&scratches, &index);

	if (!s)
		return;
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
	if (!record(v, s))
		wall_queue(t, v->task->pid);
	if (!is_late(v))
		wall.visiting = 0;
}

/* --- by the ring ------------------------------------------------------------------------------- */

struct ring_loop {
	u64 from;
	u32 turn;
};

static long ring_step(u32 i, struct ring_loop *l)
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
		visit(&v);
	bpf_task_release(v.task);
	return 0;
}

SEC("?syscall")
int visit_ring(struct wire_visit *ctx)
{
	struct ring_loop l = { .from = wall.tail, .turn = wall.turn };
	u64 n = wall_now(wall.head) - l.from;

	if (n > WALL_RING)
		n = WALL_RING;
	bpf_loop(n, ring_step, &l, 0);
	return 0;
}

/* A thread of a process that became known is visited from the next tick on. */
SEC("?syscall")
int adopt_thread(struct wire_visit *ctx)
{
	struct task_struct *task = bpf_task_from_pid(ctx->tid);

	if (!task)
		return 0;
	wall_adopt(task);
	bpf_task_release(task);
	return 0;
}

/* --- by a pass over all ------------------------------------------------------------------------ */

struct bpf_iter__task;

SEC("?iter.s/task")
int visit_all(struct bpf_iter__task *ctx)
{
	struct visit v = { .task = ctx->task, .tick = wall.tick, .turn = wall.turn };

	if (!v.task || !v.task->bpf_storage || is_late(&v))
		return 0;
	v.t = wall_get(v.task, 0);
	if (v.t && v.t->queued)
		visit(&v);
	return 0;
}
