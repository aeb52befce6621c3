/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code that switches away from its thread's stack while the thread keeps its Python state: C
 * coroutines (swapcontext) on stacks in various kinds of memory, and signal handlers on an
 * alternate stack. On the other stack it computes, or calls a Python function that does. Called
 * through ctypes (PyDLL, which keeps the GIL), so that one build works with every Python.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

/* Memory of the other stack: a mapping, the heap, or TLS. SIGNAL: an alternate signal stack. */
enum place { MAPPED, HEAP, STATIC, SIGNAL };

enum { SIZE = 1 << 20, SMALL = 64 << 10, MS = 1000000 };

typedef void callback(void);

int fibers_burn(int place, callback *python);

static _Thread_local struct {
	ucontext_t from, to;
	callback *python;
} run;
static _Thread_local char in_data[SIZE] __attribute__((tls_model("global-dynamic")));

static long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L * MS + t.tv_nsec;
}

/* Computes for 20 ms, in C or in Python. */
static void burn(void)
{
	long end = now_ns() + 20L * MS;

	if (run.python)
		run.python();
	else
		while (now_ns() < end)
			;
}

static void on_signal(int number)
{
	burn();
}

static int burn_in_handler(void *stack)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK }, old;
	stack_t other = { .ss_sp = stack, .ss_size = SIZE }, before;

	if (sigaltstack(&other, &before) || sigaction(SIGUSR2, &act, &old))
		return -errno;
	raise(SIGUSR2);
	sigaction(SIGUSR2, &old, NULL);
	return sigaltstack(&before, NULL) ? -errno : 0;
}

static int burn_in_fiber(void *stack, size_t size)
{
	if (getcontext(&run.to))
		return -errno;
	run.to.uc_stack.ss_sp = stack;
	run.to.uc_stack.ss_size = size;
	run.to.uc_link = &run.from;
	makecontext(&run.to, burn, 0);
	return swapcontext(&run.from, &run.to) ? -errno : 0;
}

/* @python NULL: computes in C. Returns 0 or -errno. */
int fibers_burn(int place, callback *python)
{
	size_t size = place == HEAP ? SMALL : SIZE;
	char *stack = in_data;
	int ret;

	run.python = python;
	if (place == MAPPED || place == SIGNAL)
		stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
	else if (place == HEAP)
		stack = malloc(size);
	if (!stack || stack == MAP_FAILED)
		return -ENOMEM;
	ret = place == SIGNAL ? burn_in_handler(stack) : burn_in_fiber(stack, size);
	if (place == MAPPED || place == SIGNAL)
		munmap(stack, SIZE);
	else if (place == HEAP)
		free(stack);
	return ret;
}
