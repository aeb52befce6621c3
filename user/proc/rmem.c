/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads all bytes or fails: callers cannot use half of a structure. */
#include "proc/rmem.h"

#include <errno.h>
#include <sys/uio.h>

int rmem_read(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { buf, len };
	/* The other process's address fits into a pointer: krait is 64-bit. */
	struct iovec remote = { (void *)(uintptr_t)addr, len };
	ssize_t n;

	if (!len)
		return 0;
	n = process_vm_readv(pid, &local, 1, &remote, 1, 0);
	if (n < 0)
		return errno == EINVAL ? -EFAULT : -errno;
	return (size_t)n == len ? 0 : -EFAULT;
}
