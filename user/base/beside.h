/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forks a process for work that may hang. A thread blocked in the kernel on a file system that does
 * not answer cannot be killed, not even by SIGKILL, and its process cannot exit. A separate process
 * for the work can be left behind.
 */
#ifndef KRAIT_BESIDE_H
#define KRAIT_BESIDE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Forks a child that is killed when its parent ends and has every signal but SIGKILL blocked. It
 * inherits the @n descriptors in @keep (ascending); standard input, output and error are /dev/null.
 * The parent must be single-threaded. Returns 0 in the child (which must end with _exit()), in the
 * parent its pid or -errno.
 */
pid_t beside_fork(const int *keep, size_t n);

#endif
