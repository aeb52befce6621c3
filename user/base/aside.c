/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	queue   [ sent | sent | sent | waits | waits | ... ]      answers come in the order of questions
 *	           │ the worker is busy with the first one
 *	           ├─ answered ────────────────────────────────► done(code, bytes)
 *	           └─ no answer for PATIENCE, and no progress:
 *	                 done(-ETIMEDOUT); the worker is left behind, with SIGKILL pending,
 *	                 and a new worker gets the rest of the queue
 *
 * Only one worker is in use at a time: workers cannot disturb each other, and a worker that hangs,
 * hangs on the first question. The nursery keeps new workers as small as the first one (nursery.h).
 */
#include "base/aside.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/caps.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/nursery.h"
#include "base/vec.h"

enum {
	WINDOW = 32,       /* questions sent ahead; their answers fit into the socket */
	PIECE = 64 << 10,  /* bytes per read */
	LEFT_MAX = 256,    /* hanging workers; each is a process, though a small one */
	STALLS_MAX = 4096, /* subjects remembered as hanging */
	BATCH_NS = 500000, /* between two reads of answers while many are pending */
};

static const int64_t PATIENCE_NS = 150000000;
/* Hangs come in groups, so the patience is shorter after a recent one to bound their total time. */
static const int64_t NEXT_NS = 30000000, RECENT_NS = 2000000000;
/* Limits for a worker that makes progress: runnable (perhaps without a CPU), or blocking again and again. */
static const int64_t BUSY_NS = 3000000000, SLOW_NS = 1000000000;
static const int64_t PAUSE_NS = 1000000000, PAUSE_MAX_NS = 32000000000;

enum { FOLLOW = UINT32_MAX }; /* an op that serve() never sees: the worker sets its capabilities */

struct ask {
	uint32_t op, len;
};

struct answer {
	int32_t code;
	uint32_t len;
};

struct job {
	pid_t subject;
	uint32_t op, len;
	void *ask;
	aside_done *done;
	void *ctx;
};

/* A subject that hung. */
struct stall {
	pid_t subject;
	int64_t again, pause;
	int pidfd; /* of the worker that hangs on it; owned by aside.left */
};

struct aside {
	const struct aside_ops *ops;
	struct nursery *nursery;  /* NULL: serve() runs in this process */
	void *state;              /* for serve() in this process; NULL: not opened */
	struct nursery_child now; /* the worker */
	bool working;             /* there is a worker */
	VEC(struct job) queue;
	size_t first, sent;       /* the first unanswered job; how many jobs the worker has */
	int64_t since;            /* CLOCK_MONOTONIC ns at which the worker began the first job */
	int64_t hung;             /* the last time that a worker hung */
	int64_t seen;             /* the last time that a worker was seen to make progress */
	unsigned long long waits; /* its voluntary context switches then */
	struct buf in;
	VEC(struct stall) stalls;
	VEC(int) left; /* pidfds of hanging workers */
};

/* --- in the worker ---------------------------------------------------------------------------- */

static bool write_all(int fd, const void *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return false;
		if (n < 0)
			continue;
		data = (const char *)data + n;
		len -= n;
	}
	return true;
}

static int serve_one(const struct aside_ops *ops, void *state, const struct ask *ask,
		     const void *data, struct buf *out)
{
	int code;

	if (ask->op == FOLLOW)
		return ask->len == sizeof(struct caps) ? caps_set(data) : -EINVAL;
	code = ops->serve(state, ask->op, data, ask->len, out);
	return out->err ? out->err : code;
}

/* Sends head and content of an answer with one call. */
static bool reply(int line, const struct aside_ops *ops, void *state, const struct ask *ask,
		  const void *data, struct buf *out)
{
	struct answer head = {};

	buf_clear(out);
	buf_add(out, &head, sizeof(head));
	head.code = serve_one(ops, state, ask, data, out);
	if (out->err)
		return write_all(line, &(struct answer){ .code = -ENOMEM }, sizeof(head));
	head.len = out->len - sizeof(head);
	memcpy(out->data, &head, sizeof(head));
	return write_all(line, out->data, out->len);
}

/* Answers the questions that have arrived completely in @in and removes them. */
static bool serve_all(int line, const struct aside_ops *ops, void *state, struct buf *in,
		      struct buf *out)
{
	_Alignas(8) char data[ASIDE_ASK_MAX];
	size_t at = 0;
	struct ask ask;
	bool ok = true;

	while (ok && in->len - at >= sizeof(ask)) {
		memcpy(&ask, in->data + at, sizeof(ask));
		if (ask.len > sizeof(data))
			return false;
		if (in->len - at - sizeof(ask) < ask.len)
			break;
		memcpy(data, in->data + at + sizeof(ask), ask.len);
		at += sizeof(ask) + ask.len;
		ok = reply(line, ops, state, &ask, data, out);
	}
	memmove(in->data, in->data + at, in->len - at);
	in->len -= at;
	return ok;
}

/* Reads at least one byte; false: end of the stream, or an error. */
static bool receive(int line, struct buf *in, int flags)
{
	char piece[PIECE];
	ssize_t n;

	do {
		n = recv(line, piece, sizeof(piece), flags);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		buf_add(in, piece, n);
	return n > 0 && !in->err;
}

static void work(int line, const void *ctx)
{
	const struct aside_ops *ops = ctx;
	struct buf in = {}, out = {};
	void *state = ops->open();

	prctl(PR_SET_NAME, ops->name);
	while (state && receive(line, &in, 0) && serve_all(line, ops, state, &in, &out))
		;
}

/* --- the queue -------------------------------------------------------------------------------- */

static size_t waiting(const struct aside *a)
{
	return a->queue.len - a->first;
}

static struct job *first_job(struct aside *a)
{
	return &a->queue.at[a->first];
}

/* Answers the first job and removes it. */
static void finish(struct aside *a, int code, const void *data, size_t len)
{
	struct job j = *first_job(a);

	a->first++;
	a->sent -= a->sent > 0;
	a->since = clock_ns();
	if (a->first == a->queue.len)
		a->first = a->queue.len = 0;
	if (j.done)
		j.done(j.ctx, code, data, len);
	free(j.ask);
}

static int add_job(struct aside *a, const struct job *j, bool next)
{
	size_t at = next ? a->first + a->sent : a->queue.len;
	int err;

	if (a->first && a->first >= a->queue.len / 2) {
		memmove(a->queue.at, first_job(a), waiting(a) * sizeof(*j));
		a->queue.len -= a->first;
		at -= a->first;
		a->first = 0;
	}
	err = vec_push(&a->queue, *j);
	if (err)
		return err;
	memmove(&a->queue.at[at + 1], &a->queue.at[at], (a->queue.len - 1 - at) * sizeof(*j));
	a->queue.at[at] = *j;
	return 0;
}

static int new_job(struct aside *a, const struct job *like, const void *ask, bool next)
{
	struct job j = *like;
	int err = -ENOMEM;

	if (j.len > ASIDE_ASK_MAX)
		return -EINVAL;
	j.ask = malloc(j.len + 1);
	if (j.ask)
		err = add_job(a, &j, next);
	if (err)
		free(j.ask);
	else if (j.len)
		memcpy(j.ask, ask, j.len);
	return err;
}

/* --- subjects that hang ----------------------------------------------------------------------- */

static struct stall *find_stall(const struct aside *a, pid_t subject)
{
	struct stall *s;

	vec_each (&a->stalls, s)
		if (s->subject == subject)
			return s;
	return NULL;
}

static bool has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return pidfd < 0 || poll(&p, 1, 0) > 0;
}

/* A subject may be asked about once its pause is over and the worker that hung on it has ended. */
static bool may_ask(struct aside *a, pid_t subject)
{
	struct stall *s = find_stall(a, subject);
	int64_t now = clock_ns();

	if (!s)
		return true;
	if (now < s->again)
		return false;
	if (has_ended(s->pidfd))
		return true;
	s->again = now + PAUSE_NS;
	return false;
}

static void note_stall(struct aside *a, pid_t subject, int pidfd)
{
	struct stall *s = find_stall(a, subject), fresh = { .subject = subject };

	if (!s && a->stalls.len < STALLS_MAX && !vec_push(&a->stalls, fresh))
		s = &a->stalls.at[a->stalls.len - 1];
	if (!s)
		return;
	s->pause = !s->pause ? PAUSE_NS : s->pause < PAUSE_MAX_NS ? 2 * s->pause : s->pause;
	s->again = clock_ns() + s->pause;
	s->pidfd = pidfd;
}

static void forget_stall(struct aside *a, pid_t subject)
{
	struct stall *s = find_stall(a, subject);

	if (s)
		*s = a->stalls.at[--a->stalls.len];
}

/* Forgets the workers that have ended meanwhile, and closes their pidfds. */
size_t aside_left(struct aside *a)
{
	size_t kept = 0;
	struct stall *s;

	for (size_t i = 0; i < a->left.len; i++) {
		int pidfd = a->left.at[i];

		if (!has_ended(pidfd)) {
			a->left.at[kept++] = pidfd;
			continue;
		}
		vec_each (&a->stalls, s)
			if (s->pidfd == pidfd)
				s->pidfd = -1;
		close(pidfd);
	}
	return a->left.len = kept;
}

/* --- the worker, from outside ----------------------------------------------------------------- */

/* Returns the worker's pidfd, which aside.left owns; -1: out of memory. */
static int leave_behind(struct aside *a)
{
	int pidfd = a->now.pidfd;

	a->working = false;
	a->sent = 0;
	buf_clear(&a->in);
	close(a->now.line);
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	if (!vec_push(&a->left, pidfd))
		return pidfd;
	close(pidfd);
	return -1;
}

static bool hire(struct aside *a)
{
	if (!a->working && a->nursery && aside_left(a) < LEFT_MAX)
		a->working = !nursery_spawn(a->nursery, &a->now);
	return a->working;
}

/* False: the worker has ended. A socket's buffer holds many questions, so sending does not block. */
static bool send_next(struct aside *a)
{
	const struct job *j = &a->queue.at[a->first + a->sent];
	_Alignas(8) char data[sizeof(struct ask) + ASIDE_ASK_MAX];
	const struct ask head = { j->op, j->len };

	memcpy(data, &head, sizeof(head));
	memcpy(data + sizeof(head), j->ask, j->len);
	if (!write_all(a->now.line, data, sizeof(head) + j->len))
		return false;
	if (!a->sent++)
		a->since = clock_ns();
	return true;
}

/* Answers in this process, because no worker could be forked. */
static void serve_here(struct aside *a)
{
	_cleanup_(buf_done) struct buf out = {};
	const struct job *j = first_job(a);
	const struct ask head = { j->op, j->len };
	int code = -ENOMEM;

	if (!a->state)
		a->state = a->ops->open();
	if (a->state)
		code = serve_one(a->ops, a->state, &head, j->ask, &out);
	finish(a, code, out.data, out.len);
}

/* Answers the first job if it must not be asked, or there is no worker for it. True: answered. */
static bool serve_otherwise(struct aside *a)
{
	if (!may_ask(a, first_job(a)->subject) || (!hire(a) && a->left.len >= LEFT_MAX))
		finish(a, -ETIMEDOUT, NULL, 0);
	else if (!a->working)
		serve_here(a);
	else
		return false;
	return true;
}

/* Sends up to WINDOW jobs. A job that must not be asked stops it, and is decided when it comes first. */
static void feed(struct aside *a)
{
	while (waiting(a) > a->sent && a->sent < WINDOW) {
		const struct job *next = &a->queue.at[a->first + a->sent];

		if (!a->sent && serve_otherwise(a))
			continue;
		if (!may_ask(a, next->subject) || !send_next(a))
			return;
	}
}

/* Delivers the answers that have arrived completely. */
static void take_answers(struct aside *a)
{
	struct answer head;
	size_t at = 0;

	while (a->sent && a->in.len - at >= sizeof(head)) {
		memcpy(&head, a->in.data + at, sizeof(head));
		if (a->in.len - at - sizeof(head) < head.len)
			break;
		at += sizeof(head);
		forget_stall(a, first_job(a)->subject);
		finish(a, head.code, a->in.data + at, head.len);
		at += head.len;
	}
	if (at) {
		memmove(a->in.data, a->in.data + at, a->in.len - at);
		a->in.len -= at;
	}
}

/* The worker ended on its first question. */
static void bury(struct aside *a)
{
	leave_behind(a);
	if (waiting(a))
		finish(a, -EIO, NULL, 0);
}

/* --- patience --------------------------------------------------------------------------------- */

/*
 * The worker's thread state, and how often it has blocked since it began. A worker that hangs
 * blocks only once.
 */
struct pulse {
	char state;
	unsigned long long waits;
};

static struct pulse pulse_of(pid_t pid)
{
	static const char state[] = "State:\t", waits[] = "voluntary_ctxt_switches:\t";
	_fclose_ FILE *f = NULL;
	struct pulse p = { .state = '?' };
	char path[32], line[256];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, state, strlen(state)))
			p.state = line[strlen(state)];
		if (!strncmp(line, waits, strlen(waits)))
			p.waits = strtoull(line + strlen(waits), NULL, 10);
	}
	return p;
}

static int64_t patience(const struct aside *a, int64_t now)
{
	return a->hung && now - a->hung < RECENT_NS ? NEXT_NS : PATIENCE_NS;
}

/* True if the worker is runnable, or has blocked again: a slow file is read in many pieces. */
static bool gets_on(struct aside *a, int64_t now)
{
	struct pulse p = pulse_of(a->now.pid);
	bool waited = p.waits != a->waits;

	a->waits = p.waits;
	return (p.state == 'R' && now < a->since + BUSY_NS) || (waited && now < a->since + SLOW_NS);
}

/* ns until the first job may be given up. */
static int64_t time_left(struct aside *a)
{
	int64_t now = clock_ns(), wait = patience(a, now);
	int64_t from = a->seen > a->since ? a->seen : a->since;

	if (now < from + wait)
		return from + wait - now;
	if (!gets_on(a, now))
		return 0;
	a->seen = now;
	return wait;
}

static void give_up(struct aside *a)
{
	pid_t subject = first_job(a)->subject;

	a->hung = clock_ns();
	note_stall(a, subject, leave_behind(a));
	finish(a, -ETIMEDOUT, NULL, 0);
}

/* --- questions -------------------------------------------------------------------------------- */

/* Sends, then waits for answers up to @wait_ns, or until the first job's time is over. */
static void step(struct aside *a, int64_t wait_ns)
{
	struct pollfd p = { .events = POLLIN };
	int64_t left;
	struct timespec t;

	feed(a);
	if (!a->sent)
		return;
	left = time_left(a);
	wait_ns = wait_ns < left ? wait_ns : left;
	t = (struct timespec){ wait_ns / 1000000000, wait_ns % 1000000000 };
	p.fd = a->now.line;
	if (ppoll(&p, 1, &t, NULL) <= 0 && time_left(a))
		return;
	/* Poll again: this process may have been off-CPU since ppoll() returned. */
	if (!p.revents && poll(&p, 1, 0) <= 0) {
		give_up(a);
	} else if (receive(a->now.line, &a->in, MSG_DONTWAIT)) {
		take_answers(a);
	} else {
		bury(a);
	}
}

void aside_turn(struct aside *a)
{
	size_t before;

	do {
		before = waiting(a);
		step(a, 0);
	} while (waiting(a) && waiting(a) < before);
}

/* Sleeps between batches instead of in poll(), so that the worker's sends wake nobody. */
void aside_settle(struct aside *a)
{
	const struct timespec pause = { .tv_nsec = BATCH_NS };

	while (waiting(a)) {
		feed(a);
		if (a->sent > 1)
			nanosleep(&pause, NULL);
		step(a, PATIENCE_NS);
	}
}

int aside_post(struct aside *a, pid_t subject, uint32_t op, const void *ask, size_t len,
	       aside_done *done, void *ctx)
{
	const struct job j = { .subject = subject, .op = op, .len = len, .done = done, .ctx = ctx };
	int err = new_job(a, &j, ask, false);

	if (!err)
		feed(a);
	return err;
}

/* A caller of aside_ask(). */
struct waiter {
	aside_done *done;
	void *ctx;
	bool answered;
};

static void answered(void *ctx, int code, const void *data, size_t len)
{
	struct waiter *w = ctx;

	w->answered = true;
	w->done(w->ctx, code, data, len);
}

int aside_ask(struct aside *a, pid_t subject, uint32_t op, const void *ask, size_t len,
	      aside_done *done, void *ctx)
{
	struct waiter w = { .done = done, .ctx = ctx };
	const struct job j = {
		.subject = subject, .op = op, .len = len, .done = answered, .ctx = &w
	};
	int err = new_job(a, &j, ask, true);

	while (!err && !w.answered)
		step(a, PATIENCE_NS);
	return err;
}

int aside_follow(struct aside *a)
{
	struct caps caps;
	int err = caps_get(&caps);

	if (err || !a->nursery)
		return err;
	if (a->working)
		err = new_job(a, &(struct job){ .op = FOLLOW, .len = sizeof(caps) }, &caps, false);
	return err ? err : nursery_follow(a->nursery);
}

/* --- opening ---------------------------------------------------------------------------------- */

struct aside *aside_new_with(const struct aside_ops *ops, int keep)
{
	struct aside *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return NULL;
	a->ops = ops;
	a->nursery = nursery_new(work, ops, keep, &err);
	return a;
}

struct aside *aside_new(const struct aside_ops *ops)
{
	return aside_new_with(ops, -1);
}

void aside_free(struct aside *a)
{
	int *pidfd;

	if (!a)
		return;
	if (a->working)
		leave_behind(a);
	while (waiting(a))
		finish(a, -ETIMEDOUT, NULL, 0);
	vec_each (&a->left, pidfd)
		close(*pidfd);
	vec_done(&a->left);
	vec_done(&a->stalls);
	vec_done(&a->queue);
	buf_done(&a->in);
	nursery_free(a->nursery);
	if (a->state && a->ops->close)
		a->ops->close(a->state);
	free(a);
}
