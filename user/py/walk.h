/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walker of bpf/pywalk.h on the host: the same source that the kernel runs, over any reader of
 * memory (a live process, a recorded image). For the loader's second look at a code object, for
 * tests, and for whoever needs one stack without BPF.
 */
#ifndef KRAIT_WALK_H
#define KRAIT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/pylayout.h"

/* Exactly @len bytes at @addr of the target: 0 or -errno. */
typedef int walk_reader(void *ctx, void *to, size_t len, uint64_t addr);

enum { WALK_REGS = 32 };

struct walk_thread {
	struct proc_key proc;
	uint64_t thread_pointer;
	uint32_t ns_tid;
	uint64_t pc;          /* of user code, 0 unknown */
	const uint64_t *regs; /* WALK_REGS, as in the kernel's struct pt_regs; NULL: not known */
	uint64_t sp;          /* its stack pointer, 0 unknown */
	uint64_t stack_top;   /* where the C stack ends in which sp lies, 0 unknown */
	bool alone; /* its program's only thread; its thread pointer may be another program's */
};

struct walk;

/* NULL: out of memory. */
struct walk *walk_new(walk_reader *reader, void *ctx);
void walk_free(struct walk *w);

/*
 * Walks a thread that stands still. The frames (leaf first, rotated as struct wire_stack says)
 * belong to @w and live until the next call.
 */
const struct wire_stack *walk_stack(struct walk *w, const struct py_layout *l,
				    const struct proc_info *p, const struct walk_thread *t,
				    const struct wire_frame **ret_frames);

/* wire_frame.code of the code object at @addr as it is now. 0, -EFAULT or -EINVAL (no code object). */
int walk_code_id(struct walk *w, const struct py_layout *l, uint64_t code_type,
		 const struct proc_key *proc, uint64_t addr, uint64_t *ret);

/* wire_frame.code of a code object that could not be read: made of its address alone. */
uint64_t walk_address_id(const struct proc_key *proc, uint64_t addr);

#endif
