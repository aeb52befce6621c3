/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns kernel records into the model, within a bounded amount of memory. The kernel sends code objects, stacks
 * and thread names once, and then counts; they become frames, nodes of the prefix tree, and rows of the profile.
 */
#ifndef KRAIT_SAMPLES_H
#define KRAIT_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/native.h"
#include "bpf/wire.h"
#include "model/profile.h"
#include "model/stacks.h"

struct samples;
struct procs;
struct reader;

struct samples_opts {
	bool skip_parked; /* leave out parked threads (sym/parked.h) */
	bool tasks;       /* the asyncio task of each sample, too */
	bool journal; /* a journal keeps most of the model a second time: counts towards the room */
};

/* All three must outlive it. NULL: out of memory. */
struct samples *samples_new(struct profile *profile, struct procs *procs, struct reader *reader,
			    const struct samples_opts *o);
void samples_free(struct samples *s);
/* Limits the memory of the model; 0, the initial value: no limit. */
void samples_set_room(struct samples *s, size_t bytes);

/* Handle records, which arrive before the records that refer to them. 0 or -errno. */
int samples_code(struct samples *s, const struct wire_code *code, const uint8_t *data);
int samples_stack(struct samples *s, const struct wire_stack *stack,
		  const struct wire_frame *frames);
/* The task that a stack ran; @text holds its name, @t->len bytes. 0 or -errno. */
int samples_tasked(struct samples *s, const struct wire_tasked *t, const void *text);
/*
 * A native stack, whose Python frames have arrived as the stack @python and are filled into @m here. 0 or
 * -errno.
 */
struct merge;
struct merge_ops;
int samples_native(struct samples *s, uint64_t id, uint64_t python, struct merge *m,
		   const struct merge_ops *ops);
/* Frames of the result (sym/sym.h). */
uint32_t samples_native_frame(struct samples *s, const char *name, uint64_t address,
			      const struct module *module);
uint32_t samples_native_marker(struct samples *s, uint32_t end);
/*
 * The kernel's part of a stack, leaf first, on the stack @below, which was entered before. @module NULL: a
 * function of the kernel itself.
 */
uint32_t samples_kernel_frame(struct samples *s, const char *name, const char *module);
int samples_kernel(struct samples *s, uint64_t id, uint64_t below, const uint32_t *frames,
		   size_t n);
/*
 * *@ret_process: index in the profile, PROFILE_NONE: no room for the thread. A count may also arrive without a
 * thread record before it.
 */
int samples_thread(struct samples *s, const struct wire_thread *thread, uint32_t *ret_process);
/* Adds @n samples of one thread, state and stack. */
int samples_count(struct samples *s, const struct count_key *key, uint64_t n);

const struct stacks *samples_stacks(const struct samples *s);

struct samples_sums {
	uint64_t waiting;        /* samples of off-CPU threads */
	uint64_t parked;         /* samples left out because the thread was parked */
	uint64_t limited;        /* samples whose stack was dropped for lack of room */
	uint64_t unknown_stacks; /* samples whose stack never arrived */
	uint64_t touched;        /* pages faulted in so that the next sample can read them */
	uint64_t refetched, unresolved_codes;
	uint64_t native[NATIVE_END_KINDS]; /* samples without some native frames, by reason */
	uint64_t merged;                   /* samples with native frames */
	uint64_t unnamed; /* threads that ended, or hung, before their name was read */
};
struct samples_sums samples_sums(const struct samples *s);

#endif
