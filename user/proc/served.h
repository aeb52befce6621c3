/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds mappings of files on file systems that a server provides (FUSE, NFS, ...). If the server
 * stops answering, any thread that touches such memory blocks.
 */
#ifndef KRAIT_SERVED_H
#define KRAIT_SERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Describes the first such mapping of @pid, "fuse.sshfs at /mnt/data", cut to @size. 0, -ENOENT
 * (none) or -errno.
 */
int served_mapping(pid_t pid, char *ret, size_t size);

/* Does a server provide file systems of this type ("nfs4")? Pure. */
bool served_type(const char *type);

#endif
