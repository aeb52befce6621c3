/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What does an off-CPU thread wait for? The scheduler's state tells, the system call (from the
 * registers saved on entry to the kernel), and, for a futex, whether the futex lies in the
 * interpreter's GIL. A wait for the GIL at another address is reported as a futex, such as with
 * musl, whose condition variables wait on the waiter's own stack.
 */
#ifndef KRAIT_WALLSTATE_BPF_H
#define KRAIT_WALLSTATE_BPF_H

#include "take.bpf.h"
#include "wall.bpf.h"

#if defined(__TARGET_ARCH_x86)
#define REGS_FIRST   di
#define NUMBER_FUTEX 202
#else
#define REGS_FIRST   orig_x0
#define NUMBER_FUTEX 98
#endif

static __always_inline bool is_throttled(struct task_struct *task)
{
	if (bpf_core_field_exists(task->throttled) && task->throttled)
		return true;
	return bpf_core_field_exists(task->se.cfs_rq->throttle_count) &&
	       task->se.cfs_rq->throttle_count;
}

/* Does the thread whose stack was taken wait at an address in its GIL? */
static __always_inline bool waits_for_gil(struct loop *c, u64 address)
{
	u64 gil = pywalk_gil(c->src, &c->s->walk, c->l, &c->s->proc);

	return gil && address - gil < PYWALK_GIL_SIZE;
}

static __always_inline u32 waiting_kind(struct loop *c, u32 state, s64 call, struct pt_regs *regs)
{
	if (call == NUMBER_FUTEX)
		return waits_for_gil(c, BPF_CORE_READ(regs, REGS_FIRST)) ? THREAD_GIL_WAIT
									 : THREAD_FUTEX;
	return state & STATE_UNINTERRUPTIBLE ? THREAD_DISK : THREAD_SLEEPING;
}

/* State of the thread whose stack was taken with @c, as if it was not halted (wall_word()). */
static __always_inline u32 wall_state(struct loop *c, struct task_struct *task)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(task);
	s64 call = BPF_CORE_READ(regs, REGS_CALL);
	u32 state = task->__state, kind, ret = 0;

	if (take_holds_gil(c))
		ret = THREAD_HOLDS_GIL;
	if (!state)
		return ret | (is_throttled(task) ? THREAD_THROTTLED : THREAD_RUNNABLE);
	kind = waiting_kind(c, state, call, regs);
	return ret | kind | call_word(call);
}

#endif
