// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Wall-clock mode, in the thread's own context: its switch-outs, start and end (wall.bpf.h has the
 * picture). Only threads of Python processes have storage; any other thread costs one load per
 * switch.
 */
#include "filter.bpf.h"
#include "take.bpf.h"
#include "settle.bpf.h"
#include "wallstate.bpf.h"
#include <bpf/bpf_tracing.h>

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

/* The visitor could not read the thread while it was off-CPU: it reads its own stack. */
static __always_inline void read_itself(struct task_struct *prev, struct wall_thread *t)
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
	if (take_stack(&c, prev, prev->flags, true, take_find, loop_modern, choose_modern,
		       pc_of_task, sp_of_task, NULL) != FATES)
		return;
	t->own_state = wall_word(wall_state(&c, prev), wall_is_halted(prev));
	t->own_stack = s->walk.stack.id;
	t->own_life = settle_life(prev, &s->walk.stack.proc);
	t->got = 1;
	stats_note(NOTE_WALL_SELF);
}

SEC("?tp_btf/sched_switch")
int on_switch(u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];
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
		read_itself(prev, t);
	return 0;
}

/* A new thread, or child, of a known process is queued before it first runs. */
SEC("?tp_btf/sched_process_fork")
int BPF_PROG(on_thread_start, struct task_struct *parent, struct task_struct *child)
{
	if (parent->bpf_storage && wall_get(parent, 0))
		wall_adopt(child);
	return 0;
}

/*
 * A known program is counted from its exec on; the loader would come some ticks later. This runs
 * after on_exec, which makes the entry and is attached first.
 */
SEC("?tp_btf/sched_process_exec")
int BPF_PROG(on_thread_exec, struct task_struct *task)
{
	wall_follow(task);
	return 0;
}

/* Ticks that the thread was off-CPU and that no record covers. */
static __always_inline u64 unseen_ticks(struct task_struct *task, const struct wall_thread *t)
{
	s64 unseen = wall_tick(task->sched_info.last_arrival) - t->first - t->ran - t->given;

	return t->fresh || unseen < 0 ? 0 : unseen;
}

/* Would the thread have been counted? */
static __always_inline bool is_wanted(struct task_struct *task)
{
	struct proc_info *info;
	struct proc_key key;

	if (cfg.filters && !filter_passes(task, task->tgid, task->pid))
		return false;
	proc_key_read(&key, task);
	info = bpf_map_lookup_elem(&procs, &key);
	return info && info->kind == PROC_PYTHON;
}

static __always_inline void settle_last(struct task_struct *task, struct wall_thread *t)
{
	u64 unseen;
	struct wire_stats *s;

	if (t->live) {
		if (!t->end)
			settle_end(task, t);
		settle(task, t);
	}
	unseen = unseen_ticks(task, t);
	if (!unseen)
		return;
	if (t->got) {
		settle_add(task, t, t->own_stack, t->own_life, t->own_state, unseen);
		return;
	}
	s = stats_get();
	if (s && is_wanted(task))
		s->note[NOTE_WALL_UNSEEN] += unseen;
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(on_thread_end, struct task_struct *task)
{
	struct wall_thread *t;

	if (!task->bpf_storage)
		return 0;
	t = wall_get(task, 0);
	if (!t)
		return 0;
	settle_last(task, t);
	t->queued = 1; /* its last switch-out puts nothing into the ring */
	return 0;
}
