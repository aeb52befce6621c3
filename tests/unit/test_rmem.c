/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/rmem: a child's memory, up to the byte where it ends. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/rmem.h"
#include "tap.h"

/* A child with three pages: the first two hold a pattern, the last one is not mapped. */
struct child {
	pid_t pid;
	unsigned char *pages;
	size_t page;
};

static struct child child_start(void)
{
	struct child c = { .page = sysconf(_SC_PAGESIZE) };
	char ready;
	size_t i;
	int fds[2];

	c.pages =
		mmap(NULL, 3 * c.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c.pages == MAP_FAILED || pipe(fds))
		abort();
	c.pid = fork();
	if (!c.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (i = 0; i < 2 * c.page; i++)
			c.pages[i] = i * 7;
		munmap(c.pages + 2 * c.page, c.page);
		if (write(fds[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	/* Only the child has written: what is read is not our own copy. */
	if (c.pid < 0 || read(fds[0], &ready, 1) != 1)
		abort();
	close(fds[0]);
	close(fds[1]);
	return c;
}

static void child_stop(struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	munmap(c->pages, 3 * c->page);
}

TEST(reads_exactly)
{
	struct child c = child_start();
	unsigned char *buf = malloc(2 * c.page);
	size_t i, wrong = 0;

	CHECK_EQ(rmem_read(c.pid, (uintptr_t)c.pages, buf, 2 * c.page), 0);
	for (i = 0; i < 2 * c.page; i++)
		wrong += buf[i] != (unsigned char)(i * 7);
	CHECK_EQ(wrong, 0);
	CHECK_EQ(rmem_read(c.pid, (uintptr_t)c.pages + c.page - 3, buf, 7), 0);
	CHECK_EQ(buf[6], (unsigned char)((c.page + 3) * 7));
	CHECK_EQ(c.pages[1], 0);
	free(buf);
	child_stop(&c);
}

TEST(half_is_an_error)
{
	struct child c = child_start();
	uint64_t end = (uintptr_t)c.pages + 2 * c.page;
	unsigned char buf[16];

	CHECK_EQ(rmem_read(c.pid, end - 16, buf, 16), 0);
	CHECK_EQ(rmem_read(c.pid, end - 15, buf, 16), -EFAULT);
	CHECK_EQ(rmem_read(c.pid, end - 1, buf, 16), -EFAULT);
	CHECK_EQ(rmem_read(c.pid, end, buf, 16), -EFAULT);
	child_stop(&c);
}

TEST(absurd_addresses)
{
	static const uint64_t addrs[] = { 0,
					  8,
					  1ULL << 47,
					  0xdead000000000000ULL,
					  0xffffffff81000000ULL,
					  UINT64_MAX - 7,
					  UINT64_MAX };
	struct child c = child_start();
	char buf[16];
	size_t i;

	for (i = 0; i < sizeof(addrs) / sizeof(*addrs); i++)
		if (!CHECK_EQ(rmem_read(c.pid, addrs[i], buf, sizeof(buf)), -EFAULT))
			printf("#   at %#llx\n", (unsigned long long)addrs[i]);
	child_stop(&c);
}

TEST(nothing_is_always_there)
{
	CHECK_EQ(rmem_read(getpid(), 0, NULL, 0), 0);
}

TEST(gone_process)
{
	struct child c = child_start();
	siginfo_t info;
	char buf[8];

	kill(c.pid, SIGKILL);
	CHECK_EQ(waitid(P_PID, c.pid, &info, WEXITED | WNOWAIT), 0);
	CHECK_EQ(rmem_read(c.pid, (uintptr_t)c.pages, buf, sizeof(buf)), -ESRCH);
	waitpid(c.pid, NULL, 0);
	CHECK_EQ(rmem_read(c.pid, (uintptr_t)c.pages, buf, sizeof(buf)), -ESRCH);
	munmap(c.pages, 3 * c.page);
}

/* What a user without privileges gets for the memory of process 1. */
static int read_init_as_nobody(void)
{
	char buf[8];

	if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
		return -EINVAL;
	return rmem_read(1, (uintptr_t)&buf, buf, sizeof(buf));
}

TEST(other_user)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(-read_init_as_nobody());
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), EPERM);
}
