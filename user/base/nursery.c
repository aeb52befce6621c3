/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	owner ── SPAWN, the child's end of its line ──► nursery ── fork ──► child: run(line)
 *	      ◄───────── pid, pidfd ────────────────────┘
 */
#include "base/nursery.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/caps.h"
#include "base/cleanup.h"

struct nursery {
	int line;
	pid_t pid;
};

/* The code that a child runs. */
struct child_code {
	void (*run)(int line, const void *ctx);
	const void *ctx;
	int keep; /* a descriptor, or -1 */
};

enum what { SPAWN, FOLLOW };

struct order {
	enum what what;
	struct caps caps; /* FOLLOW */
};

struct reply {
	int err;
	pid_t pid;
};

/* --- messages with a descriptor --------------------------------------------------------------- */

union control {
	struct cmsghdr head;
	char space[CMSG_SPACE(sizeof(int))];
};

/* @fd: -1 for none. 0 or -errno. */
static int send_with(int line, const void *data, size_t len, int fd)
{
	struct iovec part = { (void *)data, len };
	union control control = {};
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *c = &control.head;

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(line, &m, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -errno;
}

/* *@ret_fd is -1 if no descriptor came. 0, -EPIPE (end of the stream) or -errno. */
static int receive_with(int line, void *data, size_t len, int *ret_fd)
{
	struct iovec part = { data, len };
	union control control = {};
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(line, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	*ret_fd = -1;
	if (n < 0)
		return -errno;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(c), sizeof(*ret_fd));
	return (size_t)n == len ? 0 : -EPIPE;
}

/* --- in the nursery --------------------------------------------------------------------------- */

/* beside_fork() that keeps one or two descriptors; @b may be -1. */
static pid_t fork_with(int a, int b)
{
	const int keep[] = { a < b || b < 0 ? a : b, a < b || b < 0 ? b : a };

	return beside_fork(keep, b < 0 ? 1 : 2);
}

/* A child ends at the latest when the owner closes its end of the line. */
static struct reply spawn(int line, const struct child_code *code, int *ret_pidfd)
{
	struct reply r = { .pid = line < 0 ? -EBADF : fork_with(line, code->keep) };

	if (!r.pid) {
		code->run(line, code->ctx);
		_exit(0);
	}
	*ret_pidfd = -1;
	if (r.pid > 0)
		*ret_pidfd = syscall(SYS_pidfd_open, r.pid, 0);
	r.err = r.pid < 0 ? r.pid : *ret_pidfd < 0 ? -errno : 0;
	return r;
}

static void obey(int line, const struct child_code *code, const struct order *o, int fd)
{
	_close_ int given = fd, pidfd = -1;
	struct reply r = {};

	if (o->what == SPAWN)
		r = spawn(given, code, &pidfd);
	else
		r.err = caps_set(&o->caps);
	send_with(line, &r, sizeof(r), pidfd);
}

static void serve(int line, const struct child_code *code)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct order o;
	int fd;

	prctl(PR_SET_NAME, "krait-nursery");
	sigaction(SIGCHLD, &ignore, NULL); /* the kernel reaps the children */
	while (!receive_with(line, &o, sizeof(o), &fd))
		obey(line, code, &o, fd);
}

/* --- in the owner ----------------------------------------------------------------------------- */

struct nursery *nursery_new(void (*run)(int line, const void *ctx), const void *ctx, int keep,
			    int *ret_err)
{
	const struct child_code code = { run, ctx, keep };
	_free_ struct nursery *n = calloc(1, sizeof(*n));
	int line[2];
	pid_t pid;

	*ret_err = -ENOMEM;
	if (!n)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line)) {
		*ret_err = -errno;
		return NULL;
	}
	pid = fork_with(line[1], keep);
	if (!pid) {
		serve(line[1], &code);
		_exit(0);
	}
	close(line[1]);
	n->line = line[0];
	n->pid = pid;
	if (pid > 0)
		return take_ptr(n);
	close(line[0]);
	*ret_err = pid;
	return NULL;
}

void nursery_free(struct nursery *n)
{
	if (!n)
		return;
	close(n->line);
	waitpid(n->pid, NULL, 0); /* it touches no file, so it ends */
	free(n);
}

static int order(struct nursery *n, const struct order *o, int fd, struct reply *r, int *ret_fd)
{
	int err = send_with(n->line, o, sizeof(*o), fd);

	if (!err)
		err = receive_with(n->line, r, sizeof(*r), ret_fd);
	return err ? err : r->err;
}

int nursery_spawn(struct nursery *n, struct nursery_child *ret)
{
	const struct order o = { .what = SPAWN };
	struct reply r;
	int line[2], err, pidfd = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line))
		return -errno;
	err = order(n, &o, line[1], &r, &pidfd);
	close(line[1]);
	if (err) {
		close(line[0]);
		close_fd(&pidfd);
		return err;
	}
	*ret = (struct nursery_child){ .pid = r.pid, .pidfd = pidfd, .line = line[0] };
	return 0;
}

int nursery_follow(struct nursery *n)
{
	struct order o = { .what = FOLLOW };
	struct reply r;
	int none, err = caps_get(&o.caps);

	return err ? err : order(n, &o, -1, &r, &none);
}
