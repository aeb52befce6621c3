/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel frames (--kernel): puts the kernel's part of each stack onto the stack below, with names. */
#ifndef KRAIT_KERNSTACKS_H
#define KRAIT_KERNSTACKS_H

#include <stdint.h>

#include "bpf/wire.h"

struct kernstacks;
struct samples;

/* @samples must outlive it. NULL: out of memory. */
struct kernstacks *kernstacks_new(struct samples *samples);
void kernstacks_free(struct kernstacks *k);

/* A record with its addresses, leaf first. 0 or -errno. */
int kernstacks_add(struct kernstacks *k, const struct wire_kernel *stack,
		   const uint64_t *addresses);
/* Enters all stacks that were added, after those that they stand on. 0 or -errno. */
int kernstacks_settle(struct kernstacks *k);
/* Why functions have no names: 0 (they have), or as kallsyms_error(). */
int kernstacks_error(const struct kernstacks *k);

#endif
