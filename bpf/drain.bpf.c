// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Wall-clock mode, two passes over all threads: adopt_all adopts the threads of known processes,
 * drain_all counts what off-CPU threads have done until now. Neither is sleepable, and neither
 * reads memory of a target. The visitor does not run meanwhile.
 */
#include "settle.bpf.h"
#include <bpf/bpf_tracing.h>

struct bpf_iter__task;

SEC("?iter/task")
int adopt_all(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && !(task->flags & (PF_KTHREAD | PF_EXITING)))
		wall_follow(task);
	return 0;
}

/* Counts a thread that is still off-CPU until now; its record goes on. */
static __always_inline void settle_sleeping(struct task_struct *task, struct wall_thread *t)
{
	u64 now = bpf_ktime_get_ns() - wall.offset, runs = t->runs;

	if (__sync_val_compare_and_swap(&t->live, 1, 0) != 1)
		return;
	settle_give(task, t, now);
	t->base = wall_tick(now);
	t->halted = wall_is_halted(task); /* from now on */
	__sync_val_compare_and_swap(&t->live, 0, 1);
	if (!wall_on_cpu(task) && wall_now(task->sched_info.pcount) == runs)
		return;
	/* The thread got a CPU meanwhile, and its switch-out may have found no record to end. */
	if (__sync_val_compare_and_swap(&t->live, 1, 0) == 1)
		stats_note(NOTE_WALL_MOVED);
}

SEC("?iter/task")
int drain_all(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct wall_thread *t;

	if (!task || !task->bpf_storage)
		return 0;
	t = wall_get(task, 0);
	if (!t)
		return 0;
	if (!t->live) {
		if (wall_is_stalled(task->tgid))
			wall_lose(t, wall_tick_now());
		else if (!t->passed && !wall_on_cpu(task))
			wall_queue(t, task->pid); /* some switch-outs call no program */
		return 0;
	}
	if (t->end) {
		settle(task, t);
	} else if (task->sched_info.pcount != t->runs || wall_on_cpu(task)) {
		settle_end(task, t);
		settle(task, t);
	} else {
		settle_sleeping(task, t);
	}
	return 0;
}
