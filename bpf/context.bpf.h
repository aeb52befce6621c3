/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The registers that a timer has interrupted, as programs of perf events get them. */
#ifndef KRAIT_CONTEXT_BPF_H
#define KRAIT_CONTEXT_BPF_H

#include "vmlinux.h"

/*
 * The registers in the context have the layout of the user API, which CO-RE must not relocate (in
 * the kernel's own struct pt_regs, cs became a u16). They may only be read as whole fields.
 */
#if defined(__TARGET_ARCH_x86)
struct context_regs {
	u64 before[16], ip, cs, flags, sp;
};
#define CONTEXT_USER(regs) (((regs)->cs & 3) == 3)
#define PC                 ip
#else
struct context_regs {
	u64 before[31], sp, pc, pstate;
};
#define CONTEXT_USER(regs) (!((regs)->pstate & 0xf))
#define PC                 pc
#endif

#endif
