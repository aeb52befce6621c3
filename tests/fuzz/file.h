/* SPDX-License-Identifier: BSD-2-Clause */
/* A file whose content is the input: one memfd, reused. A program includes this once. */
#ifndef KRAIT_FUZZ_FILE_H
#define KRAIT_FUZZ_FILE_H

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

/* Returns a descriptor of it, which the caller closes. */
static inline int file_of(const uint8_t *data, size_t size)
{
	static int memfd = -1;
	int fd;

	if (memfd < 0)
		memfd = memfd_create("fuzz", MFD_CLOEXEC);
	MUST(memfd >= 0);
	MUST(!ftruncate(memfd, 0));
	MUST(pwrite(memfd, data, size, 0) == (ssize_t)size);
	fd = dup(memfd);
	MUST(fd >= 0);
	return fd;
}

/* Writes a seed for each ELF file in $FUZZ_ELF (built by the Makefile): @head, then the file. */
static inline void seed_elf_files(const struct buf *head)
{
	char *paths = strdup(getenv("FUZZ_ELF") ? getenv("FUZZ_ELF") : ""), *rest = paths, *path;

	MUST(paths);
	while ((path = strsep(&rest, " "))) {
		struct buf seed = {}, name = {};

		buf_add(&seed, head->data, head->len);
		read_whole(path, &seed);
		buf_str(&name, strrchr(path, '/') ? strrchr(path, '/') + 1 : "none");
		if (seed.len > head->len)
			seed_write(name.data, &seed);
		buf_done(&seed);
		buf_done(&name);
	}
	free(paths);
}

#endif
