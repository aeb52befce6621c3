/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/rmem: a child's memory, up to its last byte. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "proc/rmem.h"
#include "tap.h"

/* A child with three pages: two contain a pattern, the last one is not mapped. */
struct target {
	pid_t pid;
	unsigned char *pages;
	size_t page;
};

static bool fill_pages(const void *ctx)
{
	const struct target *t = ctx;

	for (size_t i = 0; i < 2 * t->page; i++)
		t->pages[i] = i * 7;
	return !munmap(t->pages + 2 * t->page, t->page);
}

/* Only the child writes to the pages, so the pattern cannot come from our own copy. */
static struct target target_start(void)
{
	struct target t = { .page = sysconf(_SC_PAGESIZE) };

	t.pages =
		mmap(NULL, 3 * t.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t.pages == MAP_FAILED)
		abort();
	t.pid = child_start(fill_pages, &t);
	return t;
}

static void target_stop(struct target *t)
{
	child_stop(t->pid);
	munmap(t->pages, 3 * t->page);
}

TEST(reads_exactly)
{
	struct target t = target_start();
	unsigned char *buf = malloc(2 * t.page);
	size_t i, wrong = 0;

	CHECK_EQ(rmem_read(t.pid, (uintptr_t)t.pages, buf, 2 * t.page), 0);
	for (i = 0; i < 2 * t.page; i++)
		wrong += buf[i] != (unsigned char)(i * 7);
	CHECK_EQ(wrong, 0);
	CHECK_EQ(rmem_read(t.pid, (uintptr_t)t.pages + t.page - 3, buf, 7), 0);
	CHECK_EQ(buf[6], (unsigned char)((t.page + 3) * 7));
	CHECK_EQ(t.pages[1], 0);
	free(buf);
	target_stop(&t);
}

TEST(partial_read_is_an_error)
{
	struct target t = target_start();
	uint64_t end = (uintptr_t)t.pages + 2 * t.page;
	unsigned char buf[16];

	CHECK_EQ(rmem_read(t.pid, end - 16, buf, 16), 0);
	CHECK_EQ(rmem_read(t.pid, end - 15, buf, 16), -EFAULT);
	CHECK_EQ(rmem_read(t.pid, end - 1, buf, 16), -EFAULT);
	CHECK_EQ(rmem_read(t.pid, end, buf, 16), -EFAULT);
	target_stop(&t);
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
	struct target t = target_start();
	char buf[16];
	size_t i;

	for (i = 0; i < sizeof(addrs) / sizeof(*addrs); i++)
		if (!CHECK_EQ(rmem_read(t.pid, addrs[i], buf, sizeof(buf)), -EFAULT))
			printf("#   at %#llx\n", (unsigned long long)addrs[i]);
	target_stop(&t);
}

TEST(empty_read_succeeds)
{
	CHECK_EQ(rmem_read(getpid(), 0, NULL, 0), 0);
}

TEST(gone_process)
{
	struct target t = target_start();
	siginfo_t info;
	char buf[8];

	kill(t.pid, SIGKILL);
	CHECK_EQ(waitid(P_PID, t.pid, &info, WEXITED | WNOWAIT), 0);
	CHECK_EQ(rmem_read(t.pid, (uintptr_t)t.pages, buf, sizeof(buf)), -ESRCH);
	waitpid(t.pid, NULL, 0);
	CHECK_EQ(rmem_read(t.pid, (uintptr_t)t.pages, buf, sizeof(buf)), -ESRCH);
	munmap(t.pages, 3 * t.page);
}

/* Reads memory of process 1 as an unprivileged user; returns the error. */
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
