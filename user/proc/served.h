/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File systems that somebody else serves (FUSE, NFS, ...), and that a process has mapped files of: whoever
 * serves may stop to answer, and then who touches that memory waits.
 */
#ifndef KRAIT_SERVED_H
#define KRAIT_SERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * "fuse.sshfs at /mnt/data" of the first one in the list of mappings of @pid, cut to @size. 0, -ENOENT:
 * there is none, or -errno.
 */
int served_mapping(pid_t pid, char *ret, size_t size);

/* Is a type of file system ("ext4") one that is served? Pure. */
bool served_type(const char *type);

#endif
