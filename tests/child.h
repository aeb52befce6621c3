/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children of unit tests: a fork that prepares itself, says so, and waits to be looked at. It dies
 * with its parent. What goes wrong here is no finding about krait, so it aborts.
 */
#ifndef KRAIT_CHILD_H
#define KRAIT_CHILD_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: true if it is as the test wants it. */
typedef bool (*child_fn)(const void *ctx);

static inline void child_run(child_fn prepare, const void *ctx, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!prepare(ctx) || write(ready, "r", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Returns when @prepare did; child_stop() ends it. */
static inline pid_t child_start(child_fn prepare, const void *ctx)
{
	char ready;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		abort();
	pid = fork();
	if (!pid)
		child_run(prepare, ctx, fds[1]);
	/* Closed first: a child that fails is an end of file, not a wait for ever. */
	close(fds[1]);
	if (pid < 0 || read(fds[0], &ready, 1) != 1)
		abort();
	close(fds[0]);
	return pid;
}

static inline void child_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#endif
