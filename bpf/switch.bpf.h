/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Wall-clock mode, a thread's switch-out (wall.bpf.h has the picture). Only threads of Python processes
 * have storage; any other thread costs one load per switch.
 *
 * switch.bpf.c makes a program of it that reads Python frames only; native.bpf.c, with NATIVE defined, one
 * that reads native frames, too.
 */
#ifndef KRAIT_SWITCH_BPF_H
#define KRAIT_SWITCH_BPF_H

#ifdef NATIVE
#include "natsample.bpf.h"
#endif
#include "settle.bpf.h"
#include "take.bpf.h"
#include "tasksample.bpf.h"
#include "wallstate.bpf.h"

/* The run queue's clock is never ahead: the smallest difference is the true one. */
static __always_inline void follow_clock(struct task_struct *visitor)
{
	u64 now = bpf_ktime_get_ns();
	s64 offset = now - visitor->se.cfs_rq->rq->clock;
	s64 most = wall.offset + ((now - wall.compared) >> WALL_DRIFT_SHIFT);

	wall.offset = !wall.offset || offset < most ? offset : most;
	wall.compared = now;
}

static __always_inline void end_record(struct task_struct *prev, struct wall_thread *t)
{
	if (!t->live || t->end)
		return;
	settle_end(prev, t);
	if (prev->sched_info.pcount - t->runs > 1)
		stats_note(NOTE_WALL_MISSED);
}

/* Takes the stack, and @tasks, constant: the task that it runs. */
static __always_inline bool take_own(struct loop *c, struct task_struct *prev, bool tasks)
{
	struct scratch *s = c->s;
	u32 index = s->walk.index;

	if (!tasks)
		return take_stack(c, prev, prev->flags, true, take_find, loop_modern, choose_modern,
				  pc_of_task, sp_of_task, NULL) == FATES;
	task_begin(index);
	if (take_stack(c, prev, prev->flags, true, take_find, loop_noting, choose_modern,
		       pc_of_task, sp_of_task, NULL) != FATES)
		return false;
	s->walk.stack.id = task_here(index, s->walk.stack.id);
	return true;
}

/* The visitor could not read the thread while it was off-CPU: it reads its own stack. */
static __always_inline void read_itself(struct task_struct *prev, struct wall_thread *t, bool tasks)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct scratch *s = bpf_map_lookup_elem(&scratches, &cpu);
	struct loop c = { .s = s, .src = SELF };
	struct proc_info *info;

	t->want = 0;
	if (!s)
		return;
	s->walk.index = cpu;
	proc_key_of(&s->walk.stack.proc, prev);
	info = bpf_map_lookup_elem(&procs, &s->walk.stack.proc);
	if (!info || info->kind != PROC_PYTHON)
		return;
	s->proc = *info;
	if (!take_own(&c, prev, tasks))
		return;
	t->own_state = wall_word(wall_state(&c, prev), wall_is_halted(prev));
#ifdef NATIVE
	s->walk.stack.id = natsample_stack(&c, prev, NULL, prev->flags, natsample_here);
#endif
	t->own_stack = s->walk.stack.id;
	t->own_life = settle_life(prev, &s->walk.stack.proc);
	t->got = 1;
	stats_note(NOTE_WALL_SELF);
}

static __always_inline int switch_out(struct task_struct *prev, struct task_struct *next,
				      bool tasks)
{
	/* Before the branch: for the verifier this load is dear, and after it there would be two. */
	const void *storage = prev->bpf_storage;
	struct wall_thread *t;

	if ((u32)next->pid == wall.visitor)
		follow_clock(next);
	if (!storage)
		return 0;
	t = wall_get(prev, 0);
	if (!t)
		return 0;
	t->left = prev->sched_info.pcount;
	if (!__sync_val_compare_and_swap(&t->queued, 0, 1)) {
		end_record(prev, t);
		wall_push(t, prev->pid);
	}
	if (t->want)
		read_itself(prev, t, tasks);
	return 0;
}

#endif
