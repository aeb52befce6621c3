/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page of a file has one place in the cache:
 *
 *	places[hash(image, address / PAGE)]   { image, first address, length, bytes }
 *
 * Invariant: a place that holds a length other than 0 has bytes of exactly that range; a page at the
 * border of a segment is shorter than PAGE.
 */
#include "native/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	PAGE = 4096,
	PLACES = 64, /* a power of two */
};

struct place {
	uint64_t image; /* its number */
	uint64_t start;
	size_t len;
	uint8_t bytes[PAGE];
};

struct pages {
	uint64_t images; /* the number of the last one */
	struct place places[PLACES];
};

struct pages *pages_new(void)
{
	return calloc(1, sizeof(struct pages));
}

void pages_free(struct pages *p)
{
	free(p);
}

void image_init(struct image *im, struct pages *pages, struct elf_file *file)
{
	*im = (struct image){ pages, file, ++pages->images };
}

static bool holds(const struct place *p, const struct image *im, uint64_t vaddr)
{
	return p->image == im->number && vaddr - p->start < p->len;
}

/* Fills @p with the page of @vaddr, as far as a segment has it. */
static int load(struct place *p, const struct image *im, uint64_t vaddr)
{
	uint64_t start = vaddr & -(uint64_t)PAGE, len = PAGE;
	struct elf_segment s;

	p->len = 0;
	for (size_t i = 0; elf_segment(im->file, i, &s); i++) {
		if (vaddr - s.vaddr >= s.size)
			continue;
		if (start < s.vaddr) {
			len -= s.vaddr - start;
			start = s.vaddr;
		}
		if (len > s.size - (start - s.vaddr))
			len = s.size - (start - s.vaddr);
		if (elf_read(im->file, start, p->bytes, len))
			return -EFAULT;
		p->image = im->number;
		p->start = start;
		p->len = len;
		return 0;
	}
	return -EFAULT;
}

const uint8_t *image_at(const struct image *im, uint64_t vaddr, size_t *ret_len)
{
	struct place *p = &im->pages->places[(vaddr / PAGE + 7 * im->number) % PLACES];

	if (!holds(p, im, vaddr) && load(p, im, vaddr))
		return NULL;
	*ret_len = p->len - (vaddr - p->start);
	return p->bytes + (vaddr - p->start);
}

int image_read(const struct image *im, uint64_t vaddr, void *to, size_t len)
{
	uint8_t *out = to;

	while (len) {
		size_t n;
		const uint8_t *from = image_at(im, vaddr, &n);

		if (!from)
			return -EFAULT;
		n = n < len ? n : len;
		memcpy(out, from, n);
		out += n;
		vaddr += n;
		len -= n;
	}
	return 0;
}
