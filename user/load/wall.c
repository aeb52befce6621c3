/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One lock: whoever has it may run the kernel's programs that visit, adopt or drain. The tick thread waits
 * for its next tick on a condition of that lock, so the others come in between.
 */
#include "load/wall.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum {
	LAG_NS = 300000,      /* behind the CPU clocks' ticks */
	MEASURE_NS = 2000000, /* a sleep, at whose end the clocks are compared */
	MEASURES = 5,
	PATIENCE_NS = 2000000000, /* with memory that does not answer */
	PRIORITY = 10,            /* SCHED_FIFO; any is above all that is not real-time */
};

struct wall {
	struct kern_wall kernel;
	struct bpf_link *visit_all, *adopt_all, *drain_all;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop, measured;
	bool left; /* the thread could not be stopped */
	int code;  /* of a visit that failed */
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3]; /* those of its owner */
	uint64_t period;
	struct wall_ticks ticks;
};

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

/*
 * The visitor has the lock while it reads; memory on a file system that does not answer keeps it there. Who
 * only wants to drain does not wait with it: -ETIMEDOUT, and what sleeps is counted when it goes on.
 */
static int lock_patiently(struct wall *w)
{
	const struct timespec until = timespec_of(clock_ns() + PATIENCE_NS);

	return -pthread_mutex_clocklock(&w->lock, CLOCK_MONOTONIC, &until);
}

/* --- running the kernel's programs -------------------------------------------------------------- */

static int run_one(struct bpf_program *prog, uint32_t tid)
{
	struct wire_visit ctx = { .tid = tid };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) ? -errno : 0;
}

/* The iterator prints nothing: one read is the whole pass. */
static int run_all(struct bpf_link *link)
{
	_close_ int fd = bpf_iter_create(bpf_link__fd(link));
	char none[64];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, none, sizeof(none))) != 0)
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
	return 0;
}

static int visit_queued(struct wall *w)
{
	volatile struct wire_wall *shared = w->kernel.shared;
	uint64_t head = shared->head;

	if (head == shared->tail)
		return 0;
	if (w->kernel.visit)
		return run_one(w->kernel.visit, 0);
	shared->tail = head;
	return run_all(w->visit_all);
}

/* What found the ring full has to be found; now there is room for it. */
static int run_visit(struct wall *w)
{
	volatile struct wire_wall *shared = w->kernel.shared;
	int code = visit_queued(w);

	if (code || !shared->overflow)
		return code;
	shared->overflow = 0;
	return run_all(w->adopt_all);
}

/* --- the tick thread ---------------------------------------------------------------------------- */

static void run_ahead(struct wall *w)
{
	const struct sched_param param = { .sched_priority = PRIORITY };

	if (!pthread_setschedparam(pthread_self(), SCHED_FIFO, &param))
		return;
	w->ticks.polite = true;
	setpriority(PRIO_PROCESS, 0, -20);
}

/* The hook in the scheduler compares the clocks each time this thread gets a CPU. */
static void measure_clocks(struct wall *w)
{
	const struct timespec pause = timespec_of(MEASURE_NS);

	w->kernel.shared->visitor = syscall(SYS_gettid);
	for (int i = 0; i < MEASURES; i++)
		nanosleep(&pause, NULL);
	pthread_mutex_lock(&w->lock);
	w->measured = true;
	pthread_cond_broadcast(&w->changed);
}

static void tick(struct wall *w, uint64_t now)
{
	volatile struct wire_wall *shared = w->kernel.shared;
	uint64_t number = (now - shared->t0) / w->period;

	if (number <= shared->tick)
		return;
	w->ticks.due = number;
	w->ticks.late += number - shared->tick - 1;
	shared->tick = number;
	if (!w->code)
		w->code = run_visit(w);
}

/* By now the owner has dropped what sampling does not need; a thread drops for itself alone. */
static void follow_owner(struct wall *w)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	if (syscall(SYS_capset, &head, w->caps))
		w->code = -errno;
}

static void *run_ticks(void *ctx)
{
	struct wall *w = ctx;
	volatile struct wire_wall *shared = w->kernel.shared;
	struct timespec at;
	uint64_t next, now;

	run_ahead(w);
	measure_clocks(w); /* takes the lock */
	while (!w->stop && !shared->t0)
		pthread_cond_wait(&w->changed, &w->lock);
	if (!w->stop)
		follow_owner(w);
	while (!w->stop) {
		next = shared->t0 + (shared->tick + 1) * w->period + LAG_NS;
		at = timespec_of(next);
		pthread_cond_clockwait(&w->changed, &w->lock, CLOCK_MONOTONIC, &at);
		now = clock_ns();
		if (!w->stop && now >= next)
			tick(w, now);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* --- opening ------------------------------------------------------------------------------------ */

static int attach(struct bpf_program *prog, struct bpf_link **ret, struct err *err)
{
	*ret = bpf_program__attach_iter(prog, NULL);
	return *ret ? 0
		    : err_set(err, -errno, "bpf: '%s': cannot attach: %m", bpf_program__name(prog));
}

static int attach_all(struct wall *w, struct err *err)
{
	int code = attach(w->kernel.adopt_all, &w->adopt_all, err);

	if (!code)
		code = attach(w->kernel.drain_all, &w->drain_all, err);
	if (!code && !w->kernel.visit)
		code = attach(w->kernel.visit_all, &w->visit_all, err);
	return code;
}

/* Signals are the owner's: one that came to this thread would end krait. */
static int create_thread(struct wall *w)
{
	sigset_t all, old;
	int code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	code = pthread_create(&w->thread, NULL, run_ticks, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return code;
}

static int start_thread(struct wall *w, struct err *err)
{
	int code = create_thread(w);

	if (code)
		return err_set(err, -code, "wall clock: cannot start a thread: %s", strerror(code));
	w->has_thread = true;
	pthread_mutex_lock(&w->lock);
	while (!w->measured)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
	if (!w->kernel.shared->offset)
		return err_set(err, -EOPNOTSUPP,
			       "wall clock: the scheduler's clock could not be compared with the "
			       "system's; use --mode=cpu");
	return 0;
}

struct wall *wall_new(struct kern *kern, uint64_t period_ns, struct err *err)
{
	struct wall *w = calloc(1, sizeof(*w));

	if (!w) {
		err_set(err, -ENOMEM, "wall clock: out of memory");
		return NULL;
	}
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->kernel = kern_wall(kern);
	w->period = period_ns;
	w->kernel.shared->period = w->period;
	if (attach_all(w, err) || start_thread(w, err)) {
		wall_free(w);
		return NULL;
	}
	return w;
}

/* With the lock held. */
static void note_cpu(struct wall *w)
{
	struct timespec cpu;
	clockid_t clock;

	if (!pthread_getcpuclockid(w->thread, &clock) && !clock_gettime(clock, &cpu))
		w->ticks.cpu_ns = cpu.tv_sec * 1000000000ULL + cpu.tv_nsec;
}

void wall_stop(struct wall *w)
{
	if (!w->has_thread)
		return;
	w->has_thread = false;
	if (lock_patiently(w)) {
		w->left = true; /* it ends with the process */
		pthread_detach(w->thread);
		return;
	}
	note_cpu(w);
	w->stop = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
}

bool wall_free(struct wall *w)
{
	if (!w)
		return false;
	wall_stop(w);
	if (w->left)
		return true;
	bpf_link__destroy(w->visit_all);
	bpf_link__destroy(w->adopt_all);
	bpf_link__destroy(w->drain_all);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return false;
}

/* --- asked by the session ----------------------------------------------------------------------- */

int wall_start(struct wall *w, uint64_t phase_ns)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	uint64_t now = clock_ns(), t0 = phase_ns;
	int code;

	if (syscall(SYS_capget, &head, w->caps))
		return -errno;
	pthread_mutex_lock(&w->lock);
	if (now > t0)
		t0 += (now - t0) / w->period * w->period;
	w->kernel.shared->t0 = t0;
	code = run_all(w->adopt_all);
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	return code;
}

int wall_adopt(struct wall *w, uint32_t tid)
{
	int code = lock_patiently(w);

	if (code)
		return code;
	code = w->kernel.adopt ? run_one(w->kernel.adopt, tid) : run_all(w->adopt_all);
	pthread_mutex_unlock(&w->lock);
	return code;
}

int wall_drain(struct wall *w)
{
	int code = lock_patiently(w);

	if (code)
		return code;
	code = run_all(w->drain_all);
	if (!code)
		code = w->code;
	pthread_mutex_unlock(&w->lock);
	return code;
}

void wall_sync(struct wall *w)
{
	if (!lock_patiently(w))
		pthread_mutex_unlock(&w->lock);
}

uint32_t wall_stalled(const struct wall *w)
{
	return w->kernel.shared->visiting;
}

void wall_ticks(struct wall *w, struct wall_ticks *ret)
{
	*ret = w->ticks;
	if (w->left || lock_patiently(w))
		return;
	if (w->has_thread)
		note_cpu(w);
	*ret = w->ticks;
	pthread_mutex_unlock(&w->lock);
}
