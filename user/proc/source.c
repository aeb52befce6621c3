/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path comes from the target, and so may the file system: a path is resolved inside of the target's root, so
 * that no link leads out of it, and only regular files are read, to a limit.
 */
#include "proc/source.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	BYTES_MAX = 32 << 20, /* of a file, up to the line */
	LINE_MAX_BYTES = 300,
};

static int open_inside(const struct source_wanted *w)
{
	const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
				      .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	bool absolute = w->path[0] == '/';
	_close_ int folder = -1;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", w->pid, absolute ? "root" : "cwd");
	folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = folder < 0 ? -1 : syscall(SYS_openat2, folder, w->path, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

/* Appends the line that @f is at, without surrounding blanks. -ENOENT: it is empty, or there is none. */
static int add_line(FILE *f, struct buf *out)
{
	size_t start = out->len;
	int c;

	while ((c = getc_unlocked(f)) == ' ' || c == '\t' || c == '\f')
		;
	for (; c != EOF && c != '\n' && out->len - start < LINE_MAX_BYTES; c = getc_unlocked(f))
		buf_char(out, c);
	while (out->len > start && strchr(" \t\r\f", out->data[out->len - 1]))
		out->len--;
	return out->err ? out->err : out->len > start ? 0 : -ENOENT;
}

/* Moves @f to the beginning of a line. */
static int skip_lines(FILE *f, uint32_t n)
{
	size_t left = BYTES_MAX;
	int c;

	while (n) {
		c = getc_unlocked(f);
		if (c == EOF || !left--)
			return -ENOENT;
		n -= c == '\n';
	}
	return 0;
}

int source_read(const struct source_wanted *w, struct buf *out)
{
	struct source_found found = {};
	_close_ int fd = open_inside(w);
	_fclose_ FILE *f = NULL;
	size_t start = out->len;
	struct stat st;
	int err;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !w->line)
		return -ENOENT;
	f = fdopen(fd, "r");
	if (!f)
		return -errno;
	take_fd(&fd);
	found.newer = st.st_mtime > w->started;
	buf_add(out, &found, sizeof(found));
	err = skip_lines(f, w->line - 1);
	if (!err)
		err = add_line(f, out);
	if (err)
		out->len = start;
	return err;
}
