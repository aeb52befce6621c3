/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of /proc/PID/maps; one space separates the fields, several precede the path:
 *
 *   7f2c4a600000-7f2c4a628000 r-xp 00028000 fe:01 1234567      /usr/lib/libc.so.6 (deleted)
 *   start        end          perms offset  dev   inode        path
 *
 * The text lists all mappings; a Python has some hundred, of which one in five is executable. Since
 * 6.11 PROCMAP_QUERY returns only the next executable mapping of a file, as a struct, and blocks
 * the target's own mmap() calls for less time.
 */
#include "proc/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	BLOCK = 4096,         /* bytes that the kernel returns per read, at most */
	NAME = PATH_MAX + 64, /* a path, and what the kernel adds to it */
};

struct maps {
	FILE *file;
	char *line;
	size_t size;
	bool as_text;  /* the kernel has no PROCMAP_QUERY */
	uint64_t next; /* address of the next query */
	union {
		char block[BLOCK]; /* read buffer of the text */
		char name[NAME];   /* path in a query's answer */
	};
};

/* The kernel's struct procmap_query; headers before 6.11 do not have it. */
struct query {
	uint64_t size, flags, addr;            /* in */
	uint64_t start, end, perms, page_size; /* out */
	uint64_t offset, inode;                /* out */
	uint32_t dev_major, dev_minor;         /* out */
	uint32_t name_size, build_id_size;     /* in and out */
	uint64_t name, build_id;               /* in: addresses */
};

#define QUERY _IOWR('f', 17, struct query)

enum {
	PERM_READ = 1,
	PERM_WRITE = 2,
	PERM_EXEC = 4,
	OR_NEXT = 0x10, /* the mapping at an address, or the one after it */
	OF_FILE = 0x20,
};

#define DELETED " (deleted)"

static int proc_error(int err)
{
	return err == ENOENT ? -ESRCH : -err;
}

struct maps *maps_open(pid_t pid, int *ret_err)
{
	struct maps *m = calloc(1, sizeof(*m));
	char path[32];

	if (!m) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	m->file = fopen(path, "re");
	if (!m->file) {
		*ret_err = proc_error(errno);
		free(m);
		return NULL;
	}
	setvbuf(m->file, m->block, _IOFBF, sizeof(m->block));
	return m;
}

void maps_close(struct maps *m)
{
	if (!m)
		return;
	fclose(m->file);
	free(m->line);
	free(m);
}

int maps_next(struct maps *m, struct mapping *ret)
{
	ssize_t len;

	for (;;) {
		errno = 0;
		len = getline(&m->line, &m->size, m->file);
		if (len < 0)
			return feof(m->file) ? 0 : errno ? proc_error(errno) : -EIO;
		if (!maps_parse(m->line, ret))
			return 1;
	}
}

/* Parses a number in @base that ends with the character @end, and moves *@at past it. False: not one. */
static bool number(char **at, unsigned int base, char end, uint64_t *ret)
{
	char *p = *at;
	uint64_t v = 0;
	unsigned int digit;

	for (; *p != end; p++) {
		if (*p >= '0' && *p <= '9')
			digit = *p - '0';
		else if (*p >= 'a' && *p <= 'f')
			digit = *p - 'a' + 10;
		else
			return false;
		if (digit >= base || __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			return false;
	}
	if (p == *at)
		return false;
	*ret = v;
	*at = p + 1;
	return true;
}

/* Four letters and a space: "r-xp ". */
static bool permissions(char **at, struct mapping *ret)
{
	const char *p = *at;

	if ((p[0] != 'r' && p[0] != '-') || (p[1] != 'w' && p[1] != '-') ||
	    (p[2] != 'x' && p[2] != '-') || (p[3] != 'p' && p[3] != 's') || p[4] != ' ')
		return false;
	ret->read = p[0] == 'r';
	ret->write = p[1] == 'w';
	ret->exec = p[2] == 'x';
	*at += 5;
	return true;
}

/* Splits " (deleted)" off the path. */
static void file_path(char *at, struct mapping *ret)
{
	size_t len = strlen(at), note = strlen(DELETED);

	ret->deleted = len > note && !memcmp(at + len - note, DELETED, note);
	if (ret->deleted)
		len -= note;
	at[len] = '\0';
	ret->path = at;
}

int maps_parse(char *line, struct mapping *ret)
{
	struct mapping m = {};
	uint64_t dev_major, dev_minor;
	char *at = line, *end = line + strcspn(line, "\n");

	*end = '\0';
	if (!number(&at, 16, '-', &m.start) || !number(&at, 16, ' ', &m.end) ||
	    !permissions(&at, &m) || !number(&at, 16, ' ', &m.offset) ||
	    !number(&at, 16, ':', &dev_major) || !number(&at, 16, ' ', &dev_minor))
		return -EINVAL;
	if (!number(&at, 10, ' ', &m.inode)) {
		/* The line ends after the inode, without a space: there is no path. */
		if (!number(&at, 10, '\0', &m.inode))
			return -EINVAL;
		at = end;
	}
	if (m.start >= m.end || dev_major > UINT32_MAX || dev_minor > UINT32_MAX)
		return -EINVAL;
	m.dev = makedev(dev_major, dev_minor);
	file_path(at + strspn(at, " "), &m);
	*ret = m;
	return 0;
}

/* --- queries ---------------------------------------------------------------------------------- */

/*
 * Asks for the next executable mapping. 1: @q is filled, 0: no more, -errno. Leaves out a path that
 * is too long. A process whose memory is gone has no mappings; its text would be empty, too.
 */
static int ask(struct maps *m, struct query *q)
{
	*q = (struct query){
		.size = sizeof(*q),
		.flags = OR_NEXT | OF_FILE | PERM_EXEC,
		.addr = m->next,
		.name = (uintptr_t)m->name,
		.name_size = sizeof(m->name),
	};
	if (!ioctl(fileno(m->file), QUERY, q))
		return 1;
	if (errno == ENAMETOOLONG) {
		q->name = q->name_size = 0;
		if (!ioctl(fileno(m->file), QUERY, q))
			return 1;
	}
	return errno == ENOENT || errno == ESRCH ? 0 : -errno;
}

static void take_answer(struct maps *m, const struct query *q, struct mapping *ret)
{
	*ret = (struct mapping){
		.start = q->start,
		.end = q->end,
		.offset = q->offset,
		.dev = makedev(q->dev_major, q->dev_minor),
		.inode = q->inode,
		.read = q->perms & PERM_READ,
		.write = q->perms & PERM_WRITE,
		.exec = q->perms & PERM_EXEC,
	};
	if (!q->name_size)
		m->name[0] = '\0';
	file_path(m->name, ret);
}

static int next_by_question(struct maps *m, struct mapping *ret)
{
	struct query q;
	int got = ask(m, &q);

	if (got > 0) {
		m->next = q.end;
		take_answer(m, &q, ret);
	}
	return got;
}

int maps_next_code(struct maps *m, struct mapping *ret)
{
	int got;

	do {
		got = m->as_text ? maps_next(m, ret) : next_by_question(m, ret);
		if (got < 0 && !m->as_text && !m->next) {
			m->as_text = true; /* the first query failed: the kernel has none */
			got = maps_next(m, ret);
		}
	} while (got > 0 && (!ret->exec || !ret->inode));
	return got;
}

/* --- files ------------------------------------------------------------------------------------ */

/*
 * Opens @path_fd for reading if it is a regular file: only opening a device or fifo that a target
 * chose may already have effects.
 */
static int open_regular(int path_fd)
{
	char self[32];
	struct stat st;
	int fd;

	if (fstat(path_fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADF;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

enum { LINK = 80 };

static void map_link(pid_t pid, const struct mapping *m, char ret[LINK])
{
	snprintf(ret, LINK, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, m->start, m->end);
}

static int open_map_file(pid_t pid, const struct mapping *m)
{
	_close_ int fd = -1;
	char link[LINK];

	map_link(pid, m, link);
	fd = open(link, O_PATH | O_CLOEXEC);
	return fd < 0 ? proc_error(errno) : open_regular(fd);
}

/*
 * Opens the path as the target sees it. Symbolic links must not lead out of the target's root. The
 * path may name another file by now, so the inode is compared with the mapped one.
 */
static int open_in_root(pid_t pid, const struct mapping *m)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	_close_ int root = -1, fd = -1;
	char link[32];
	struct stat st;

	if (m->deleted || m->path[0] != '/')
		return -ENOENT;
	snprintf(link, sizeof(link), "/proc/%d/root", pid);
	root = open(link, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return proc_error(errno);
	fd = syscall(SYS_openat2, root, m->path, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		return -errno;
	return st.st_ino == m->inode ? open_regular(fd) : -ESTALE;
}

/* A deleted file has no path, but /proc/PID/exe leads to it if it is the executable. */
static int open_exe(pid_t pid, const struct mapping *m)
{
	_close_ int fd = -1;
	struct stat st;
	char link[32];

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	fd = open(link, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return proc_error(errno);
	if (fstat(fd, &st))
		return -errno;
	return st.st_ino == m->inode ? open_regular(fd) : -ENOENT;
}

int maps_open_file(pid_t pid, const struct mapping *m)
{
	int fd;

	if (!m->inode)
		return -ENOENT;
	fd = open_map_file(pid, m);
	if (fd >= 0 || fd == -EBADF)
		return fd;
	return m->deleted ? open_exe(pid, m) : open_in_root(pid, m);
}

int maps_stat_file(pid_t pid, const struct mapping *m, struct stat *ret)
{
	_close_ int fd = -1;
	char link[LINK];

	if (!m->inode)
		return -ENOENT;
	map_link(pid, m, link);
	if (!stat(link, ret))
		return 0;
	fd = maps_open_file(pid, m);
	if (fd < 0)
		return fd;
	return fstat(fd, ret) ? -errno : 0;
}
