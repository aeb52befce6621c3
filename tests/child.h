/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A forked child process for unit tests: it prepares itself, reports that it is ready, and pauses
 * until child_stop(). It dies with its parent. A failure here says nothing about krait, so it
 * aborts.
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

/* Runs in the child. True: the child is in the state that the test needs. */
typedef bool (*child_fn)(const void *ctx);

static inline void child_run(child_fn prepare, const void *ctx, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!prepare(ctx) || write(ready, "r", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Returns once @prepare has succeeded; child_stop() ends the child. */
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
	/* Close first: if the child fails, read() then returns 0 instead of blocking forever. */
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
