/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One visitor thread at a time runs the BPF visitor, and holds its lock meanwhile. The owner, which
 * is krait's main thread, takes the same lock to run the BPF programs that adopt or drain. The
 * visitor waits for its next tick on a condition variable of the lock, so the owner can run then.
 * When no thread is queued, it does not wait for a tick: it rests, without the lock, until a program
 * queues a thread and knocks. Ticks that pass meanwhile had nothing to visit.
 *
 *	reserve ──► its turn: tick, tick, rest ... ──► hangs in a page that is not served
 *	   ▲                                              │ after a second, the next one of the reserve
 *	   └──────── comes back, is late, does nothing ◄──┘
 *
 * Memory on a file system that does not answer (FUSE, NFS) blocks a visitor, with its lock held,
 * for any time. The owner, which takes the lock each second, sees that the visitor has not moved
 * for a second. It excludes the process and gives the turn to another visitor with its own lock.
 * All visitors are created at the start: later krait may lack the privilege for their real-time
 * priority.
 *
 * A process with a hanging thread cannot exit, so the visitors are threads of a separate process
 * that shares struct wall with krait. If one of them hangs when krait ends, that process is left
 * behind.
 */
#include "load/wall.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/beside.h"
#include "base/caps.h"
#include "base/cleanup.h"
#include "base/clock.h"

enum {
	LAG_NS = 300000,      /* after the CPU clocks' ticks */
	MEASURE_NS = 2000000, /* a sleep; the clocks are compared when it ends */
	MEASURES = 5,
	PATIENCE_NS = 1000000000, /* timeout for memory that does not answer */
	START_NS = 2000000000,    /* for the visitors to start, on a busy host */
	STOP_NS = 20000000,       /* for the lock of a visitor */
	STOP_MS = 100,            /* for all of them to end */
	REST_MS = 100,            /* a rest without a knock */
	WAITS = 10,               /* timeouts for a visitor that is slow, but makes progress */
	PRIORITY = 10,            /* of SCHED_FIFO; any value is above all normal threads */
};

struct visitor {
	struct wall *wall;
	uint32_t turn, tid; /* its index, its thread id */
	pthread_t thread;   /* valid in the visitors' process */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop, ready;
};

struct wall {
	struct kern_wall kernel;
	struct bpf_link *visit_all, *adopt_all, *drain_all;
	struct visitor visitors[WIRE_VISITORS];
	struct visitor *now; /* the visitor whose turn it is; the owner writes it */
	struct ring_buffer *knocks;
	int bell;     /* eventfd: the owner ends a rest */
	bool resting; /* while the visitor does not hold its lock */
	bool stopped;
	pid_t pid;        /* of the visitors' process, 0: none */
	int failed;       /* error of a visitor that could not start */
	int code;         /* error of a failed visit */
	struct caps caps; /* the owner's */
	uint64_t period;
	struct wall_ticks ticks;
	struct wall_stalls stalls;
};

#define each_visitor(v, w) for ((v) = (w)->visitors; (v) < (w)->visitors + WIRE_VISITORS; (v)++)

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

static bool is_turn(const struct visitor *v)
{
	return __atomic_load_n(&v->wall->now, __ATOMIC_ACQUIRE) == v;
}

static int lock_within(struct visitor *v, uint64_t ns)
{
	const struct timespec until = timespec_of(clock_ns() + ns);

	return -pthread_mutex_clocklock(&v->lock, CLOCK_MONOTONIC, &until);
}

/* --- a visitor that hangs --------------------------------------------------------------------- */

/* The visitor's position; it makes progress as long as this changes. */
struct spot {
	uint32_t tid;
	uint64_t tail;
};

static struct spot spot_of(const struct wall *w)
{
	const volatile struct wire_wall *shared = w->kernel.shared;

	return (struct spot){ shared->visiting, shared->tail };
}

static void note_stall(struct wall *w, uint32_t tid, uint32_t process)
{
	struct wall_stalls *all = &w->stalls;

	for (size_t i = 0; i < all->len; i++)
		if (all->at[i].process == process)
			return;
	if (all->len < WALL_STALLS)
		all->at[all->len++] = (struct wall_stall){ tid, process };
	else
		all->more++;
}

/* A visitor of the reserve, with its lock held; NULL: all hang. */
static struct visitor *find_reserve(struct wall *w)
{
	struct visitor *v;

	each_visitor (v, w)
		if (v != w->now && !w->kernel.shared->stalled[v->turn] &&
		    !pthread_mutex_trylock(&v->lock))
			return v;
	return NULL;
}

/* Excludes the process, then gives the turn to another visitor. 0: its lock is held. */
static int replace(struct wall *w, uint32_t tid)
{
	volatile struct wire_wall *shared = w->kernel.shared;
	struct visitor *next = find_reserve(w);

	if (!next)
		return -ETIMEDOUT;
	note_stall(w, tid, shared->process);
	shared->stalled[w->now->turn] = shared->process;
	shared->turn = next->turn;
	shared->visitor = next->tid;
	shared->visiting = 0;
	__atomic_store_n(&w->now, next, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&next->changed);
	return 0;
}

static bool is_alive(const struct wall *w)
{
	return w->pid && !waitpid(w->pid, NULL, WNOHANG);
}

/*
 * Takes the lock of the visitor whose turn it is, replacing it if it hangs. -ETIMEDOUT: all hang
 * (sleeping threads are counted when one comes back), or the visitor is only slow.
 */
static int lock_now(struct wall *w)
{
	for (int i = 0; i < WAITS && is_alive(w); i++) {
		struct spot before = spot_of(w), after;

		if (!lock_within(w->now, PATIENCE_NS))
			return 0;
		after = spot_of(w);
		if (after.tid && after.tid == before.tid && after.tail == before.tail)
			return replace(w, after.tid);
	}
	return is_alive(w) ? -ETIMEDOUT : -ECHILD;
}

static void unlock_now(struct wall *w)
{
	pthread_mutex_unlock(&w->now->lock);
}

/* --- running the kernel's programs ------------------------------------------------------------ */

static int run_one(struct bpf_program *prog, uint32_t tid)
{
	struct wire_visit ctx = { .tid = tid };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) ? -errno : 0;
}

/* The iterator outputs nothing: one read runs the whole iteration. */
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

static bool has_work(const volatile struct wire_wall *shared)
{
	return shared->head != shared->tail || shared->overflow;
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

/* After an overflow of the ring, which has room again, adopts the threads that did not fit. */
static int run_visit(struct visitor *v)
{
	struct wall *w = v->wall;
	volatile struct wire_wall *shared = w->kernel.shared;
	int code = visit_queued(w);

	if (code || !is_turn(v) || !shared->overflow)
		return code;
	shared->overflow = 0;
	return run_all(w->adopt_all);
}

/* --- the tick thread -------------------------------------------------------------------------- */

static void run_ahead(struct wall *w)
{
	const struct sched_param param = { .sched_priority = PRIORITY };

	if (!pthread_setschedparam(pthread_self(), SCHED_FIFO, &param))
		return;
	w->ticks.polite = true;
	setpriority(PRIO_PROCESS, 0, -20);
}

/* The last tick whose visit was due at @now. */
static uint64_t tick_at(const struct wall *w, uint64_t now)
{
	int64_t since = now - LAG_NS - w->kernel.shared->t0;

	return w->kernel.shared->t0 && since > 0 ? since / w->period : 0;
}

/* The last tick that has passed. For who holds the lock. */
static uint64_t last_tick(const struct wall *w)
{
	uint64_t tick = w->kernel.shared->tick, now = w->resting ? tick_at(w, clock_ns()) : 0;

	return now > tick ? now : tick;
}

/* The scheduler hook compares the clocks each time this thread gets a CPU. */
static void measure_clocks(struct visitor *v)
{
	const struct timespec pause = timespec_of(MEASURE_NS);

	v->wall->kernel.shared->visitor = v->tid;
	for (int i = 0; i < MEASURES; i++)
		nanosleep(&pause, NULL);
}

static void tick(struct visitor *v, uint64_t now)
{
	struct wall *w = v->wall;
	volatile struct wire_wall *shared = w->kernel.shared;
	uint64_t number = (now - shared->t0) / w->period;
	int code;

	if (number <= shared->tick)
		return;
	w->ticks.due = number;
	w->ticks.late += number - shared->tick - 1;
	shared->tick = number;
	if (w->code)
		return;
	code = run_visit(v);
	if (is_turn(v))
		w->code = code;
}

/* The owner has dropped unneeded capabilities by now; each visitor thread must drop them by itself. */
static void follow_owner(struct wall *w)
{
	int err = caps_set(&w->caps);

	if (err)
		w->code = err;
}

/* Waits for its turn. If it hung, that process answers again, so all threads are adopted once more. */
static void wait_in_reserve(struct visitor *v)
{
	volatile struct wire_wall *shared = v->wall->kernel.shared;

	if (shared->stalled[v->turn]) {
		shared->stalled[v->turn] = 0;
		shared->overflow = 1;
	}
	while (!v->stop && !(is_turn(v) && shared->t0))
		pthread_cond_wait(&v->changed, &v->lock);
}

static int ignore_knock(void *ctx, void *data, size_t size)
{
	return 0;
}

/* Waits for a knock, or for the owner, without the lock. */
static void rest(struct visitor *v)
{
	struct wall *w = v->wall;
	volatile struct wire_wall *shared = w->kernel.shared;
	struct pollfd fds[] = { { .fd = ring_buffer__epoll_fd(w->knocks), .events = POLLIN },
				{ .fd = w->bell, .events = POLLIN } };

	w->resting = true;
	shared->rests = 1;
	__sync_synchronize();
	if (!has_work(shared)) {
		pthread_mutex_unlock(&v->lock);
		poll(fds, 2, REST_MS);
		pthread_mutex_lock(&v->lock);
	}
	shared->rests = 0;
	shared->tick = last_tick(w);
	w->resting = false;
	ring_buffer__consume(w->knocks);
}

static void wait_and_tick(struct visitor *v)
{
	const volatile struct wire_wall *shared = v->wall->kernel.shared;
	uint64_t next = shared->t0 + (shared->tick + 1) * v->wall->period + LAG_NS, now;
	const struct timespec at = timespec_of(next);

	pthread_cond_clockwait(&v->changed, &v->lock, CLOCK_MONOTONIC, &at);
	now = clock_ns();
	if (!v->stop && is_turn(v) && now >= next)
		tick(v, now);
}

static void *run_ticks(void *ctx)
{
	struct visitor *v = ctx;

	run_ahead(v->wall);
	v->tid = syscall(SYS_gettid);
	if (is_turn(v))
		measure_clocks(v);
	pthread_mutex_lock(&v->lock);
	v->ready = true;
	pthread_cond_broadcast(&v->changed);
	while (!v->stop) {
		wait_in_reserve(v);
		if (!v->stop)
			follow_owner(v->wall);
		while (!v->stop && is_turn(v))
			has_work(v->wall->kernel.shared) ? wait_and_tick(v) : rest(v);
	}
	pthread_mutex_unlock(&v->lock);
	return NULL;
}

/* --- opening ---------------------------------------------------------------------------------- */

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

/* --- the visitors' process -------------------------------------------------------------------- */

_Noreturn static void run_visitors(struct wall *w)
{
	struct visitor *v;

	each_visitor (v, w)
		if (!w->failed)
			w->failed = -pthread_create(&v->thread, NULL, run_ticks, v);
	if (w->failed)
		_exit(EXIT_FAILURE);
	each_visitor (v, w)
		pthread_join(v->thread, NULL);
	_exit(EXIT_SUCCESS);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

enum { FILES = 6 };

/*
 * The visitors keep only the programs that they run, and what wakes them: the CPU clocks' events must
 * end with krait.
 */
static size_t list_files(const struct wall *w, int ret[FILES])
{
	size_t n = 0;

	if (w->kernel.visit)
		ret[n++] = bpf_program__fd(w->kernel.visit);
	if (w->kernel.adopt)
		ret[n++] = bpf_program__fd(w->kernel.adopt);
	if (w->visit_all)
		ret[n++] = bpf_link__fd(w->visit_all);
	ret[n++] = bpf_link__fd(w->adopt_all);
	ret[n++] = ring_buffer__epoll_fd(w->knocks);
	ret[n++] = w->bell;
	qsort(ret, n, sizeof(*ret), by_number);
	return n;
}

static int wait_until_ready(struct wall *w)
{
	const struct timespec end = timespec_of(clock_ns() + START_NS);
	struct visitor *v;
	int code = 0;

	each_visitor (v, w) {
		if (code || lock_within(v, START_NS))
			return code ? code : -ETIMEDOUT;
		while (!v->ready && !code && !w->failed)
			code = -pthread_cond_clockwait(&v->changed, &v->lock, CLOCK_MONOTONIC,
						       &end);
		pthread_mutex_unlock(&v->lock);
	}
	return w->failed ? w->failed : code;
}

static int start_visitors(struct wall *w, struct err *err)
{
	int files[FILES], code;
	size_t n = list_files(w, files);
	pid_t pid = beside_fork(files, n);

	if (!pid)
		run_visitors(w);
	w->pid = pid > 0 ? pid : 0;
	code = pid < 0 ? pid : wait_until_ready(w);
	if (code)
		return err_set(err, code, "wall clock: cannot start threads: %s", strerror(-code));
	if (!w->kernel.shared->offset)
		return err_set(err, -EOPNOTSUPP,
			       "wall clock: cannot relate the scheduler's clock to the system "
			       "clock; use --mode=cpu");
	return 0;
}

static void make_visitors(struct wall *w)
{
	pthread_mutexattr_t shared_lock;
	pthread_condattr_t shared_cond;
	struct visitor *v;

	pthread_mutexattr_init(&shared_lock);
	pthread_mutexattr_setpshared(&shared_lock, PTHREAD_PROCESS_SHARED);
	pthread_condattr_init(&shared_cond);
	pthread_condattr_setpshared(&shared_cond, PTHREAD_PROCESS_SHARED);
	each_visitor (v, w) {
		v->wall = w;
		v->turn = v - w->visitors;
		pthread_mutex_init(&v->lock, &shared_lock);
		pthread_cond_init(&v->changed, &shared_cond);
	}
	pthread_condattr_destroy(&shared_cond);
	pthread_mutexattr_destroy(&shared_lock);
	w->now = w->visitors;
}

static int make_knocks(struct wall *w, struct err *err)
{
	w->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->knocks = ring_buffer__new(w->kernel.knocks, ignore_knock, NULL, NULL);
	return w->bell >= 0 && w->knocks ? 0 : err_set(err, -errno, "wall clock: no ring: %m");
}

struct wall *wall_new(struct kern *kern, uint64_t period_ns, struct err *err)
{
	struct wall *w =
		mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (w == MAP_FAILED) {
		err_set(err, -ENOMEM, "wall clock: out of memory");
		return NULL;
	}
	make_visitors(w);
	w->kernel = kern_wall(kern);
	w->period = period_ns;
	w->kernel.shared->period = w->period;
	w->bell = -1;
	if (make_knocks(w, err) || attach_all(w, err) || start_visitors(w, err)) {
		wall_free(w);
		return NULL;
	}
	return w;
}

static void note_cpu(struct wall *w)
{
	struct timespec cpu;
	clockid_t clock;

	if (w->pid && !clock_getcpuclockid(w->pid, &clock) && !clock_gettime(clock, &cpu))
		w->ticks.cpu_ns = cpu.tv_sec * 1000000000ULL + cpu.tv_nsec;
}

/* Waits up to @ms. */
static bool has_ended(pid_t pid, int ms)
{
	_close_ int pidfd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return pidfd < 0 || poll(&p, 1, ms) > 0;
}

/* SIGKILL ends hanging visitors once their memory answers; krait does not wait for that. */
static void stop_visitors(struct wall *w)
{
	struct visitor *v;

	if (!w->pid)
		return;
	eventfd_write(w->bell, 1);
	each_visitor (v, w) {
		v->stop = true;
		if (!lock_within(v, STOP_NS)) {
			pthread_cond_broadcast(&v->changed);
			pthread_mutex_unlock(&v->lock);
		}
	}
	if (!has_ended(w->pid, STOP_MS))
		kill(w->pid, SIGKILL);
	waitpid(w->pid, NULL, WNOHANG);
	w->pid = 0;
}

/* Threads counted late, on a busy host, are counted up to shared->last, so nothing is waited for. */
void wall_stop(struct wall *w)
{
	volatile struct wire_wall *shared = w->kernel.shared;

	if (w->stopped)
		return;
	w->stopped = true;
	note_cpu(w); /* a thread that has ended has no clock */
	shared->last = shared->tick;
	if (!lock_now(w)) {
		w->now->stop = true;
		shared->last = w->ticks.due = last_tick(w);
		pthread_cond_broadcast(&w->now->changed);
		unlock_now(w);
	}
	eventfd_write(w->bell, 1);
}

void wall_free(struct wall *w)
{
	if (!w)
		return;
	wall_stop(w);
	stop_visitors(w);
	bpf_link__destroy(w->visit_all);
	bpf_link__destroy(w->adopt_all);
	bpf_link__destroy(w->drain_all);
	ring_buffer__free(w->knocks);
	close_fd(&w->bell);
	munmap(w, sizeof(*w));
}

/* --- calls from the session ------------------------------------------------------------------- */

int wall_start(struct wall *w, uint64_t phase_ns)
{
	uint64_t now = clock_ns(), t0 = phase_ns;
	int code = caps_get(&w->caps);

	if (!code)
		code = lock_now(w);
	if (code)
		return code;
	if (now > t0)
		t0 += (now - t0) / w->period * w->period;
	w->kernel.shared->t0 = t0;
	code = run_all(w->adopt_all);
	pthread_cond_broadcast(&w->now->changed);
	unlock_now(w);
	return code;
}

int wall_adopt(struct wall *w, uint32_t tid)
{
	int code = lock_now(w);

	if (code)
		return code;
	code = w->kernel.adopt ? run_one(w->kernel.adopt, tid) : run_all(w->adopt_all);
	unlock_now(w);
	return code;
}

int wall_drain(struct wall *w)
{
	int code = lock_now(w);

	if (code)
		return code;
	code = run_all(w->drain_all);
	if (!code)
		code = w->code;
	unlock_now(w);
	return code;
}

void wall_sync(struct wall *w)
{
	if (!lock_now(w))
		unlock_now(w);
}

uint32_t wall_stalled(const struct wall *w)
{
	return w->kernel.shared->visiting;
}

const struct wall_stalls *wall_stalls(const struct wall *w)
{
	return &w->stalls;
}

void wall_ticks(struct wall *w, struct wall_ticks *ret)
{
	if (!w->stopped && !lock_now(w)) {
		note_cpu(w);
		w->ticks.due = last_tick(w);
		unlock_now(w);
	}
	*ret = w->ticks;
}
