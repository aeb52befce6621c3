/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	queue   [ sent | sent | sent | waits | waits | ... ]      answers come in the order of questions
 *	           │ the first one is what is being done
 *	           ├─ answered ────────────────────────────────► done(code, bytes)
 *	           └─ nothing for PATIENCE, and it does not get on:
 *	                 done(-ETIMEDOUT); the process is left behind, with SIGKILL for when it comes back,
 *	                 a new one is made, and gets the rest of the queue
 *
 * There is one process at a time that works: no two that could disturb each other, and what hangs is
 * known without asking. Its successor is as small as it was (nursery.h).
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
	WINDOW = 32,       /* questions at the other process: their answers fit into the socket */
	PIECE = 64 << 10,  /* bytes read at once */
	LEFT_MAX = 256,    /* that hang: each is a process, though a small one */
	STALLS_MAX = 4096, /* subjects that are remembered */
	BATCH_NS = 500000, /* between two looks for answers when there are many */
};

static const int64_t PATIENCE_NS = 150000000;
/* Where one hangs, others do, and all of them together must not take long. */
static const int64_t NEXT_NS = 30000000, RECENT_NS = 2000000000;
/* With a process that gets on: one that would run, but gets no CPU; and one that waits again and again. */
static const int64_t BUSY_NS = 3000000000, SLOW_NS = 1000000000;
static const int64_t PAUSE_NS = 1000000000, PAUSE_MAX_NS = 32000000000;

enum { FOLLOW = UINT32_MAX }; /* an op of our own */

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
	int pidfd; /* of the process that hangs in it; owned by the list of all of those */
};

struct aside {
	const struct aside_ops *ops;
	struct nursery *nursery; /* NULL: everything is done here */
	void *state;             /* of what is done here, NULL: nothing was */
	struct nursery_child now;
	bool working; /* there is such a child */
	VEC(struct job) queue;
	size_t first, sent; /* in the queue: where it begins, how many of it are with the child */
	int64_t since;      /* CLOCK_MONOTONIC ns: the first one is being done */
	int64_t hung;       /* the last time that one hung */
	int64_t seen;       /* one was seen to get on */
	unsigned long long waits; /* how often it had waited then */
	struct buf in;
	VEC(struct stall) stalls;
	VEC(int) left; /* pidfds */
};

/* --- in the other process ----------------------------------------------------------------------- */

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

/* Head and content of an answer in one piece. */
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

/* Answers the questions that are whole in @in and removes them. */
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

/* Reads what is there, at least a byte; false: the end. */
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

/* --- the queue ---------------------------------------------------------------------------------- */

static size_t waiting(const struct aside *a)
{
	return a->queue.len - a->first;
}

static struct job *first_job(struct aside *a)
{
	return &a->queue.at[a->first];
}

/* The first one is answered. */
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

/* --- subjects that hang ------------------------------------------------------------------------- */

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

/* May it be asked about? The one that hangs in it is to be back, and its time is to be over. */
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

/* Those that have come back are no more: their descriptors are closed. */
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

/* --- the process that works --------------------------------------------------------------------- */

/* Its pidfd, -1: it cannot be kept. */
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

/* False: it takes no more now. Questions are small beside what a socket holds. */
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

/* In this process: no other one could be made. */
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

/* The first one, if nobody works. True: it is answered. */
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

/* What hangs is not asked about; the others go to the process, as many as it may have. */
static void feed(struct aside *a)
{
	while (waiting(a) > a->sent && a->sent < WINDOW) {
		const struct job *next = &a->queue.at[a->first + a->sent];

		if (!a->sent && serve_otherwise(a))
			continue;
		if (!may_ask(a, next->subject) || !send_next(a))
			return; /* when it is the first one */
	}
}

/* Takes the answers that are whole. */
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

/* It ended at its first question. */
static void bury(struct aside *a)
{
	leave_behind(a);
	if (waiting(a))
		finish(a, -EIO, NULL, 0);
}

/* --- patience ----------------------------------------------------------------------------------- */

/*
 * How it is with the one that works: does it run, or would like to, and how often has it waited since it
 * began? Whoever hangs waits once.
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

/* Slow files are read in many pieces. */
static bool gets_on(struct aside *a, int64_t now)
{
	struct pulse p = pulse_of(a->now.pid);
	bool waited = p.waits != a->waits;

	a->waits = p.waits;
	return (p.state == 'R' && now < a->since + BUSY_NS) || (waited && now < a->since + SLOW_NS);
}

/* ns until the first one has had its time; it then may be given up. */
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

/* --- questions ---------------------------------------------------------------------------------- */

/* One step; waits for an answer up to @wait_ns (but not longer than it may take). */
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
	/* Once more: this process may have got no CPU since it last looked. */
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

/* Answers are not waited for one by one: who sends one then need not wake anybody. */
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

/* Whose answer is waited for. */
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

/* --- opening ------------------------------------------------------------------------------------ */

struct aside *aside_new(const struct aside_ops *ops)
{
	struct aside *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return NULL;
	a->ops = ops;
	a->nursery = nursery_new(work, ops, &err);
	return a;
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
