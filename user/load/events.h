/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the two ring buffers and passes their records to typed callbacks. Every record's kind,
 * length and counts are checked first. When the ring of samples is found half full, a larger one takes
 * its place.
 */
#ifndef KRAIT_EVENTS_H
#define KRAIT_EVENTS_H

#include <stdint.h>

#include "bpf/wire.h"

struct events;
struct kern;

/* Callbacks for the records. They return 0, or -errno to stop reading. Pointers are valid in the call. */
struct events_ops {
	int (*stack)(void *ctx, const struct wire_stack *stack, const struct wire_frame *frames);
	int (*code)(void *ctx, const struct wire_code *code, const uint8_t *data);
	int (*thread)(void *ctx, const struct wire_thread *thread);
	int (*event)(void *ctx, const struct wire_event *event);
	/* Native frames; may be NULL if none are asked for. */
	int (*native)(void *ctx, const struct wire_native *stack, const uint64_t *frames);
	int (*copy)(void *ctx, const struct wire_copy *copy); /* followed by copy->len bytes */
	/* Kernel frames; may be NULL if none are asked for. */
	int (*kernel)(void *ctx, const struct wire_kernel *stack, const uint64_t *addresses);
	/* May be NULL. @text: the task's name. */
	int (*tasked)(void *ctx, const struct wire_tasked *t, const void *text);
	int (*cgroup)(void *ctx, const struct wire_cgroup *cgroup); /* the path is NUL-terminated */
};

/* @k and @ops must outlive it. NULL: out of memory, or not ring buffer maps. */
struct events *events_new(struct kern *k, const struct events_ops *ops, void *ctx);
void events_free(struct events *e);

/* A descriptor that polls readable when there are process events. */
int events_fd(const struct events *e);
/*
 * Reads the pending records, but not longer than @ms: a target may fill a ring faster than krait
 * can process its records. 0 or -errno.
 */
int events_read_processes(struct events *e, int ms);
int events_read_samples(struct events *e, int ms);
/* Reads all samples that the ring holds now, however long that takes, and perhaps later ones. */
int events_read_all_samples(struct events *e);
/* The number of malformed records; not 0 means a bug in krait. */
uint64_t events_malformed(const struct events *e);

#endif
