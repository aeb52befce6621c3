/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C functions for targets, called through ctypes, so that one build works with every Python:
 * threads unknown to Python, callbacks into Python from such threads, memory overwritten for a
 * while or continuously, io_uring kernel workers, and a frame evaluator (3.9+). Functions return 0
 * or -errno.
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
int mutate(uint64_t *const *words, int n, int times, uint64_t seed);
int uring_burn(double seconds);
void *evaluate(void *state, void *frame, int throwing);
void *_PyEval_EvalFrameDefault(void *state, void *frame, int throwing) __attribute__((weak));

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Passes every frame on, as debuggers and compilers do with frames that they do not handle. */
void *evaluate(void *state, void *frame, int throwing)
{
	return _PyEval_EvalFrameDefault(state, frame, throwing);
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

/* Starts a thread that calls Python @times times; each call gets a new thread state. */
int start_caller(int (*call)(int), int times)
{
	struct caller *c = malloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = (struct caller){ call, times };
	return start(caller, c);
}

/* Spins while the word has another value, and then restores it. */
int spin_with(uint64_t *where, uint64_t value, double seconds)
{
	volatile uint64_t *at = where;
	uint64_t good = *at;

	*at = value;
	spin(seconds);
	*at = good;
	return 0;
}

/*
 * A thread overwrites words of this process, a few at a time, while the caller spins. At the end
 * all words are restored.
 */
enum { BROKEN_MAX = 8, HOLD_NS_MAX = 600000 };

struct mutator {
	volatile uint64_t *const *words;
	uint64_t *good;
	int n, times;
	uint64_t random;
	int broken[BROKEN_MAX]; /* indices of the overwritten words */
	int done;
};

static uint64_t next_random(struct mutator *m)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return m->random;
}

static int any_word(struct mutator *m)
{
	return (int)(next_random(m) % (uint64_t)m->n);
}

/* Typical values of corrupt pointers, lengths and counts. */
static uint64_t bad_value(struct mutator *m, uint64_t good)
{
	static const uint64_t odd[] = {
		0,          1,          3,    ~0ULL,         1ULL << 62,         1ULL << 63,
		0x7fffffff, 0xffffffff, 4096, 0xdeadbeef000, 0xffff888000001000, 0x4141414141414141,
	};
	uint64_t how = next_random(m) % 8;

	if (how == 0)
		return next_random(m);
	if (how == 1)
		return good ^ 1ULL << next_random(m) % 64;
	if (how == 2)
		return good + next_random(m) % 512 - 256;
	if (how < 5)
		return odd[next_random(m) % (sizeof(odd) / sizeof(odd[0]))];
	if (how == 5)
		return (uintptr_t)m->words[any_word(m)];
	return m->good[any_word(m)];
}

/* Holds some values longer than a sample takes; others change several times within one sample. */
static void hold(struct mutator *m)
{
	if (next_random(m) % 4)
		spin((double)(next_random(m) % HOLD_NS_MAX) / 1e9);
}

static void *mutator(void *arg)
{
	struct mutator *m = arg;

	pthread_setname_np(pthread_self(), "c-mutator");
	for (int i = 0; i < m->n; i++)
		m->good[i] = *m->words[i];
	for (int i = 0; i < m->times; i++) {
		int *which = &m->broken[i % BROKEN_MAX];

		*m->words[*which] = m->good[*which];
		*which = any_word(m);
		*m->words[*which] = bad_value(m, m->good[*which]);
		hold(m);
	}
	for (int i = 0; i < m->n; i++)
		*m->words[i] = m->good[i];
	__atomic_store_n(&m->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

int mutate(uint64_t *const *words, int n, int times, uint64_t seed)
{
	struct mutator m = {
		.words = (volatile uint64_t *const *)words,
		.good = calloc(n, sizeof(*m.good)),
		.n = n,
		.times = times,
		.random = seed | 1,
	};
	pthread_t thread;
	int err;

	if (!m.good)
		return -ENOMEM;
	err = pthread_create(&thread, NULL, mutator, &m);
	while (!err && !__atomic_load_n(&m.done, __ATOMIC_ACQUIRE))
		;
	if (!err)
		pthread_join(thread, NULL);
	free(m.good);
	return -err;
}

/* One entry is enough to get a worker. */
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

/* One read; IOSQE_ASYNC makes a worker carry it out. */
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

/* Keeps an io_uring worker of this thread busy in the kernel while the thread itself waits. */
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
