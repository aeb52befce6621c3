/* SPDX-License-Identifier: BSD-2-Clause */
#include "load/events.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "load/kern.h"

struct events {
	struct kern *k;
	const struct events_ops *ops;
	void *ctx;
	struct ring_buffer *samples, *processes;
	bool fixed;    /* the ring of samples cannot grow any more */
	int64_t until; /* CLOCK_MONOTONIC ns; later records wait for the next read */
	size_t left;   /* bytes that this read may still take, likewise */
	uint64_t malformed;
};

static int on_stack(struct events *e, const void *data, size_t size)
{
	const struct wire_stack *s = data;

	if (size < sizeof(*s) || s->count > WIRE_MAX_FRAMES || s->end >= WALK_ENDS ||
	    (s->count && s->first >= s->count) ||
	    size < sizeof(*s) + s->count * sizeof(struct wire_frame))
		return -EBADMSG;
	return e->ops->stack(e->ctx, s, (const void *)(s + 1));
}

static int on_code(struct events *e, const void *data, size_t size)
{
	const struct wire_code *c = data;
	size_t need = sizeof(*c);

	if (size < need)
		return -EBADMSG;
	for (int i = 0; i < CODE_STRINGS; i++)
		need += c->len[i];
	if (c->table_len > WIRE_MAX_TABLE || size < need + c->table_len ||
	    c->layout >= WIRE_MAX_LAYOUTS)
		return -EBADMSG;
	return e->ops->code(e->ctx, c, (const void *)(c + 1));
}

static int on_thread(struct events *e, const void *data, size_t size)
{
	if (size < sizeof(struct wire_thread))
		return -EBADMSG;
	return e->ops->thread(e->ctx, data);
}

static int on_native(struct events *e, const void *data, size_t size)
{
	const struct wire_native *n = data;

	if (!e->ops->native || size < sizeof(*n) || n->count > WIRE_MAX_NATIVE ||
	    size < sizeof(*n) + n->count * sizeof(uint64_t))
		return -EBADMSG;
	return e->ops->native(e->ctx, n, (const void *)(n + 1));
}

static int on_copy(struct events *e, const void *data, size_t size)
{
	const struct wire_copy *c = data;

	if (!e->ops->copy || size < sizeof(*c) || c->len > WIRE_COPY_PAGES * WIRE_PAGE ||
	    c->seats > WIRE_COPY_SEATS || size < sizeof(*c) + c->len)
		return -EBADMSG;
	return e->ops->copy(e->ctx, c);
}

static int on_kernel(struct events *e, const void *data, size_t size)
{
	const struct wire_kernel *k = data;

	if (!e->ops->kernel || size < sizeof(*k) || k->count > WIRE_MAX_KERNEL ||
	    size < sizeof(*k) + k->count * sizeof(uint64_t))
		return -EBADMSG;
	return e->ops->kernel(e->ctx, k, (const void *)(k + 1));
}

static int on_tasked(struct events *e, const void *data, size_t size)
{
	const struct wire_tasked *t = data;

	if (!e->ops->tasked || size < sizeof(*t) || t->len > WIRE_TASK_TEXT ||
	    size < sizeof(*t) + t->len || (t->len && !t->char_size))
		return -EBADMSG;
	return e->ops->tasked(e->ctx, t, t + 1);
}

static int on_event(struct events *e, const void *data, size_t size)
{
	if (size < sizeof(struct wire_event))
		return -EBADMSG;
	return e->ops->event(e->ctx, data);
}

static int on_cgroup(struct events *e, const void *data, size_t size)
{
	const struct wire_cgroup *c = data;

	if (size < sizeof(*c) || !c->len || c->len > sizeof(c->path) || c->path[c->len - 1] ||
	    c->view >= CGROUP_VIEWS)
		return -EBADMSG;
	return e->ops->cgroup(e->ctx, c);
}

static const struct {
	uint32_t kind;
	int (*take)(struct events *e, const void *data, size_t size);
} kinds[] = {
	{ RECORD_STACK, on_stack },   { RECORD_CODE, on_code },   { RECORD_THREAD, on_thread },
	{ EVENT_UNKNOWN, on_event },  { EVENT_FORK, on_event },   { EVENT_EXIT, on_event },
	{ EVENT_EXEC, on_event },     { EVENT_KNOWN, on_event },  { EVENT_AGAIN, on_event },
	{ RECORD_NATIVE, on_native }, { RECORD_COPY, on_copy },   { EVENT_NATIVE, on_event },
	{ EVENT_COPY, on_event },     { EVENT_MKDIR, on_cgroup }, { RECORD_KERNEL, on_kernel },
	{ RECORD_TASK, on_tasked },   { EVENT_TASKS, on_event },
};

static int on_record(void *ctx, void *data, size_t size)
{
	struct events *e = ctx;
	int err = -EBADMSG;

	for (size_t i = 0; size >= 4 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].kind == *(const uint32_t *)data)
			err = kinds[i].take(e, data, size);
	if (err == -EBADMSG) {
		e->malformed++;
		err = 0;
	}
	e->left -= size < e->left ? size : e->left;
	return !err && (!e->left || clock_ns() >= e->until) ? -ETIME : err;
}

struct events *events_new(struct kern *k, const struct events_ops *ops, void *ctx)
{
	struct events *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->k = k;
	e->ops = ops;
	e->ctx = ctx;
	e->samples = ring_buffer__new(kern_ring_map(k), on_record, e, NULL);
	e->processes = ring_buffer__new(kern_events_map(k), on_record, e, NULL);
	if (!e->samples || !e->processes) {
		events_free(e);
		return NULL;
	}
	return e;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	ring_buffer__free(e->samples);
	ring_buffer__free(e->processes);
	free(e);
}

int events_fd(const struct events *e)
{
	return ring_buffer__epoll_fd(e->processes);
}

/* A callback's error stops the read; libbpf has consumed the record by then and will not repeat it. */
static int consume(struct events *e, struct ring_buffer *ring, int64_t until, size_t bytes)
{
	int n;

	e->until = until;
	e->left = bytes;
	n = ring_buffer__consume(ring);
	return n < 0 && n != -ETIME ? n : 0;
}

int events_read_processes(struct events *e, int ms)
{
	return consume(e, e->processes, clock_ns() + ms * 1000000LL, SIZE_MAX);
}

/*
 * The old ring's records are read before it is closed: those in the new one are later. If no larger
 * ring can be had, the old one goes on, and what it has no room for is counted.
 */
static int grow(struct events *e)
{
	size_t room = kern_ring_bytes(e->k);
	_close_ int old = kern_grow_ring(e->k);
	struct ring_buffer *next =
		old < 0 ? NULL : ring_buffer__new(kern_ring_map(e->k), on_record, e, NULL);
	int err;

	e->fixed = old < 0;
	if (e->fixed)
		return 0;
	if (!next)
		return -ENOMEM;
	err = consume(e, e->samples, INT64_MAX, room);
	ring_buffer__free(e->samples);
	e->samples = next;
	return err;
}

static int read_samples(struct events *e, int64_t until, size_t bytes)
{
	int err = consume(e, e->samples, until, bytes);
	size_t taken = bytes - e->left;

	return err || e->fixed || taken < kern_ring_bytes(e->k) / 2 ? err : grow(e);
}

int events_read_samples(struct events *e, int ms)
{
	return read_samples(e, clock_ns() + ms * 1000000LL, SIZE_MAX);
}

int events_read_all_samples(struct events *e)
{
	return read_samples(e, INT64_MAX, kern_ring_bytes(e->k));
}

uint64_t events_malformed(const struct events *e)
{
	return e->malformed;
}
