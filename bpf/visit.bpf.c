// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Wall-clock mode, the visitors that read Python frames only (visit.bpf.h). */
#include "visit.bpf.h"

struct bpf_iter__task;

SEC("?syscall")
int visit_ring(struct wire_visit *ctx)
{
	return visit_by_ring(false);
}

/* This and visit_all_tasks are loaded instead if asyncio tasks are asked for. */
SEC("?syscall")
int visit_ring_tasks(struct wire_visit *ctx)
{
	return visit_by_ring(true);
}

static __always_inline int visit_queued(struct task_struct *task, bool tasks)
{
	struct visit v = { .task = task, .tick = wall.tick, .turn = wall.turn };

	if (!v.task || !v.task->bpf_storage || is_late(&v))
		return 0;
	v.t = wall_get(v.task, 0);
	if (v.t && v.t->queued)
		visit(&v, (struct manner){ .tasks = tasks });
	return 0;
}

SEC("?iter.s/task")
int visit_all(struct bpf_iter__task *ctx)
{
	return visit_queued(ctx->task, false);
}

SEC("?iter.s/task")
int visit_all_tasks(struct bpf_iter__task *ctx)
{
	return visit_queued(ctx->task, true);
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
