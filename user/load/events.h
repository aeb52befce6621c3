/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two ring buffers as typed calls. Every record is checked (kind, length, counts that it claims)
 * before anybody sees it.
 */
#ifndef KRAIT_EVENTS_H
#define KRAIT_EVENTS_H

#include <stdint.h>

#include "bpf/wire.h"

struct events;
struct kern;

/* What may arrive; a call returns 0 or -errno, which ends the reading. Pointers live for the call. */
struct events_ops {
	int (*stack)(void *ctx, const struct wire_stack *stack, const struct wire_frame *frames);
	int (*code)(void *ctx, const struct wire_code *code, const uint8_t *data);
	int (*thread)(void *ctx, const struct wire_thread *thread);
	int (*event)(void *ctx, const struct wire_event *event);
	int (*cgroup)(void *ctx, const struct wire_cgroup *cgroup); /* its path has its NUL */
};

/* NULL: out of memory or the maps are wrong. @ops must outlive it. */
struct events *events_new(const struct kern *k, const struct events_ops *ops, void *ctx);
void events_free(struct events *e);

/* Readable when a process event is there. */
int events_fd(const struct events *e);
/*
 * Read what is there, for @ms at most: a target may fill a ring faster than its records can be worked
 * on. 0 or -errno.
 */
int events_read_processes(struct events *e, int ms);
int events_read_samples(struct events *e, int ms);
/* Records that were malformed: 0, or krait is broken. */
uint64_t events_malformed(const struct events *e);

#endif
