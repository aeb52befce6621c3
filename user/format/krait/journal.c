/* SPDX-License-Identifier: BSD-2-Clause */
#include "format/krait/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "format/krait/store.h"

struct journal {
	const struct out_file *file;
	char *name; /* FILE.part */
	int fd;
	off_t size; /* size up to the last complete flush */
	struct store *store;
	struct buf pending; /* not written yet */
	bool ended, named;
};

static int open_part(struct journal *j, struct err *err)
{
	j->fd = open(j->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (j->fd < 0 && errno == EEXIST)
		return err_set(err, -EEXIST,
			       "output: '%s': exists: another krait is writing it, or left it "
			       "unfinished ('krait report' can read it); move it away, or choose "
			       "another file with -o",
			       j->name);
	if (j->fd < 0)
		return err_set(err, -errno, "output: '%s': %m", j->name);
	out_file_own(j->file, j->fd);
	return 0;
}

struct journal *journal_new(const struct out_file *f, struct err *err)
{
	struct journal *j = calloc(1, sizeof(*j));
	int code = -ENOMEM;

	if (j) {
		j->file = f;
		j->fd = -1;
		j->store = store_new();
		if (j->store && asprintf(&j->name, "%s.part", f->target) > 0)
			code = open_part(j, err);
	}
	if (!code)
		return j;
	if (code == -ENOMEM)
		err_set(err, code, "output: out of memory");
	journal_free(j);
	return NULL;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0 && !j->size)
		unlink(j->name);
	close_fd(&j->fd);
	free(j->name);
	store_free(j->store);
	buf_done(&j->pending);
	free(j);
}

/* Writes all pending data, or none of it. */
static int flush(struct journal *j, struct err *err)
{
	size_t done = 0;

	while (done < j->pending.len) {
		ssize_t n = write(j->fd, j->pending.data + done, j->pending.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int code = n ? -errno : -EIO;

			if (ftruncate(j->fd, j->size) || lseek(j->fd, j->size, SEEK_SET) < 0)
				code = -errno;
			return out_file_failed(j->file, code, err);
		}
		done += n;
	}
	j->size += done;
	buf_clear(&j->pending);
	return 0;
}

int journal_add(struct journal *j, const struct profile *p, const struct stacks *s, uint64_t ms,
		struct err *err)
{
	int code = store_append(j->store, p, s, ms, &j->pending);

	return code ? out_file_failed(j->file, code, err) : flush(j, err);
}

static int give_name(struct journal *j, struct err *err)
{
	if (fsync(j->fd) || rename(j->name, j->file->target))
		return out_file_failed(j->file, -errno, err);
	j->named = true;
	return 0;
}

int journal_end(struct journal *j, struct err *err)
{
	int code = j->ended ? 0 : store_end(j->store, &j->pending);

	if (code)
		return out_file_failed(j->file, code, err);
	j->ended = true;
	code = flush(j, err);
	return code || j->named ? code : give_name(j, err);
}
