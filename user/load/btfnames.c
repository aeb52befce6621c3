/* SPDX-License-Identifier: BSD-2-Clause */
#include "load/btfnames.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/btf.h>

#include "base/cleanup.h"

enum { STRINGS_MAX = 64 << 20, NAME_MAX_LEN = 64 };

struct btfnames {
	size_t len;
	char strings[]; /* each ends with a NUL, and the first is empty */
};

/* sysfs returns at most a page for each read. */
static bool read_all(int fd, void *to, size_t len, off_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)to + done, len - done, at + done);

		if (n <= 0) {
			errno = n ? errno : EBADMSG;
			return false;
		}
		done += n;
	}
	return true;
}

struct btfnames *btfnames_read(const char *path)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct btfnames *b = NULL;
	struct btf_header h;

	if (fd < 0 || !read_all(fd, &h, sizeof(h), 0))
		return NULL;
	if (h.magic == BTF_MAGIC && h.str_len <= STRINGS_MAX)
		b = malloc(sizeof(*b) + h.str_len);
	else
		errno = EBADMSG;
	if (!b)
		return NULL;
	b->len = h.str_len;
	if (read_all(fd, b->strings, b->len, (off_t)h.hdr_len + h.str_off))
		return b;
	free(b);
	return NULL;
}

void btfnames_free(struct btfnames *b)
{
	free(b);
}

bool btfnames_has(const struct btfnames *b, const char *name)
{
	char whole[NAME_MAX_LEN + 2] = "";
	size_t len = strlen(name);

	if (len > NAME_MAX_LEN)
		return false;
	memcpy(whole + 1, name, len);
	return memmem(b->strings, b->len, whole, len + 2);
}
