/* SPDX-License-Identifier: BSD-2-Clause */
/* The source of an ELF file's bytes: the file, or the memory of a process that has it loaded. */
#ifndef KRAIT_ELFSOURCE_H
#define KRAIT_ELFSOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct elf_source {
	int fd;        /* -1: memory, or closed */
	pid_t pid;     /* the process whose memory is read; 0: a file */
	uint64_t bias; /* load bias in that process */
};

/*
 * Reads exactly @len bytes. @offset is a file offset, or for memory a virtual address without the
 * bias. 0 or -errno (-EFAULT: not all bytes could be read).
 */
int elf_source_read(const struct elf_source *s, uint64_t offset, void *buf, size_t len);

#endif
