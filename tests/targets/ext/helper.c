/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What targets need C for, called by ctypes, so that one build serves every Python: threads that
 * Python does not know, calls back into Python from them, memory overwritten for a while, and
 * kernel workers of io_uring. Functions return 0 or -errno.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <fcntl.h>
#include <unistd.h>

int spin(double seconds);
int start_spinner(void);
int start_caller(int (*call)(int), int times);
int spin_with(uint64_t *where, uint64_t value, double seconds);
int uring_burn(double seconds);

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int spin(double seconds)
{
	double end = now() + seconds;

	while (now() < end)
		;
	return 0;
}

static void *spinner(void *unused)
{
	pthread_setname_np(pthread_self(), "c-spinner");
	for (;;)
		spin(3600);
	return unused;
}

static int start(void *(*run)(void *), void *arg)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, run, arg);

	if (!err)
		pthread_detach(thread);
	return -err;
}

int start_spinner(void)
{
	return start(spinner, NULL);
}

struct caller {
	int (*call)(int);
	int times;
};

static void *caller(void *arg)
{
	struct caller c = *(struct caller *)arg;

	free(arg);
	pthread_setname_np(pthread_self(), "c-caller");
	for (int i = 0; i < c.times; i++)
		c.call(i);
	return NULL;
}

/* A thread that calls Python so many times; each call is given a thread state of its own. */
int start_caller(int (*call)(int), int times)
{
	struct caller *c = malloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = (struct caller){ call, times };
	return start(caller, c);
}

/* Spins with another value in memory, and puts the right one back. */
int spin_with(uint64_t *where, uint64_t value, double seconds)
{
	volatile uint64_t *at = where;
	uint64_t good = *at;

	*at = value;
	spin(seconds);
	*at = good;
	return 0;
}

/* A ring of one entry: enough to have a worker. */
struct ring {
	struct io_uring_params p;
	int fd;
	char *sq, *cq;
	struct io_uring_sqe *sqe;
};

static int ring_open(struct ring *r)
{
	memset(r, 0, sizeof(*r));
	r->fd = (int)syscall(__NR_io_uring_setup, 1, &r->p);
	if (r->fd < 0)
		return -errno;
	r->sq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
	r->cq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_CQ_RING);
	r->sqe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQES);
	if (r->sq == MAP_FAILED || r->cq == MAP_FAILED || r->sqe == MAP_FAILED)
		return -ENOMEM;
	return 0;
}

/* One read that a worker carries out, because the request insists on it. */
static int ring_read(struct ring *r, int from, void *into, unsigned int bytes)
{
	unsigned int *tail = (unsigned int *)(r->sq + r->p.sq_off.tail);
	unsigned int *seen = (unsigned int *)(r->cq + r->p.cq_off.head);

	*r->sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.flags = IOSQE_ASYNC,
		.fd = from,
		.addr = (uintptr_t)into,
		.len = bytes,
	};
	*(unsigned int *)(r->sq + r->p.sq_off.array) = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(__NR_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	__atomic_store_n(seen, *seen + 1, __ATOMIC_RELEASE);
	return 0;
}

/* Keeps an io_uring worker of this thread busy in the kernel, while the thread itself waits. */
int uring_burn(double seconds)
{
	unsigned int bytes = 8 << 20;
	void *into = malloc(bytes);
	int from = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	double end = now() + seconds;
	struct ring r;
	int err = !into ? -ENOMEM : from < 0 ? -errno : ring_open(&r);

	while (!err && now() < end)
		err = ring_read(&r, from, into, bytes);
	free(into);
	close(from);
	return err;
}
