/* SPDX-License-Identifier: BSD-2-Clause */
/* py/gil and py/idents: interpreters, GILs and threads made up in this process's own memory. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "py/gil.h"
#include "py/idents.h"
#include "tap.h"

struct made_gil {
	uint64_t interval, last_holder;
	int32_t locked, pad;
	uint64_t more[25];
};

struct made_state {
	uint64_t next, thread_id;
};

struct made_interp {
	uint64_t next, threads, gil;
};

static uint64_t at(const void *p)
{
	return (uintptr_t)p;
}

static const struct py_layout layout = {
	.version = 0x030c,
	.ts_next = 0,
	.ts_thread_id = 8,
	.in_next = 0,
	.in_threads = 8,
	.in_gil = 16,
};

TEST(gils_of_interpreters)
{
	struct made_state holder = { .thread_id = 4242 };
	struct made_gil shared = { .last_holder = at(&holder), .locked = 1 };
	struct made_gil own = { .last_holder = at(&holder), .locked = 0 };
	struct made_interp third = { .gil = at(&own) };
	struct made_interp second = { .next = at(&third), .gil = at(&shared) };
	struct made_interp first = { .next = at(&second), .gil = at(&shared) };
	uint64_t head = at(&first);
	const struct gil_wanted w = { .pid = getpid(),
				      .info = { .interps = at(&head) },
				      .layout = layout };
	struct gil_now got[GIL_MAX];

	CHECK_EQ(gil_read(&w, got), 2);
	CHECK_EQ(got[0].gil, at(&shared));
	CHECK_EQ(got[0].holder, at(&holder));
	CHECK_EQ(got[0].self, 4242);
	CHECK_EQ(got[1].gil, at(&own));
	CHECK_EQ(got[1].holder, 0); /* it held it last, and has released it */
}

TEST(gil_of_the_runtime)
{
	struct {
		struct made_gil gil;
		uint64_t current;
	} runtime = { .gil = { .last_holder = 16, .locked = 1 } };
	struct gil_wanted w = { .pid = getpid(), .info = { .current = at(&runtime.current) } };
	struct gil_now got[GIL_MAX];

	w.layout.gil_before = at(&runtime.current) - at(&runtime.gil);
	CHECK_EQ(gil_read(&w, got), 1);
	CHECK_EQ(got[0].gil, at(&runtime.gil));
	CHECK_EQ(got[0].holder, 16);
	CHECK_EQ(got[0].self, 0); /* no such memory */
	w.layout.gil_before = 0;  /* 3.6 */
	CHECK_EQ(gil_read(&w, got), 1);
	CHECK_EQ(got[0].gil, 0);
	CHECK_EQ(got[0].holder, 0);
	w.layout.flavour = PY_FREE_THREADED;
	CHECK_EQ(gil_read(&w, got), 0);
}

TEST(interpreters_in_a_circle)
{
	struct made_gil gil = {};
	struct made_interp one = { .gil = at(&gil) };
	uint64_t head = at(&one);
	const struct gil_wanted w = { .pid = getpid(),
				      .info = { .interps = at(&head) },
				      .layout = layout };
	struct gil_now got[GIL_MAX];

	one.next = at(&one);
	CHECK_EQ(gil_read(&w, got), 1);
}

/* --- pthread_self() of each thread ------------------------------------------------------------ */

static void *wait_for(void *barrier)
{
	pthread_barrier_wait(barrier);
	pthread_barrier_wait(barrier);
	return NULL;
}

TEST(idents)
{
	const struct idents_wanted w = { .pid = getpid(), .layout = layout };
	_cleanup_(buf_done) struct buf out = {};
	const struct ident *got;
	pthread_barrier_t barrier;
	pthread_t other;

	pthread_barrier_init(&barrier, NULL, 2);
	CHECK_EQ(pthread_create(&other, NULL, wait_for, &barrier), 0);
	pthread_barrier_wait(&barrier);
	CHECK_EQ(idents_read(&w, &out), 0);
	pthread_barrier_wait(&barrier);
	pthread_join(other, NULL);
	got = (const struct ident *)out.data;
	if (!CHECK_EQ(out.len, 2 * sizeof(*got)))
		return;
	CHECK_EQ(got[0].tid, getpid());
	CHECK_EQ(got[0].self, pthread_self());
	CHECK_EQ(got[1].self, other);
	CHECK_EQ(got[0].doubtful + got[1].doubtful, 0);
}

TEST(idents_of_nobody)
{
	const struct idents_wanted w = { .pid = 4194304, .layout = layout };
	_cleanup_(buf_done) struct buf out = {};

	CHECK(idents_read(&w, &out) < 0);
}
