/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The buffers of one walk. One file defines the map with SCRATCHES empty.
 */
#ifndef KRAIT_SCRATCH_BPF_H
#define KRAIT_SCRATCH_BPF_H

#include "memory.bpf.h"
#include "pycode.bpf.h"
#include "task.bpf.h"

/* Global, so that its use of the stack does not add to the walker's. */
__attribute__((weak, noinline)) u64 stack_end_here(u64 sp)
{
	return task_stack_top((struct task_struct *)bpf_get_current_task(), sp);
}

static __always_inline u64 stack_end(pywalk_source *src, u64 sp)
{
	return OF_SELF ? stack_end_here(sp) : task_stack_top(src, sp);
}

/* pywalk_characters() of the walk with that index in scratches. */
u64 characters_of(u32 index, u64 hash);
#define pywalk_content(w, l, hash) characters_of((w)->index, hash)

#ifdef NATIVE
#include "natseats.bpf.h"
#endif
#include "taskname.bpf.h"
#include "pywalk.h"

#ifndef SCRATCHES
#define SCRATCHES extern
#endif

/*
 * The memory of a walk: one per CPU and one per visitor of off-CPU threads. It is in an array,
 * because old kernels limit per-CPU values to 32 KiB.
 */
struct scratch {
	struct pywalk walk;
	struct code_record code;
	struct proc_info proc;
	u32 layout;
	u32 codes_left;
	u32 next_frame;
	u32 deferred;
	u32 more; /* further interpreters of the process */
	u32 tid;  /* the visited thread, and when it started */
	u64 start_ns;
};

SCRATCHES struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct scratch);
	__uint(max_entries, 1); /* CPUs + WIRE_VISITORS */
} scratches SEC(".maps");

#endif
