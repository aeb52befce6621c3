/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/procfs: this process, children in chosen states, and names that look like fields. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "child.h"
#include "proc/procfs.h"
#include "tap.h"

static double uptime(void)
{
	_fclose_ FILE *f = fopen("/proc/uptime", "re");
	double up = 0;

	if (!f || fscanf(f, "%lf", &up) != 1)
		return -1;
	return up;
}

/* Runs in the child: changes its name. */
static bool take_name(const void *comm)
{
	return !prctl(PR_SET_NAME, comm);
}

TEST(stat_of_ourselves)
{
	volatile unsigned long spin;
	struct proc_stat st = {}, before = {};
	double ticks = sysconf(_SC_CLK_TCK);

	CHECK_EQ(procfs_stat(getpid(), &before), 0);
	do {
		for (spin = 0; spin < 1000000; spin++)
			;
		if (!CHECK_EQ(procfs_stat(getpid(), &st), 0))
			return;
	} while (st.utime_ticks < before.utime_ticks + 3);
	CHECK_EQ(st.ppid, getppid());
	CHECK_EQ(st.state, 'R');
	CHECK_STR(st.comm, "test_procfs");
	CHECK_EQ(st.start_ticks, before.start_ticks);
	CHECK(st.stime_ticks >= before.stime_ticks);
	/* Started within the last ten minutes, in time since boot. */
	CHECK(st.start_ticks / ticks <= uptime() + 0.1);
	CHECK(st.start_ticks / ticks > uptime() - 600);
}

TEST(comm_that_looks_like_fields)
{
	static const char *const comms[] = {
		"a) R 1 2 3 (b", ") Z 1",           "((((",      "))))",
		"a\nb c",        "fifteen letters", "\xff\xfe)", "%s%n",
	};
	struct proc_stat st;
	size_t i;

	for (i = 0; i < sizeof(comms) / sizeof(*comms); i++) {
		pid_t pid = child_start(take_name, comms[i]);

		CHECK_EQ(procfs_stat(pid, &st), 0);
		CHECK_STR(st.comm, comms[i]);
		CHECK_EQ(st.ppid, getpid());
		CHECK(st.state == 'S' || st.state == 'R');
		child_stop(pid);
	}
}

TEST(states)
{
	pid_t pid = child_start(take_name, "child");
	struct proc_stat st;
	siginfo_t info;

	kill(pid, SIGSTOP);
	CHECK_EQ(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT), 0);
	CHECK_EQ(procfs_stat(pid, &st), 0);
	CHECK_EQ(st.state, 'T');
	kill(pid, SIGKILL);
	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	CHECK_EQ(procfs_stat(pid, &st), 0);
	CHECK_EQ(st.state, 'Z');
	waitpid(pid, NULL, 0);
	CHECK_EQ(procfs_stat(pid, &st), -ESRCH);
}

TEST(gone_process)
{
	pid_t pid = child_start(take_name, "child");
	struct proc_stat st = { .ppid = 4711 };
	char path[PATH_MAX];

	child_stop(pid);
	CHECK_EQ(procfs_stat(pid, &st), -ESRCH);
	CHECK_EQ(st.ppid, 4711);
	CHECK_EQ(procfs_exe(pid, path, sizeof(path)), -ESRCH);
	CHECK_EQ(procfs_open_exe(pid), -ESRCH);
	CHECK_EQ(procfs_stat(0, &st), -ESRCH);
	CHECK_EQ(procfs_stat(-1, &st), -ESRCH);
}

TEST(exe_of_ourselves)
{
	char path[PATH_MAX] = "", want[PATH_MAX] = "", small[8];
	struct stat a, b;
	_close_ int fd = procfs_open_exe(getpid());

	CHECK(readlink("/proc/self/exe", want, sizeof(want) - 1) > 0);
	CHECK_EQ(procfs_exe(getpid(), path, sizeof(path)), 0);
	CHECK_STR(path, want);
	CHECK_EQ(procfs_exe(getpid(), small, sizeof(small)), -ENAMETOOLONG);
	/* One byte less than the terminator needs. */
	CHECK_EQ(procfs_exe(getpid(), path, strlen(want)), -ENAMETOOLONG);
	CHECK_EQ(procfs_exe(getpid(), path, strlen(want) + 1), 0);
	if (!CHECK(fd >= 0))
		return;
	CHECK(!fstat(fd, &a) && !stat(want, &b) && a.st_ino == b.st_ino);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* Copies this program to @path, from where it can be run and removed. */
static bool copy_self(const char *path)
{
	_close_ int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_close_ int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	struct stat st;
	off_t done = 0;

	if (from < 0 || to < 0 || fstat(from, &st))
		return false;
	while (done < st.st_size)
		if (sendfile(to, from, &done, st.st_size - done) <= 0)
			return false;
	return true;
}

/* Runs @path, which then blocks: its output goes into a full pipe. */
static pid_t exec_child(const char *path)
{
	int fds[2], ready[2];
	pid_t pid;
	char c;

	/* The exec closes @ready: end of file tells that it has happened. */
	if (pipe2(fds, O_NONBLOCK) || pipe2(ready, O_CLOEXEC))
		abort();
	while (write(fds[1], path, 1) == 1)
		;
	fcntl(fds[1], F_SETFL, 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], STDOUT_FILENO);
		execl(path, path, "--list", NULL);
		_exit(1);
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &c, 1) != 0)
		abort();
	close(ready[0]);
	close(fds[1]);
	return pid;
}

TEST(exe_that_was_deleted)
{
	char dir[] = "/tmp/test_procfs.XXXXXX", copy[64], got[PATH_MAX], want[96];
	struct stat a, b;
	pid_t pid;
	int fd;

	if (!CHECK(mkdtemp(dir)))
		return;
	snprintf(copy, sizeof(copy), "%s/copy", dir);
	snprintf(want, sizeof(want), "%s (deleted)", copy);
	if (CHECK(copy_self(copy)) && CHECK(!stat(copy, &a))) {
		pid = exec_child(copy);
		unlink(copy);
		CHECK_EQ(procfs_exe(pid, got, sizeof(got)), 0);
		CHECK_STR(got, want);
		fd = procfs_open_exe(pid);
		CHECK(fd >= 0 && !fstat(fd, &b) && a.st_ino == b.st_ino && a.st_size == b.st_size);
		close_fd(&fd);
		child_stop(pid);
	}
	rmdir(dir);
}

TEST(kernel_thread_has_no_exe)
{
	struct proc_stat st;
	char path[PATH_MAX];

	if (procfs_stat(2, &st) || strcmp(st.comm, "kthreadd"))
		SKIP("process 2 is not a kernel thread here");
	if (geteuid())
		SKIP("needs root");
	CHECK_EQ(procfs_exe(2, path, sizeof(path)), -ENOENT);
	CHECK_EQ(procfs_open_exe(2), -ENOENT);
}

TEST(kernel_threads)
{
	struct proc_stat st;

	CHECK_EQ(procfs_stat(getpid(), &st), 0);
	CHECK(!st.kthread);
	if (procfs_stat(2, &st) || strcmp(st.comm, "kthreadd"))
		SKIP("process 2 is not a kernel thread here");
	CHECK(st.kthread);
}

static void *wait_for_end(void *fd)
{
	char c;

	return read(*(int *)fd, &c, 1) ? fd : NULL;
}

TEST(threads)
{
	procfs_pids tids = {};
	struct proc_stat before, st;
	pthread_t thread;
	int fds[2];

	CHECK_EQ(procfs_stat(getpid(), &before), 0);
	if (pipe2(fds, O_CLOEXEC) || pthread_create(&thread, NULL, wait_for_end, &fds[0]))
		abort();
	CHECK_EQ(procfs_stat(getpid(), &st), 0);
	CHECK_EQ(st.threads, before.threads + 1);
	CHECK_EQ(procfs_list_threads(getpid(), &tids), 0);
	CHECK_EQ(tids.len, st.threads);
	if (tids.len > 1)
		CHECK(tids.at[0] == getpid() && tids.at[1] > tids.at[0]);
	vec_done(&tids);
	close(fds[1]);
	pthread_join(thread, NULL);
	close(fds[0]);
}

TEST(list_of_processes)
{
	pid_t pid = child_start(take_name, "child"), *it;
	bool us = false, child = false;
	procfs_pids pids = {};

	CHECK_EQ(procfs_list(&pids), 0);
	vec_each (&pids, it) {
		us |= *it == getpid();
		child |= *it == pid;
		CHECK(it == pids.at || it[-1] < *it);
	}
	CHECK(us && child);
	child_stop(pid);
	CHECK_EQ(procfs_list_threads(pid, &pids), -ESRCH);
	vec_done(&pids);
}

static bool become_nobody(const void *ctx)
{
	return !prctl(PR_SET_NAME, "Uid:\t4711\nNSpid") && !setresuid(65534, 65533, 65533);
}

TEST(ids)
{
	struct proc_ids ids = {};
	pid_t pid;

	CHECK_EQ(procfs_ids(getpid(), &ids), 0);
	CHECK_EQ(ids.uid, getuid());
	pid = child_start(take_name, "Uid:\t4711\nUid:\t");
	CHECK_EQ(procfs_ids(pid, &ids), 0);
	CHECK_EQ(ids.uid, getuid());
	child_stop(pid);
	ids.uid = 4711;
	CHECK_EQ(procfs_ids(pid, &ids), -ESRCH);
	CHECK_EQ(ids.uid, 4711);
	if (geteuid())
		SKIP("the check of another user needs root");
	pid = child_start(become_nobody, NULL);
	CHECK_EQ(procfs_ids(pid, &ids), 0);
	CHECK_EQ(ids.uid, 65534); /* the real uid */
	child_stop(pid);
}

/* Runs in the child: makes a PID namespace with one process, which the test examines. */
static bool enter_namespace(const void *shared)
{
	volatile pid_t *inside = *(volatile pid_t *const *)shared;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return true;
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	*inside = pid;
	return pid > 0;
}

TEST(pid_in_its_own_namespace)
{
	volatile pid_t *inside = mmap(NULL, sizeof(*inside), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct proc_ids ids;
	pid_t pid;

	CHECK_EQ(procfs_ids(getpid(), &ids), 0);
	CHECK_EQ(ids.ns_pid, getpid());
	CHECK_EQ(ids.tgid, getpid());
	pid = child_start(enter_namespace, &inside);
	if (*inside) {
		CHECK_EQ(procfs_ids(*inside, &ids), 0);
		CHECK_EQ(ids.ns_pid, 1);
		kill(*inside, SIGKILL);
	}
	child_stop(pid);
	if (!*inside)
		SKIP("cannot create PID namespaces here");
}

TEST(arguments)
{
	char text[4096], small[4] = "";
	pid_t pid;

	CHECK(procfs_arguments(getpid(), text, sizeof(text)) > 0);
	CHECK(strstr(text, "test_procfs"));
	CHECK_EQ(procfs_arguments(getpid(), small, sizeof(small)), 3);
	CHECK(!strncmp(small, text, 3));
	pid = child_start(take_name, "child");
	child_stop(pid);
	CHECK_EQ(procfs_arguments(pid, text, sizeof(text)), -ESRCH);
	if (!procfs_exe(2, text, sizeof(text)))
		SKIP("process 2 is not a kernel thread here");
	CHECK_EQ(procfs_arguments(2, text, sizeof(text)), 0);
}

TEST(arguments_of_another_program)
{
	char path[PATH_MAX] = "", want[PATH_MAX + 16], text[PATH_MAX + 16];
	ssize_t len;
	pid_t pid;

	CHECK_EQ(procfs_exe(getpid(), path, sizeof(path)), 0);
	pid = exec_child(path);
	len = snprintf(want, sizeof(want), "%s%c--list", path, '\0');
	CHECK_EQ(procfs_arguments(pid, text, sizeof(text)), len);
	CHECK(!memcmp(text, want, len));
	child_stop(pid);
}
