/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that works for this one and may hang. A thread that waits in the kernel for a file system
 * that does not answer cannot be ended, not even by SIGKILL, and a process with such a thread does not
 * end: who waits for it waits with it. A process of its own can be left behind.
 */
#ifndef KRAIT_BESIDE_H
#define KRAIT_BESIDE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Forks one that ends with its parent and gets no signal but SIGKILL; of the parent's files it has
 * @keep (ascending, @n of them) and /dev/null as standard input, output and error. The parent must have
 * one thread. Returns 0 in the new process (which ends by _exit()), in the parent its pid or -errno.
 */
pid_t beside_fork(const int *keep, size_t n);

#endif
