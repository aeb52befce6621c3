/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the native walker of bpf/natwalk.h in user space: the same source as in the kernel, with any
 * memory reader. A chunk that is missing is compiled, and the walk goes on: so the loader finishes
 * walks that the kernel could not, and tests walk without a kernel.
 */
#ifndef KRAIT_HOSTWALK_H
#define KRAIT_HOSTWALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "native/natfiles.h"

/* Reads exactly @len bytes at @addr of the target. 0 or -errno. */
typedef int hostwalk_reader(void *ctx, void *to, size_t len, uint64_t addr);

enum { HOSTWALK_REGS = 32, HOSTWALK_DEPTH = 1024 };

/* Where the thread stopped. */
struct hostwalk_regs {
	uint64_t pc, sp, fp;
	uint64_t lr;                 /* aarch64 */
	uint64_t all[HOSTWALK_REGS]; /* by DWARF's numbers, if has_all */
	bool has_all;
};

struct hostwalk_frame {
	uint64_t where;     /* NATIVE_FRAME_* */
	uint64_t pc;        /* its address in the process */
	uint64_t low, high; /* its part of the stack; high 0: unknown */
};

struct hostwalk;

/* For code of @machine. @nf and its memory must live longer. NULL: out of memory. */
struct hostwalk *hostwalk_new(struct natfiles *nf, const struct natfiles_memory *memory,
			      uint16_t machine);
void hostwalk_free(struct hostwalk *h);
static inline void hostwalk_freep(struct hostwalk **h)
{
	hostwalk_free(*h);
}

struct hostwalk_target {
	const struct native_map *maps; /* as space_read() fills them */
	size_t n_maps;
	hostwalk_reader *read;
	void *ctx;
};

/*
 * Walks one stack. Fills up to @max frames, leaf first, and returns how many; *@ret_end says why it
 * ended (enum native_end).
 */
size_t hostwalk_stack(struct hostwalk *h, const struct hostwalk_target *t,
		      const struct hostwalk_regs *regs, struct hostwalk_frame *frames, size_t max,
		      uint32_t *ret_end);

/*
 * Walks the stack of a copy that the kernel has sent, @t->read reading from that copy. Fills frames as in
 * struct wire_native, and returns how many. Always ends: with the outermost frame, or a reason.
 */
size_t hostwalk_copy(struct hostwalk *h, const struct hostwalk_target *t,
		     const struct wire_copy *copy, uint64_t frames[WIRE_MAX_NATIVE]);

#endif
