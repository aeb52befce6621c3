/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void close_from_to(unsigned int first, unsigned int last)
{
	if (first > last || !syscall(SYS_close_range, first, last, 0))
		return;
	last = last < INT_MAX ? last : sysconf(_SC_OPEN_MAX);
	for (unsigned int fd = first; fd <= last; fd++)
		close(fd);
}

/* A program that reads krait's output through a pipe sees its end only when every writer has closed it. */
static void keep_files(const int *keep, size_t n)
{
	unsigned int next = STDERR_FILENO + 1;
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	for (size_t i = 0; i < n; i++) {
		close_from_to(next, keep[i] - 1);
		next = keep[i] + 1;
	}
	close_from_to(next, UINT_MAX);
}

pid_t beside_fork(const int *keep, size_t n)
{
	pid_t parent = getpid(), pid;
	sigset_t all, old;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid) {
		pid = pid < 0 ? -errno : pid;
		sigprocmask(SIG_SETMASK, &old, NULL);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	keep_files(keep, n);
	return 0;
}
