/* SPDX-License-Identifier: BSD-2-Clause */
/* Uses pread, never mmap: the file may be truncated while it is read, which would be a SIGBUS. */
#include "proc/elfsource.h"

#include <errno.h>
#include <unistd.h>

#include "proc/rmem.h"

static int file_read(int fd, uint64_t offset, void *buf, size_t len)
{
	ssize_t n;

	if (offset > INT64_MAX)
		return -EFAULT;
	while (len) {
		n = pread(fd, buf, len, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EFAULT;
		buf = (char *)buf + n;
		offset += n;
		len -= n;
	}
	return 0;
}

int elf_source_read(const struct elf_source *s, uint64_t offset, void *buf, size_t len)
{
	return s->pid ? rmem_read(s->pid, s->bias + offset, buf, len)
		      : file_read(s->fd, offset, buf, len);
}
