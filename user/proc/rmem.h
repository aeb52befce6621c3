/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads memory of another process without stopping it. process_vm_readv() faults pages in, so it may block. */
#ifndef KRAIT_RMEM_H
#define KRAIT_RMEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads exactly @len bytes. 0, -EFAULT (also if only a part is readable), -ESRCH or -EPERM. */
int rmem_read(pid_t pid, uint64_t addr, void *buf, size_t len);

#endif
