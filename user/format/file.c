/* SPDX-License-Identifier: BSD-2-Clause */
#include "format/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "format/stream.h"

static bool is_stdout(const struct out_file *f)
{
	return !strcmp(f->name, "-");
}

const char *out_file_words(const struct out_file *f)
{
	return is_stdout(f) ? "standard output" : f->name;
}

void out_file_done(struct out_file *f)
{
	free(f->target);
	f->target = NULL;
}

int out_file_failed(const struct out_file *f, int code, struct err *err)
{
	bool full = code == -ENOSPC || code == -EDQUOT;

	return err_set(err, code, "output: '%s': %s%s", out_file_words(f), strerror(-code),
		       full ? "; free some space, or choose another file with -o" : "");
}

/* --- symbolic links --------------------------------------------------------------------------- */

/* Fails if the first @len bytes of @path are a symbolic link whose owner is not trusted. */
static int check_link(const struct out_file *f, const char *path, size_t len, struct err *err)
{
	_free_ char *part = strndup(path, len);
	struct stat st;

	if (!part)
		return err_set(err, -ENOMEM, "output: out of memory");
	if (lstat(part, &st) || !S_ISLNK(st.st_mode) || !st.st_uid || st.st_uid == geteuid() ||
	    (f->owner.given && st.st_uid == f->owner.uid))
		return 0;
	return err_set(err, -ELOOP,
		       "output: '%s': not following '%s', a symbolic link of another user (uid "
		       "%u); choose another file with -o",
		       f->name, part, st.st_uid);
}

static int check_links(const struct out_file *f, const char *path, struct err *err)
{
	int code = 0;

	for (size_t i = 1; !code && path[i - 1]; i++)
		if (!path[i] || (path[i] == '/' && path[i - 1] != '/'))
			code = check_link(f, path, i, err);
	return code;
}

/* --- can it be written? ----------------------------------------------------------------------- */

static int resolve(struct out_file *f, struct err *err)
{
	f->target = realpath(f->name, NULL);
	return f->target ? 0 : err_set(err, -errno, "output: '%s': %m", f->name);
}

/* Checks a default name: nothing may exist there, as others may be able to write in the directory. */
static int check_own(struct out_file *f, struct err *err)
{
	_close_ int fd = open(f->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int code;

	if (fd < 0)
		return err_set(err, -errno, "output: '%s': %m; choose another file with -o",
			       f->name);
	code = resolve(f, err);
	if (!code)
		unlink(f->target);
	return code;
}

int out_file_check(struct out_file *f, struct err *err)
{
	_close_ int fd = -1;
	struct stat st;
	bool there;
	int code;

	if (is_stdout(f))
		return 0;
	if (!f->chosen)
		return check_own(f, err);
	code = check_links(f, f->name, err);
	if (code)
		return code;
	there = !stat(f->name, &st);
	fd = open(f->name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
	if (fd < 0 && errno != ENXIO)
		return err_set(err, -errno, "output: '%s': %m", f->name);
	code = resolve(f, err);
	if (!there && !code)
		unlink(f->target);
	return code;
}

/* --- writing ---------------------------------------------------------------------------------- */

struct job {
	const struct out_file *file;
	const struct format_ops *ops;
	const struct profile *profile;
	const struct stacks *stacks;
	const struct format_opts *opts;
};

static int write_plain(const struct job *j, FILE *to, struct err *err)
{
	int code = j->ops->write(j->profile, j->stacks, j->opts, to, err);

	return !code || code == -ENODATA ? code : out_file_failed(j->file, code, err);
}

static int write_gzipped(const struct job *j, FILE *to, struct err *err)
{
	FILE *through = gzip_open(to);
	int code = through ? write_plain(j, through, err) : out_file_failed(j->file, -ENOMEM, err);

	if (through && fclose(through) && !code)
		code = out_file_failed(j->file, -errno, err);
	if (!code && stream_flush(to))
		code = out_file_failed(j->file, -errno, err);
	return code;
}

static int write_to(const struct job *j, FILE *to, struct err *err)
{
	return j->file->gzip ? write_gzipped(j, to, err) : write_plain(j, to, err);
}

/* Takes ownership of @fd. */
static int write_fd(const struct job *j, int fd, struct err *err)
{
	FILE *to = fdopen(fd, "w");
	int code;

	if (!to) {
		close(fd);
		return out_file_failed(j->file, -errno, err);
	}
	code = write_to(j, to, err);
	if (fclose(to) && !code)
		code = out_file_failed(j->file, -errno, err);
	return code;
}

void out_file_own(const struct out_file *f, int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	fchmod(fd, 0666 & ~mask);
	if (f->owner.given && fchown(fd, f->owner.uid, f->owner.gid)) {
		/* Not an error: the file then belongs to the caller. */
	}
}

/* Renames at the end, so a reader sees the old profile or the new one, never a part. */
static int write_regular(const struct job *j, struct err *err)
{
	const struct out_file *f = j->file;
	_free_ char *temp = NULL;
	int fd, code;

	if (asprintf(&temp, "%s.XXXXXX", f->target) < 0)
		return err_set(err, -ENOMEM, "output: out of memory");
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "output: '%s': cannot create '%s': %m", f->name, temp);
	out_file_own(f, fd);
	code = write_fd(j, fd, err);
	if (!code && rename(temp, f->target))
		code = err_set(err, -errno, "output: '%s': %m", f->name);
	if (code)
		unlink(temp);
	return code;
}

static int open_existing(const struct out_file *f, bool wait)
{
	int fd = open(f->target, O_WRONLY | O_CLOEXEC | O_NOCTTY | (wait ? 0 : O_NONBLOCK));

	if (fd >= 0 && !wait)
		fcntl(fd, F_SETFL, 0);
	return fd < 0 ? -errno : fd;
}

static int write_existing(const struct job *j, bool wait, struct err *err)
{
	int fd = open_existing(j->file, wait);

	if (fd == -ENXIO)
		return err_set(err, fd, "output: '%s': no process reads from it", j->file->name);
	return fd < 0 ? out_file_failed(j->file, fd, err) : write_fd(j, fd, err);
}

bool out_file_regular(const struct out_file *f)
{
	struct stat st;

	return !is_stdout(f) && (!f->chosen || stat(f->target, &st) || S_ISREG(st.st_mode));
}

int out_file_write(const struct out_file *f, const struct format_ops *ops, const struct profile *p,
		   const struct stacks *s, const struct format_opts *o, bool wait, struct err *err)
{
	const struct job j = { f, ops, p, s, o };

	if (is_stdout(f))
		return write_to(&j, stdout, err);
	return out_file_regular(f) ? write_regular(&j, err) : write_existing(&j, wait, err);
}
