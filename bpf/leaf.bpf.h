/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What did a thread run when the CPU's clock interrupted it? The interrupted registers tell, without
 * unwinding:
 *
 *	kernel mode ────────────────────────────► RAN_KERNEL, and the system call
 *	in the interpreter's loop ──────────────► RAN_PYTHON
 *	elsewhere, while the thread collects ───► RAN_GC
 *	in the rest of the interpreter's file ──► RAN_INTERPRETER
 *	in any other code ──────────────────────► RAN_NATIVE
 *
 * The flag "collecting" is one for all threads of an interpreter, so it is believed only for the
 * thread that holds the GIL. (In a free-threaded build other threads run while one collects: of 600
 * samples of such a thread, 4 to 9 found the flag set.) Nothing is guessed: RAN_UNKNOWN if
 *  - nothing is known about where the interpreter's code is;
 *  - the parts of the loop are not known, and the code is in the interpreter's file;
 *  - the code is in no interpreter's file that was looked at, and it may be another interpreter's,
 *    or bytecode that was compiled at run time (the JIT of 3.13 and later).
 */
#ifndef KRAIT_LEAF_BPF_H
#define KRAIT_LEAF_BPF_H

#include "take.bpf.h"

/* Without branches, to spare the verifier: an unused part has no length. */
static __always_inline bool leaf_in_loop(const struct proc_code *code, u64 off)
{
	u32 i, in = 0;

#pragma unroll
	for (i = 0; i < WIRE_LOOP_PARTS; i++)
		in |= off - code->loop[i].from < code->loop[i].len;
	return in;
}

/* May code outside of the interpreter's file be Python's? @several: there are more interpreters. */
static __always_inline bool leaf_may_be_python(struct loop *c, bool several)
{
	if (several)
		return true;
	return c->l->ts_executor && c->s->walk.tstate && ts_u64(&c->s->walk, c->l->ts_executor);
}

/* @pc: where user code was interrupted; @c: the walk of its stack. */
static __always_inline enum wire_leaf leaf_of_user(struct loop *c, u64 pc, bool holds_gil,
						   bool several)
{
	const struct proc_code *code = &c->s->proc.code;
	u64 off = pc - code->text;

	if (!code->text)
		return RAN_UNKNOWN;
	if (leaf_in_loop(code, off))
		return RAN_PYTHON;
	if (holds_gil && pywalk_collects(c->src, &c->s->walk, c->l, &c->s->proc))
		return RAN_GC;
	if (off < code->len)
		return code->parts ? RAN_INTERPRETER : RAN_UNKNOWN;
	return leaf_may_be_python(c, several) ? RAN_UNKNOWN : RAN_NATIVE;
}

/* --- the system call that the kernel runs ----------------------------------------------------- */

/* From the registers that are saved where user code entered the kernel (bpf_task_pt_regs, 5.15). */
static __always_inline u32 leaf_call_modern(void)
{
	struct pt_regs *saved = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	return call_word(saved->REGS_CALL);
}

/* Are these a user's registers? */
static __always_inline bool leaf_is_user(const struct pt_regs *saved)
{
#if defined(__TARGET_ARCH_x86)
	enum { USER_CS = 0x33 };

	return (BPF_CORE_READ(saved, cs) & 0xffff) == USER_CS;
#else
	return !(BPF_CORE_READ(saved, pstate) & 0xf) && BPF_CORE_READ(saved, sp);
#endif
}

/*
 * Before 5.15: they are at the top of the kernel's stack, whose usual size is assumed. They are
 * believed if they look like a user's.
 */
__attribute__((weak, noinline)) u32 leaf_call_old(u32 unused)
{
	enum { STACK = 16384 };
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	u64 top = (u64)BPF_CORE_READ(task, stack) + STACK;
	struct pt_regs *saved = (void *)(top - bpf_core_type_size(struct pt_regs));

	return leaf_is_user(saved) ? call_word((s64)BPF_CORE_READ(saved, REGS_CALL)) : 0;
}

#endif
