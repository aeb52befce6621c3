/* SPDX-License-Identifier: BSD-2-Clause */
/* Each function reads one file or directory under /proc. */
#include "proc/procfs.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/num.h"

/* PF_KTHREAD of a task's flags. */
enum { KTHREAD = 0x200000 };

/* A short path in /proc/PID. */
struct pid_path {
	char s[48];
};

static struct pid_path pid_path(pid_t pid, const char *name)
{
	struct pid_path p;

	snprintf(p.s, sizeof(p.s), "/proc/%d/%s", pid, name);
	return p;
}

/* A missing file in /proc/PID means that the process is gone. */
static int pid_error(int err)
{
	return err == ENOENT ? -ESRCH : -err;
}

/* Reads up to @size - 1 bytes and appends a NUL. Returns the length or -errno. */
static ssize_t file_read(const char *path, char *ret, size_t size)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (len < size - 1) {
		n = read(fd, ret + len, size - 1 - len);
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += n;
	}
	ret[len] = '\0';
	return len;
}

static int read_stat(const char *path, struct proc_stat *ret)
{
	struct proc_stat st = {};
	char text[1024], *open_paren, *close_paren;
	ssize_t len;

	len = file_read(path, text, sizeof(text));
	if (len < 0)
		return pid_error(-len);
	/* A comm may hold parentheses; the fields after it do not, so the last one ends it. */
	open_paren = strchr(text, '(');
	close_paren = strrchr(text, ')');
	if (!open_paren || !close_paren || close_paren < open_paren)
		return -ESRCH;
	*close_paren = '\0';
	snprintf(st.comm, sizeof(st.comm), "%s", open_paren + 1);
	/*
	 * After comm: state, ppid, 4 fields, flags, 4 fields, utime, stime, 4 fields, threads, a
	 * field, starttime, 5 fields, startstack.
	 */
	if (sscanf(close_paren + 1,
		   " %c %d %*s %*s %*s %*s %u %*s %*s %*s %*s %llu %llu"
		   " %*s %*s %*s %*s %u %*s %llu %*s %*s %*s %*s %*s %llu",
		   &st.state, &st.ppid, &st.flags, &st.utime_ticks, &st.stime_ticks, &st.threads,
		   &st.start_ticks, &st.start_stack) != 8)
		return -EINVAL;
	st.kthread = st.flags & KTHREAD;
	*ret = st;
	return 0;
}

int procfs_stat(pid_t pid, struct proc_stat *ret)
{
	return read_stat(pid_path(pid, "stat").s, ret);
}

int procfs_thread_stat(pid_t pid, pid_t tid, struct proc_stat *ret)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	return read_stat(path, ret);
}

bool procfs_has_thread(pid_t pid, pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, tid);
	return !access(path, F_OK);
}

uint64_t procfs_cpu_ticks(pid_t pid)
{
	struct proc_stat stat;

	return procfs_stat(pid, &stat) ? 0 : stat.utime_ticks + stat.stime_ticks;
}

/* "NSpid:\t7412\t1": one id for each pid namespace of the process, the innermost last. */
static pid_t innermost(const char *line)
{
	return strtol(strrchr(line, '\t') + 1, NULL, 10);
}

int procfs_ids(pid_t pid, struct proc_ids *ret)
{
	_fclose_ FILE *f = fopen(pid_path(pid, "status").s, "re");
	struct proc_ids ids = { .tgid = pid, .ns_pid = pid }; /* for kernels without namespaces */
	_free_ char *line = NULL;
	size_t size = 0;
	bool uid = false;

	if (!f)
		return pid_error(errno);
	/* The process's name, on the first line, cannot fake another line: its newlines are escaped. */
	while (getline(&line, &size, f) >= 0) {
		if (!strncmp(line, "Uid:\t", 5)) {
			ids.uid = strtoul(line + 5, NULL, 10);
			uid = true;
		}
		if (!strncmp(line, "Tgid:\t", 6))
			ids.tgid = strtol(line + 6, NULL, 10);
		if (!strncmp(line, "NSpid:\t", 7))
			ids.ns_pid = innermost(line);
	}
	if (!uid)
		return -ESRCH;
	*ret = ids;
	return 0;
}

ssize_t procfs_arguments(pid_t pid, char *ret, size_t size)
{
	ssize_t len = file_read(pid_path(pid, "cmdline").s, ret, size);

	if (len < 0)
		return pid_error(-len);
	while (len && !ret[len - 1])
		len--;
	return len;
}

/* --- lists ------------------------------------------------------------------------------------ */

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int by_number(const void *a, const void *b)
{
	return *(const pid_t *)a < *(const pid_t *)b ? -1 : *(const pid_t *)a > *(const pid_t *)b;
}

/* Appends the directory entries whose names are numbers. */
static int list(const char *path, procfs_pids *ret)
{
	_cleanup_(close_dir) DIR *d = opendir(path);
	const struct dirent *e;
	uint64_t id;
	int err = 0;

	if (!d)
		return pid_error(errno);
	while (!err && (e = readdir(d)))
		if (!num_uint(e->d_name, 1, INT_MAX, &id))
			err = vec_push(ret, (pid_t)id);
	if (ret->len)
		qsort(ret->at, ret->len, sizeof(*ret->at), by_number);
	return err;
}

int procfs_list(procfs_pids *ret)
{
	return list("/proc", ret);
}

int procfs_list_threads(pid_t pid, procfs_pids *ret)
{
	return list(pid_path(pid, "task").s, ret);
}

/* --- the executable --------------------------------------------------------------------------- */

int procfs_exe(pid_t pid, char *ret, size_t size)
{
	ssize_t n = readlink(pid_path(pid, "exe").s, ret, size);

	if (n < 0 && errno == ENOENT)
		/* A kernel thread has a directory, but no executable. */
		return access(pid_path(pid, "").s, F_OK) ? -ESRCH : -ENOENT;
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	ret[n] = '\0';
	return 0;
}

int procfs_open_exe(pid_t pid)
{
	int fd = open(pid_path(pid, "exe").s, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return access(pid_path(pid, "").s, F_OK) ? -ESRCH : -ENOENT;
	return fd < 0 ? -errno : fd;
}

int procfs_headers(pid_t pid, uint64_t *ret)
{
	enum { ENTRIES = 64 }; /* some 20 are used */
	uint64_t pairs[2 * ENTRIES + 1];
	ssize_t len = file_read(pid_path(pid, "auxv").s, (char *)pairs, sizeof(pairs));

	if (len < 0)
		return pid_error(-len);
	for (size_t i = 0; i + 2 <= len / sizeof(pairs[0]) && pairs[i] != AT_NULL; i += 2) {
		if (pairs[i] != AT_PHDR)
			continue;
		*ret = pairs[i + 1];
		return 0;
	}
	return -ENOENT;
}

size_t procfs_resident(void)
{
	_fclose_ FILE *f = fopen("/proc/self/statm", "re");
	unsigned long size, resident;

	return f && fscanf(f, "%lu %lu", &size, &resident) == 2 ? resident * sysconf(_SC_PAGESIZE)
								: 0;
}
