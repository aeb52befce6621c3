/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Wall-clock mode: turns a thread's record into counts. */
#ifndef KRAIT_SETTLE_BPF_H
#define KRAIT_SETTLE_BPF_H

#include "send.bpf.h"
#include "wall.bpf.h"

static __always_inline void settle_add(struct task_struct *task, const struct wall_thread *t,
				       u64 stack, u64 life, u32 state, u64 ticks)
{
	struct count_key key = { .proc = t->proc,
				 .stack = stack,
				 .life = life,
				 .tid = task->pid,
				 .state = state,
				 .start_ns = task->start_boottime };
	struct wire_stats *s;

	if ((cfg.wall & WALL_GIL) && !(state & THREAD_HOLDS_GIL))
		return;
	if ((s64)ticks <= 0 || count(task, &key, ticks) == FATE_SHOWN)
		return;
	s = stats_get();
	if (s)
		s->note[NOTE_WALL_LOST] += ticks;
}

/* Did the thread wait for a CPU all the time? Then settle_give() need not split its time. */
static __always_inline bool wants_cpu(u32 word)
{
	u32 kind = word & THREAD_STATE_MASK;

	return kind == THREAD_RUNNABLE || kind == THREAD_THROTTLED;
}

/*
 * Counts the record up to @end (run queue's clock). In the last part of that time the thread waited
 * for its CPU, which counts as runnable. (A thread that has used up its quota waits all the time;
 * its wait after the quota is refilled is not told apart.)
 */
static __always_inline void settle_give(struct task_struct *task, struct wall_thread *t, u64 end)
{
	u64 to = wall_tick(end), ticks = to - t->base, waited = 0;
	u32 word = wall_word(t->state, t->halted);

	if ((s64)ticks <= 0)
		return;
	if (t->waited && !wants_cpu(word)) {
		waited = to - wall_tick(end - t->waited);
		if (waited > ticks)
			waited = ticks;
	}
	settle_add(task, t, t->stack, t->life, word, ticks - waited);
	settle_add(task, t, t->stack, t->life, (word & THREAD_HOLDS_GIL) | THREAD_RUNNABLE, waited);
	t->given += ticks;
}

/* The thread's life when its stack is taken: it may be renamed before the stack is counted. */
static __always_inline u64 settle_life(struct task_struct *task, const struct proc_key *proc)
{
	struct count_key key = { .proc = *proc, .life = task_life_of(task), .tid = task->pid };

	send_thread(task, &key);
	return key.life;
}

/* The thread runs, or ran since: its record ended when it got its CPU. */
static __always_inline void settle_end(struct task_struct *task, struct wall_thread *t)
{
	t->waited = task->sched_info.run_delay - t->run_delay;
	t->end = task->sched_info.last_arrival;
}

static __always_inline void settle(struct task_struct *task, struct wall_thread *t)
{
	if (__sync_val_compare_and_swap(&t->live, 1, 0) == 1)
		settle_give(task, t, t->end);
}

#endif
