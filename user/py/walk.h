/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the stack walker of bpf/pywalk.h in user space: the same source as in the kernel, with any
 * memory reader (a live process, a recorded image). Used to read code objects a second time, in
 * tests, and to walk single stacks without BPF.
 */
#ifndef KRAIT_WALK_H
#define KRAIT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/pylayout.h"

/* Reads exactly @len bytes at @addr of the target. 0 or -errno. */
typedef int walk_reader(void *ctx, void *to, size_t len, uint64_t addr);

enum { WALK_REGS = 32 };

struct walk_thread {
	struct proc_key proc;
	uint64_t thread_pointer;
	uint32_t ns_tid;
	uint64_t pc;          /* in user space, 0 unknown */
	const uint64_t *regs; /* WALK_REGS, as in the kernel's struct pt_regs; NULL: unknown */
	uint64_t sp;          /* stack pointer, 0 unknown */
	uint64_t stack_top;   /* end of the C stack that sp is in; 0: computed from the next two */
	uint64_t first_start; /* where execve began the first thread's stack, 0 unknown */
	uint64_t first_len;   /* bytes of it in use */
	bool leader;          /* the first thread of its process */
	bool asleep;          /* it is not on a CPU */
	bool alone; /* its program's only thread; its thread pointer may be another program's */
};

struct walk;

/* NULL: out of memory. */
struct walk *walk_new(walk_reader *reader, void *ctx);
void walk_free(struct walk *w);

/*
 * Walks the stack of a stopped thread. The frames (leaf first, rotated as struct wire_stack
 * describes) belong to @w and are valid until the next call.
 */
const struct wire_stack *walk_stack(struct walk *w, const struct py_layout *l,
				    const struct proc_info *p, const struct walk_thread *t,
				    const struct wire_frame **ret_frames);

/* Address of the frame that frames[@i] of the last walk was read from; of a PyFrameObject up to 3.10. */
uint64_t walk_frame_at(const struct walk *w, uint32_t i);
/* Of the thread that was walked last: its state, and the GIL that it takes; 0: none, or unknown. */
uint64_t walk_state(const struct walk *w);
uint64_t walk_gil(struct walk *w, const struct py_layout *l, const struct proc_info *p);
/* Is @address in this GIL? A thread that waits for it sleeps on a futex there. */
bool walk_in_gil(uint64_t gil, uint64_t address);

/* Current wire_frame.code of the code object at @addr. 0, -EFAULT or -EINVAL (not a code object). */
int walk_code_id(struct walk *w, const struct py_layout *l, uint64_t code_type,
		 const struct proc_key *proc, uint64_t addr, uint64_t *ret);

/*
 * The frame at @at alone, whoever runs it: of a coroutine that is suspended, for example. 0, -EFAULT or -EINVAL (not
 * a frame).
 */
int walk_frame(struct walk *w, const struct py_layout *l, uint64_t code_type,
	       const struct proc_key *proc, uint64_t at, struct wire_frame *ret);

/* wire_frame.code of an unreadable code object, made of its address alone. */
uint64_t walk_address_id(const struct proc_key *proc, uint64_t addr);

#endif
