/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the bytes of an ELF file are read: in the file, or in the memory of a process that has it loaded. */
#ifndef KRAIT_ELFSOURCE_H
#define KRAIT_ELFSOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct elf_source {
	int fd;        /* -1: it is memory, or closed */
	pid_t pid;     /* of whom it is the memory; 0: it is a file */
	uint64_t bias; /* there */
};

/*
 * Exactly @len bytes: @offset is one into the file, or of memory a virtual address as the file has it. 0 or -errno
 * (-EFAULT: not all of it is there).
 */
int elf_source_read(const struct elf_source *s, uint64_t offset, void *buf, size_t len);

#endif
