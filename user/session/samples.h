/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples as the model has them. What the kernel sends once (code objects, stacks, names of threads) and what it
 * counts becomes frames, a prefix tree and rows of the profile, within a bounded amount of memory.
 */
#ifndef KRAIT_SAMPLES_H
#define KRAIT_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "model/profile.h"
#include "model/stacks.h"

struct samples;
struct procs;
struct reader;

struct samples_opts {
	bool skip_parked; /* threads that wait for work by habit are left out */
	bool journal;     /* somebody keeps most of the model a second time */
};

/* All three must outlive it. NULL: out of memory. */
struct samples *samples_new(struct profile *profile, struct procs *procs, struct reader *reader,
			    const struct samples_opts *o);
void samples_free(struct samples *s);
/* How many bytes the model may take; 0, as at first: any number. */
void samples_set_room(struct samples *s, size_t bytes);

/* Records, each before what names it. 0 or -errno. */
int samples_code(struct samples *s, const struct wire_code *code, const uint8_t *data);
int samples_stack(struct samples *s, const struct wire_stack *stack,
		  const struct wire_frame *frames);
/*
 * *@ret_process: in the profile, PROFILE_NONE: there was no room for the thread. A thread may also first be known
 * by a count.
 */
int samples_thread(struct samples *s, const struct wire_thread *thread, uint32_t *ret_process);
/* @n samples of one thread, state and stack. */
int samples_count(struct samples *s, const struct count_key *key, uint64_t n);

const struct stacks *samples_stacks(const struct samples *s);

struct samples_sums {
	uint64_t waiting;        /* of threads that were not on a CPU */
	uint64_t parked;         /* left out: of threads that waited for work */
	uint64_t limited;        /* without their stacks, for want of room */
	uint64_t unknown_stacks; /* counted, but their stack never arrived */
	uint64_t touched;        /* pages that were brought in for the next sample */
	uint64_t refetched, unresolved_codes;
};
struct samples_sums samples_sums(const struct samples *s);

#endif
