/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Thread states that change hands, as in programs with thread pools of their own. The thread that
 * calls handed_start() makes all states; each of eight threads repeatedly takes a free one at
 * random, works with it and gives it back. Worker K runs job_K() of __main__, so a frame tells
 * which thread it belongs to. Called through ctypes (PyDLL, which keeps the GIL), so that one build
 * works with every Python.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WORKERS = 8, STATES = 20, KINDS = 3 };

/* How a worker takes a state: attach to it, or attach to another one first and swap. */
enum way { ACQUIRE, SWAP, WAYS };

int handed_start(int swap);
/* CPU time of all workers so far, in ns: in Python, and between. */
void handed_times(uint64_t ret[2]);

static struct {
	void *(*new_state)(void *interp);
	void *(*get)(void);
	void *(*swap)(void *state);
	void (*acquire)(void *state);
	void (*release)(void *state);
	int (*run)(const char *text, void *flags);
} py;

static struct {
	pthread_mutex_t lock;
	void *state[STATES];
	bool used[STATES];
	bool swap;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct {
	uint64_t inside, between;
} times;

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

void handed_times(uint64_t ret[2])
{
	ret[0] = __atomic_load_n(&times.inside, __ATOMIC_RELAXED);
	ret[1] = __atomic_load_n(&times.between, __ATOMIC_RELAXED);
}

static int take(unsigned int *seed)
{
	int i;

	pthread_mutex_lock(&pool.lock);
	do
		i = rand_r(seed) % STATES;
	while (pool.used[i]);
	pool.used[i] = true;
	pthread_mutex_unlock(&pool.lock);
	return i;
}

static void give(int i)
{
	pthread_mutex_lock(&pool.lock);
	pool.used[i] = false;
	pthread_mutex_unlock(&pool.lock);
}

static void work(int me, unsigned int *seed)
{
	int first = take(seed), second = pool.swap && rand_r(seed) % 2 ? take(seed) : -1;
	uint64_t came = cpu_ns(), entered, left;
	char text[64];

	snprintf(text, sizeof(text), "job_%d(%d)", me, rand_r(seed) % KINDS);
	py.acquire(pool.state[first]);
	if (second >= 0)
		py.swap(pool.state[second]);
	entered = cpu_ns();
	py.run(text, NULL);
	left = cpu_ns();
	if (second >= 0)
		py.swap(pool.state[first]);
	py.release(pool.state[first]);
	if (second >= 0)
		give(second);
	give(first);
	__atomic_add_fetch(&times.inside, left - entered, __ATOMIC_RELAXED);
	__atomic_add_fetch(&times.between, entered - came + cpu_ns() - left, __ATOMIC_RELAXED);
}

static void *worker(void *arg)
{
	unsigned int seed = (unsigned int)(size_t)arg + 1;
	char name[16];

	snprintf(name, sizeof(name), "w-%d", (int)(size_t)arg);
	pthread_setname_np(pthread_self(), name);
	for (;;)
		work((int)(size_t)arg, &seed);
	return NULL;
}

/* Has the addresses of all states on its stack, but uses none of them. */
static void *liar(void *unused)
{
	void *near[STATES] = {};

	pthread_setname_np(pthread_self(), "liar");
	for (int i = 0; i < STATES; i++)
		near[i] = pool.state[i];
	for (;;)
		__asm__ volatile("" ::"r"(near) : "memory");
	return unused;
}

static bool find(void)
{
	void (*threads)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "PyEval_InitThreads");

	py.new_state = (void *(*)(void *))dlsym(RTLD_DEFAULT, "PyThreadState_New");
	py.get = (void *(*)(void))dlsym(RTLD_DEFAULT, "PyThreadState_Get");
	py.swap = (void *(*)(void *))dlsym(RTLD_DEFAULT, "PyThreadState_Swap");
	py.acquire = (void (*)(void *))dlsym(RTLD_DEFAULT, "PyEval_AcquireThread");
	py.release = (void (*)(void *))dlsym(RTLD_DEFAULT, "PyEval_ReleaseThread");
	py.run = (int (*)(const char *, void *))dlsym(RTLD_DEFAULT, "PyRun_SimpleStringFlags");
	if (threads)
		threads();
	return py.new_state && py.get && py.swap && py.acquire && py.release && py.run;
}

static int start(void *(*run)(void *), size_t arg)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, run, (void *)arg);

	if (!err)
		pthread_detach(thread);
	return -err;
}

int handed_start(int swap)
{
	int err;

	if (!find())
		return -ENOSYS;
	pool.swap = swap;
	for (int i = 0; i < STATES; i++) /* interp is the third word of a state */
		pool.state[i] = py.new_state(((void **)py.get())[2]);
	err = start(liar, 0);
	for (size_t i = 0; i < WORKERS && !err; i++)
		err = start(worker, i);
	return err;
}
