/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loaded bytes of ELF files through a small cache. Unwind information is read in many short
 * pieces that lie close together; a system call for each would cost more than the rest.
 *
 * All images of a cache share its memory, so that an open file costs nothing.
 */
#ifndef KRAIT_IMAGE_H
#define KRAIT_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "proc/elf.h"

struct pages;

/* NULL: out of memory. */
struct pages *pages_new(void);
void pages_free(struct pages *p);
static inline void pages_freep(struct pages **p)
{
	pages_free(*p);
}

/* One file; @file and @pages belong to the caller. */
struct image {
	struct pages *pages;
	struct elf_file *file;
	uint64_t number; /* of the image among all that used the cache */
};

void image_init(struct image *im, struct pages *pages, struct elf_file *file);

/*
 * The bytes at virtual address @vaddr, and how many there are: at least one, up to the end of a page
 * or a segment. NULL: not in the file, or not readable. Valid until the next call for any image of
 * the cache.
 */
const uint8_t *image_at(const struct image *im, uint64_t vaddr, size_t *ret_len);

/* Copies exactly @len bytes. 0 or -EFAULT. */
int image_read(const struct image *im, uint64_t vaddr, void *to, size_t len);

#endif
