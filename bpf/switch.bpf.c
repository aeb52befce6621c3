// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Wall-clock mode, in the thread's own context: its switch-outs (switch.bpf.h), start and end. */
#include "filter.bpf.h"
#include "switch.bpf.h"
#include <bpf/bpf_tracing.h>

SEC("?tp_btf/sched_switch")
int on_switch(u64 *ctx)
{
	return switch_out((void *)ctx[1], (void *)ctx[2], false);
}

/* Loaded instead if asyncio tasks are asked for. */
SEC("?tp_btf/sched_switch")
int on_switch_tasks(u64 *ctx)
{
	return switch_out((void *)ctx[1], (void *)ctx[2], true);
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
