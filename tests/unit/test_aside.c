/* SPDX-License-Identifier: BSD-2-Clause */
/* base/aside: a worker process that works, hangs, is busy, dies, or is left behind. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/beside.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "tap.h"

enum op { ECHO, HANG, BUSY, SLOW, DIE, LARGE, COUNT, PID, FILES };
enum { LARGE_SIZE = 4 << 20, BUSY_NS = 400000000, SECOND = 1000000000 };

/* The worker's state: the number of questions it was asked. */
static void *open_state(void)
{
	return calloc(1, sizeof(uint64_t));
}

static void be_busy(void)
{
	int64_t end = clock_ns() + BUSY_NS;

	while (clock_ns() < end)
		;
}

/* Blocks again and again, like a read of a large file from a slow disk. */
static void be_slow(void)
{
	const struct timespec piece = { .tv_nsec = 10000000 };

	for (int i = 0; i < 40; i++)
		nanosleep(&piece, NULL);
}

static void add_large(struct buf *out)
{
	_free_ char *bytes = malloc(LARGE_SIZE);

	memset(bytes, 'x', LARGE_SIZE);
	buf_add(out, bytes, LARGE_SIZE);
}

/* The worker's descriptors: a bit for each. */
static void add_files(struct buf *out)
{
	uint64_t open = 0;

	for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
		open |= (uint64_t)(fcntl(fd, F_GETFD) >= 0) << fd;
	buf_add(out, &open, sizeof(open));
}

static int serve(void *state, uint32_t op, const void *ask, size_t len, struct buf *out)
{
	uint64_t *count = state;
	pid_t pid = getpid();

	++*count;
	if (op == ECHO)
		buf_add(out, ask, len);
	if (op == HANG)
		pause();
	if (op == BUSY)
		be_busy();
	if (op == SLOW)
		be_slow();
	if (op == DIE)
		raise(SIGKILL);
	if (op == LARGE)
		add_large(out);
	if (op == COUNT)
		buf_add(out, count, sizeof(*count));
	if (op == PID)
		buf_add(out, &pid, sizeof(pid));
	if (op == FILES)
		add_files(out);
	return op + 100;
}

static const struct aside_ops ops = { open_state, free, serve, "test-aside" };

static void aside_freep(struct aside **a)
{
	aside_free(*a);
}

#define _aside_ _cleanup_(aside_freep)

/* An answer, and its place in the sequence of answers. */
struct got {
	int code, order;
	size_t len;
	char data[64];
	int *next;
};

static void take(void *ctx, int code, const void *data, size_t len)
{
	struct got *g = ctx;

	g->code = code;
	g->len = len;
	if (len)
		memcpy(g->data, data, len < sizeof(g->data) ? len : sizeof(g->data));
	if (g->next)
		g->order = ++*g->next;
}

static struct got ask(struct aside *a, pid_t subject, enum op op, const char *text)
{
	struct got g = {};

	CHECK_EQ(aside_ask(a, subject, op, text, strlen(text), take, &g), 0);
	return g;
}

static uint64_t count_of(struct aside *a)
{
	struct got g = ask(a, 9, COUNT, "");
	uint64_t count;

	memcpy(&count, g.data, sizeof(count));
	return count;
}

TEST(answer_arrives_within_the_call)
{
	_aside_ struct aside *a = aside_new(&ops);
	struct got g = ask(a, 1, ECHO, "hello");
	pid_t pid;

	CHECK_EQ(g.code, ECHO + 100);
	CHECK(g.len == 5 && !memcmp(g.data, "hello", 5));
	g = ask(a, 1, PID, "");
	memcpy(&pid, g.data, sizeof(pid));
	CHECK(pid != getpid()); /* the worker */
	CHECK_EQ(count_of(a), 3);
	CHECK_EQ(ask(a, 1, LARGE, "").len, LARGE_SIZE);
}

static uint64_t files_of(struct aside *a)
{
	struct got g = ask(a, 1, FILES, "");
	uint64_t open;

	CHECK_EQ(g.len, sizeof(open));
	memcpy(&open, g.data, sizeof(open));
	return open;
}

TEST(workers_inherit_one_file_if_asked_for)
{
	int low = open("/dev/null", O_RDONLY | O_CLOEXEC), high = fcntl(low, F_DUPFD_CLOEXEC, 40);
	uint64_t one;

	for (int i = 0; i < 3; i++) {
		int keep = i == 0 ? -1 : i == 1 ? low : high;
		_aside_ struct aside *a = aside_new_with(&ops, keep);

		one = files_of(a);
		CHECK_EQ(__builtin_popcountll(one), keep < 0 ? 1 : 2); /* its line, and that one */
		CHECK(keep < 0 || one >> keep & 1);
	}
	close(low);
	close(high);
}

TEST(questions_are_bounded)
{
	static const char long_one[ASIDE_ASK_MAX + 1];
	_aside_ struct aside *a = aside_new(&ops);
	struct got g = {};

	CHECK_EQ(aside_ask(a, 1, ECHO, long_one, ASIDE_ASK_MAX, take, &g), 0);
	CHECK_EQ(g.len, ASIDE_ASK_MAX);
	CHECK_EQ(aside_ask(a, 1, ECHO, long_one, ASIDE_ASK_MAX + 1, take, &g), -EINVAL);
}

TEST(answers_come_in_order)
{
	enum { N = 500 };
	_aside_ struct aside *a = aside_new(&ops);
	struct got all[N] = {};
	int next = 0, right = 0;

	for (int i = 0; i < N; i++) {
		all[i].next = &next;
		aside_post(a, i, ECHO, &i, sizeof(i), take, &all[i]);
	}
	aside_settle(a);
	for (int i = 0; i < N; i++)
		right += all[i].order == i + 1 && all[i].code == ECHO + 100 &&
			 !memcmp(all[i].data, &i, sizeof(i));
	CHECK_EQ(right, N);
}

TEST(blocking_question_comes_first)
{
	enum { N = 200 };
	_aside_ struct aside *a = aside_new(&ops);
	struct got all[N] = {};
	int next = 0;

	for (int i = 0; i < N; i++) {
		all[i].next = &next;
		aside_post(a, i, ECHO, "", 0, take, &all[i]);
	}
	CHECK_EQ(ask(a, 1, ECHO, "").code, ECHO + 100);
	CHECK(next < N);
	aside_settle(a);
	CHECK_EQ(next, N);
}

TEST(hanging_worker_is_left_behind)
{
	_aside_ struct aside *a = aside_new(&ops);
	struct got before = {}, hung = {}, after = {};
	int64_t start = clock_ns();

	aside_post(a, 1, ECHO, "", 0, take, &before);
	aside_post(a, 2, HANG, "", 0, take, &hung);
	aside_post(a, 3, ECHO, "", 0, take, &after);
	aside_settle(a);
	CHECK_EQ(before.code, ECHO + 100);
	CHECK_EQ(hung.code, -ETIMEDOUT);
	CHECK_EQ(after.code, ECHO + 100);
	CHECK(clock_ns() - start < SECOND);
	/* Answered at once, and the worker is still the same. */
	CHECK_EQ(ask(a, 2, ECHO, "").code, -ETIMEDOUT);
	CHECK_EQ(count_of(a), 2);
}

TEST(hanging_subject_is_asked_again_later)
{
	_aside_ struct aside *a = aside_new(&ops);
	int64_t end;
	int code;

	CHECK_EQ(ask(a, 2, HANG, "").code, -ETIMEDOUT);
	end = clock_ns() + 10LL * SECOND;
	do {
		code = ask(a, 2, ECHO, "").code;
	} while (code == -ETIMEDOUT && clock_ns() < end);
	CHECK_EQ(code, ECHO + 100);
	CHECK_EQ(ask(a, 2, ECHO, "").code, ECHO + 100);
	CHECK_EQ(aside_left(a), 0); /* the worker that hung could be killed */
}

/* The total time is bounded even if many subjects hang. */
TEST(many_hanging_subjects)
{
	enum { N = 20 };
	_aside_ struct aside *a = aside_new(&ops);
	struct got all[2 * N] = {};
	int64_t start = clock_ns();
	int hung = 0, whole = 0;

	for (int i = 0; i < 2 * N; i++)
		aside_post(a, i, i % 2 ? ECHO : HANG, "", 0, take, &all[i]);
	aside_settle(a);
	for (int i = 0; i < 2 * N; i++) {
		hung += all[i].code == -ETIMEDOUT;
		whole += all[i].code == ECHO + 100;
	}
	CHECK_EQ(hung, N);
	CHECK_EQ(whole, N);
	CHECK(clock_ns() - start < 10LL * SECOND);
}

TEST(busy_worker_is_waited_for)
{
	_aside_ struct aside *a = aside_new(&ops);

	CHECK_EQ(ask(a, 1, BUSY, "").code, BUSY + 100);
	CHECK_EQ(ask(a, 1, SLOW, "").code, SLOW + 100);
}

TEST(worker_that_dies)
{
	_aside_ struct aside *a = aside_new(&ops);
	struct got died = {}, after = {};

	aside_post(a, 1, DIE, "", 0, take, &died);
	aside_post(a, 2, ECHO, "", 0, take, &after);
	aside_settle(a);
	CHECK_EQ(died.code, -EIO);
	CHECK_EQ(after.code, ECHO + 100);
}

TEST(turns_never_block)
{
	_aside_ struct aside *a = aside_new(&ops);
	struct got hung = {}, after = {};
	int64_t end = clock_ns() + 10LL * SECOND, longest = 0;

	aside_post(a, 1, HANG, "", 0, take, &hung);
	aside_post(a, 2, ECHO, "", 0, take, &after);
	while (!after.code && clock_ns() < end) {
		int64_t start = clock_ns();

		aside_turn(a);
		start = clock_ns() - start;
		longest = start > longest ? start : longest;
	}
	CHECK_EQ(hung.code, -ETIMEDOUT);
	CHECK_EQ(after.code, ECHO + 100);
	CHECK(longest < SECOND / 2);
}

TEST(free_answers_pending_questions)
{
	struct aside *a = aside_new(&ops);
	struct got hung = {}, after = {};

	aside_post(a, 1, HANG, "", 0, take, &hung);
	aside_post(a, 2, ECHO, "", 0, take, &after);
	aside_free(a);
	CHECK_EQ(hung.code, -ETIMEDOUT);
	CHECK_EQ(after.code, -ETIMEDOUT);
}

TEST(capabilities_follow)
{
	_aside_ struct aside *a = aside_new(&ops);

	CHECK_EQ(ask(a, 1, ECHO, "").code, ECHO + 100);
	CHECK_EQ(aside_follow(a), 0);
	CHECK_EQ(ask(a, 1, ECHO, "").code, ECHO + 100);
	CHECK_EQ(ask(a, 2, HANG, "").code, -ETIMEDOUT);
	CHECK_EQ(ask(a, 1, ECHO, "").code, ECHO + 100); /* by a new worker */
}

/* Without free descriptors no worker can be made, so serve() runs in this process. */
TEST(no_worker_can_be_made)
{
	_aside_ struct aside *a = aside_new(&ops);
	struct rlimit limit, none;
	struct got g;
	pid_t pid;

	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	g = ask(a, 1, PID, "");
	setrlimit(RLIMIT_NOFILE, &limit);
	memcpy(&pid, g.data, sizeof(pid));
	CHECK_EQ(g.code, PID + 100);
	CHECK_EQ(pid, getpid());
	g = ask(a, 1, PID, "");
	memcpy(&pid, g.data, sizeof(pid));
	CHECK(pid != getpid());
}

/* Reports through @keep whether @other is still open, which would be wrong. */
_Noreturn static void tell_files(int keep, int other)
{
	char wrong = write(other, "", 1) == 1;

	if (write(keep, &wrong, 1) != 1)
		_exit(1);
	pause();
	_exit(0);
}

/* If the new process kept the write end of a pipe, the pipe's reader would never see its end. */
TEST(worker_keeps_no_files_and_ignores_signals)
{
	int kept[2], other[2];
	char wrong = 2;
	pid_t pid;

	if (!CHECK_EQ(pipe(kept), 0) || !CHECK_EQ(pipe(other), 0))
		return;
	pid = beside_fork(&kept[1], 1);
	if (!pid)
		tell_files(kept[1], other[1]);
	close(kept[1]);
	close(other[1]);
	CHECK_EQ(read(kept[0], &wrong, 1), 1);
	CHECK_EQ(wrong, 0);
	CHECK_EQ(read(other[0], &wrong, 1), 0);
	kill(pid, SIGTERM);
	kill(pid, SIGINT);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	close(kept[0]);
	close(other[0]);
}
