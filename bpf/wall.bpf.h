/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Wall-clock mode: what a thread did at every tick, also while it did not run. On a CPU, the CPU clock
 * counts it (sampler.bpf.c). Off it, its stack cannot change: it is read once, by the visitor, and then
 * stands for every tick until the thread runs again. A thread that does not run costs nothing.
 *
 *	ran ──switch-out──► queued ──next tick──► read: a record ──┐ ticks pass, nobody looks
 *	 ▲                                                         │
 *	 └────────────── gets a CPU: the record ends ◄─────────────┘ settled: ticks of it ─► counts
 *
 * Invariants, each of which was seen broken when missing:
 *  - a tick is a moment: number (ns - t0) / period. Who comes late invents nothing and hides nothing;
 *  - queued is 1 while the thread's id is in the ring of visits, and only then;
 *  - the visitor settles, clears queued, and only then looks whether the thread runs;
 *  - a record is published first and looked at again after: it ran meanwhile, it is void;
 *  - the first switch-out after a record ends it, at the moment when the thread got its CPU;
 *  - whoever turns live from 1 to 0 settles, and nobody else;
 *  - what elapsed, less the CPU clock's samples of the thread (ran), less what was given, belongs to the
 *    stack that is read next. (A ledger of the ticks that found it on a CPU is not the same: short naps
 *    end together with the CPU clock's interrupt, and such a thread runs just behind it, tick after tick:
 *    it lost up to 17 % of its time.)
 *  - a thread that moves whenever it is looked at reads its own stack, once, when it switches out.
 * Times are those of the run queue's clock, which the wall offset turns into CLOCK_MONOTONIC.
 */
#ifndef KRAIT_WALL_BPF_H
#define KRAIT_WALL_BPF_H

#include "maps.bpf.h"
#include "task.bpf.h"

enum {
	WALL_RING = 65536,      /* threads that wait for the visitor: a power of two */
	WALL_RING_SLACK = 1024, /* CPUs that may push at the same moment */
	WALL_DRIFT_NS = 100,    /* that the offset may grow a tick */
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
	u32 fresh;            /* it was not visited yet */
	struct proc_key proc; /* of the record */
	u64 stack;
	u64 life;            /* wire_thread.life, then */
	u64 base;            /* tick up to which the record is counted */
	u64 end;             /* run queue's clock when it got a CPU; 0: not seen running since */
	u64 waited;          /* ns for that CPU */
	u64 run_delay, runs; /* sched_info's when it was recorded */
	u64 ran;             /* samples of it by the CPU clock */
	u64 first;           /* tick at which it was adopted */
	u64 given;           /* ticks counted; whoever settles writes it */
	u32 want;            /* it is to read its own stack */
	u32 got;             /* and has */
	u64 own_stack, own_life;
	u32 own_state;
	u32 passed; /* it was not to be counted when it was last looked at */
	u32 halted; /* it was stopped or frozen when it was last looked at: state is what it was before */
	u32 pad;
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

/* Hangs a visitor in the memory of this process? Others are not sent after it. */
static __always_inline bool wall_is_stalled(u32 tgid)
{
	for (u32 i = 0; i < WIRE_VISITORS; i++)
		if (wall_now(wall.stalled[i]) == tgid)
			return true;
	return false;
}

/* The time up to here of a thread that is not read for that reason. */
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
 * Stopped by a signal, a debugger or the freezer. Version 1 of the latter (since 6.1) freezes who sleeps
 * where it sleeps, and lets it sleep on afterwards: it gets no CPU for that.
 */
static __always_inline bool wall_is_halted(struct task_struct *task)
{
	u32 state = wall_now(task->__state);

	if (state & STATE_HALTED)
		return true;
	return !(state & STATE_UNINTERRUPTIBLE) && task->jobctl & JOBCTL_TRAP_FREEZE;
}

/* @state, which it is in unless it is halted, as it is counted. */
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

/* Puts a thread whose queued is 1 into the ring, or gives up and says that all must be looked at. */
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
}

static __always_inline void wall_queue(struct wall_thread *t, u32 tid)
{
	if (!__sync_val_compare_and_swap(&t->queued, 0, 1))
		wall_push(t, tid);
}

/* By the clock, and not by the visitor, who may be late. */
static __always_inline u64 wall_tick_now(void)
{
	s64 since = bpf_ktime_get_ns() - wall.t0;

	return wall.t0 && since > 0 ? since / wall.period : 0;
}

/* Has it looked at: the first time that it is seen, or after the ring was full. */
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

/* The same, if it is one of Python, or will be. */
static __always_inline void wall_follow(struct task_struct *task)
{
	struct proc_info *info;
	struct proc_key key;

	proc_key_of(&key, task);
	info = bpf_map_lookup_elem(&procs, &key);
	if (info && (info->kind == PROC_PYTHON || info->kind == PROC_STARTING))
		wall_adopt(task);
}

/* As it is where it has become a byte (7.x). */
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

static __always_inline u64 wall_switches(struct task_struct *task)
{
	return wall_now(task->nvcsw) + wall_now(task->nivcsw);
}

#endif
