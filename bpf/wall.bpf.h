/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Wall-clock mode counts what a thread does at every tick, also off-CPU. On a CPU, the CPU clock
 * counts the thread (sampler.bpf.c). Off-CPU, its stack cannot change: the visitor reads it once,
 * and it counts for every tick until the thread runs again. So an off-CPU thread costs nothing.
 * Nor does one that runs: it is not queued until it is switched out. When no thread is queued, the
 * visitor rests, and the next thread that is queued knocks.
 *
 *	ran ──switch-out──► queued ──next tick──► read: a record ──┐ ticks pass, nobody looks
 *	 ▲                                                         │
 *	 └────────────── gets a CPU: the record ends ◄─────────────┘ settled: ticks of it ─► counts
 *
 * Invariants; without any one of them, counts were seen to be wrong:
 *  - The number of a tick is (ns - t0) / period: a late visitor neither adds nor loses ticks.
 *  - queued is 1 exactly while the thread's id is in the ring of visits.
 *  - The visitor settles, clears queued, and only then checks whether the thread runs. If it runs, its
 *    switch-out queues it, unless that has been and on_cpu is yet to change. Therefore a switch-out
 *    writes the number of its run (left) before it looks at queued, and the visitor looks at that
 *    number after it has cleared queued: one of the two sees what the other has written.
 *  - A visitor that rests says so (rests), and only then checks that the ring is empty; who puts
 *    something into the ring looks at rests after that.
 *  - The visitor publishes a record, then checks the thread again: if it ran meanwhile, the record
 *    is void.
 *  - The first switch-out after a record ends it, at the time when the thread got its CPU.
 *  - Only the program that turns live from 1 to 0 settles the record.
 *  - Ticks elapsed, minus the CPU clock's samples of the thread (ran), minus ticks given, belong to
 *    the stack that is read next. (To count ticks that found the thread on a CPU is not the same:
 *    short sleeps end together with the CPU clock's interrupt, so such a thread runs just after it,
 *    tick after tick; it lost up to 17 % of its time.)
 *  - A thread that runs whenever the visitor checks it reads its own stack, once, at switch-out.
 * Times are in the run queue's clock; wall.offset converts them to CLOCK_MONOTONIC.
 */
#ifndef KRAIT_WALL_BPF_H
#define KRAIT_WALL_BPF_H

#include "maps.bpf.h"
#include "task.bpf.h"

enum {
	WALL_RING = 65536,      /* threads that wait for the visitor: a power of two */
	WALL_RING_SLACK = 1024, /* CPUs that may push at the same moment */
	WALL_DRIFT_SHIFT = 13,  /* the offset may grow by 2^-13 of the time that has passed */
};

/* include/linux/sched.h and sched/jobctl.h; the same since 5.18, where wall-clock mode begins. */
enum {
	STATE_UNINTERRUPTIBLE = 0x2,
	STATE_HALTED = 0x4 | 0x8 | 0x8000, /* stopped, traced, frozen */
	JOBCTL_TRAP_FREEZE = 1 << 23,
};

struct wall_thread {
	u32 queued;
	u32 live;             /* the record is valid */
	u32 state;            /* of the record */
	u32 fresh;            /* the thread was not visited yet */
	struct proc_key proc; /* of the record */
	u64 stack;
	u64 life;            /* wire_thread.life when its stack was taken */
	u64 base;            /* tick up to which the record is counted */
	u64 end;             /* run queue's clock when it got a CPU; 0: not seen running since */
	u64 waited;          /* ns that the thread waited for that CPU */
	u64 run_delay, runs; /* sched_info.run_delay, pcount when it was recorded */
	u64 ran;             /* samples of the thread by the CPU clock */
	u64 first;           /* tick at which it was adopted */
	u64 given;           /* ticks counted; whoever settles writes it */
	u32 want;            /* the thread has to read its own stack */
	u32 got;             /* the thread has read its own stack */
	u64 own_stack, own_life;
	u32 own_state;
	u32 passed; /* at the last visit, the thread was not to be counted */
	u32 halted; /* stopped or frozen when last checked; state is the one before */
	u32 left;   /* sched_info.pcount at the last switch-out */
};

MAP struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct wall_thread);
} threads SEC(".maps");

/* Ring of thread ids; 0: not written yet. head and tail are in struct wire_wall. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u32);
	__uint(max_entries, WALL_RING);
} visits SEC(".maps");

/* Empty records: they wake a visitor that rests. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} knocks SEC(".maps");

#define wall_now(field) (*(volatile __typeof__(field) *)&(field))

static __always_inline struct wall_thread *wall_get(struct task_struct *task, u64 flags)
{
	return bpf_task_storage_get(&threads, task, NULL, flags);
}

/* The CPU clock has found this thread running, whatever became of the sample. */
static __always_inline void wall_ran(struct task_struct *task)
{
	struct wall_thread *t = task->bpf_storage ? wall_get(task, 0) : NULL;

	if (t)
		t->ran++;
}

/* Does a visitor hang in the memory of this process? Then the other visitors do not read it. */
static __always_inline bool wall_is_stalled(u32 tgid)
{
	for (u32 i = 0; i < WIRE_VISITORS; i++)
		if (wall_now(wall.stalled[i]) == tgid)
			return true;
	return false;
}

/* Notes as stalled the time up to @tick of a thread that is not read for that reason. */
static __always_inline void wall_lose(struct wall_thread *t, u64 tick)
{
	s64 rest = tick - t->first - t->ran - t->given;
	struct wire_stats *s = stats_get();

	if (t->fresh || t->passed || rest <= 0 || !s)
		return;
	s->note[NOTE_WALL_STALLED] += rest;
	t->given += rest;
}

/*
 * Is the thread stopped by a signal, a debugger or the freezer? Since 6.1 the cgroup v1 freezer
 * freezes a sleeping thread in its sleep and lets it sleep on afterwards, without giving it a CPU.
 */
static __always_inline bool wall_is_halted(struct task_struct *task)
{
	u32 state = wall_now(task->__state);

	if (state & STATE_HALTED)
		return true;
	return !(state & STATE_UNINTERRUPTIBLE) && task->jobctl & JOBCTL_TRAP_FREEZE;
}

/* The state to count: @state, or stopped if the thread is halted. */
static __always_inline u32 wall_word(u32 state, bool halted)
{
	return halted ? (state & THREAD_HOLDS_GIL) | THREAD_STOPPED : state;
}

static __always_inline u64 wall_tick(u64 clock)
{
	s64 since = clock + wall.offset - wall.t0;
	u64 tick = wall.t0 && since > 0 ? since / wall.period : 0;

	return wall.last && tick > wall.last ? wall.last : tick;
}

static __always_inline void wall_knock(void)
{
	void *record;

	if (!wall_now(wall.rests) || __sync_val_compare_and_swap(&wall.rests, 1, 0) != 1)
		return;
	record = bpf_ringbuf_reserve(&knocks, sizeof(u64), 0);
	if (record)
		bpf_ringbuf_discard(record, BPF_RB_FORCE_WAKEUP);
}

/* Puts a thread whose queued is 1 into the ring. Ring full: the visitor must check all threads. */
static __always_inline void wall_push(struct wall_thread *t, u32 tid)
{
	u32 index, *slot;

	if (wall_now(wall.head) - wall_now(wall.tail) >= WALL_RING - WALL_RING_SLACK) {
		wall.overflow = 1;
		stats_note(NOTE_WALL_RING);
		t->queued = 0;
		return;
	}
	index = __sync_fetch_and_add(&wall.head, 1) & (WALL_RING - 1);
	slot = bpf_map_lookup_elem(&visits, &index);
	if (slot)
		wall_now(*slot) = tid;
	wall_knock();
}

static __always_inline void wall_queue(struct wall_thread *t, u32 tid)
{
	if (!__sync_val_compare_and_swap(&t->queued, 0, 1))
		wall_push(t, tid);
}

/* The tick by the clock: the visitor, which wall.tick is for, may be late or rest. */
static __always_inline u64 wall_tick_now(void)
{
	return wall_tick(bpf_ktime_get_ns() - wall.offset);
}

/* Queues a thread that is seen for the first time, or after the ring was full. */
static __always_inline void wall_adopt(struct task_struct *task)
{
	struct wall_thread *t = wall_get(task, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t || t->live)
		return;
	if (!t->proc.tgid && !t->fresh) {
		t->fresh = 1;
		t->first = wall_tick_now();
	}
	wall_queue(t, task->pid);
}

/* The same, if its process runs Python or is about to. */
static __always_inline void wall_follow(struct task_struct *task)
{
	struct proc_info *info;
	struct proc_key key;

	proc_key_read(&key, task);
	info = bpf_map_lookup_elem(&procs, &key);
	if (info && (info->kind == PROC_PYTHON || info->kind == PROC_STARTING))
		wall_adopt(task);
}

/* on_cpu is a byte since 7.x. */
struct task_struct___byte {
	u8 on_cpu;
} __attribute__((preserve_access_index));

static __always_inline bool wall_on_cpu(struct task_struct *task)
{
	struct task_struct___byte *small = (void *)task;

	if (bpf_core_field_size(small->on_cpu) == 1)
		return wall_now(small->on_cpu);
	return wall_now(task->on_cpu);
}

/* Has a thread that is still on its CPU passed its switch-out? Then that has not queued it. */
static __always_inline bool wall_has_left(struct task_struct *task, const struct wall_thread *t)
{
	u32 left = wall_now(t->left);

	return left == (u32)wall_now(task->sched_info.pcount);
}

static __always_inline u64 wall_switches(struct task_struct *task)
{
	return wall_now(task->nvcsw) + wall_now(task->nivcsw);
}

#endif
