/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Native frames of a recording: gives the BPF programs the mappings of processes, has stacks finished that
 * they could not walk, finds names, and merges native with Python frames. Files and processes are read
 * by a helper process (natwork.h).
 */
#ifndef KRAIT_NATIVES_H
#define KRAIT_NATIVES_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "load/kern.h"

struct natives;
struct procs;
struct samples;

/*
 * All must outlive it; the caller must have one thread. @all: also show the interpreter's own plumbing. NULL:
 * out of memory.
 */
struct natives *natives_new(struct kern *k, const struct procs *procs, struct samples *samples,
			    bool all);
void natives_free(struct natives *n);
/* After the caller has dropped capabilities: the helper process drops them, too. 0 or -errno. */
int natives_follow(struct natives *n);

/* Handle records. 0 or -errno. */
int natives_event(struct natives *n, const struct wire_event *event);
int natives_stack(struct natives *n, const struct wire_native *stack, const uint64_t *frames);
int natives_copy(struct natives *n, const struct wire_copy *copy);

/* Several times a second: names functions while their processes live. 0 or -errno. */
int natives_turn(struct natives *n);
/* Before counts are drained: enters all stacks that have arrived since the last call. 0 or -errno. */
int natives_settle(struct natives *n);
/* Once a second: gives back what belonged to processes that have ended. */
void natives_second(struct natives *n);

struct natives_sums {
	uint64_t finished;   /* stacks that the helper walked */
	uint64_t unfinished; /* ... that it could not */
	uint64_t processes;  /* whose mappings were read */
	uint64_t reads;      /* of mappings */
	uint64_t refused;    /* processes without room for their mappings */
	uint32_t functions;  /* that were named or numbered */
	uint32_t unnamed;    /* of these, those without a name */
};
struct natives_sums natives_sums(const struct natives *n);

#endif
