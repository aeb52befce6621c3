/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	chunk numbers   1 2 3 │ 4 5 6 7 8 9 │ 10 ...      each file a range, in order of arrival
 *	                file 0    file 1      file 2
 *
 *	pools           │ body │ body │ body │ free │      a body does not cross the end of a pool
 *
 * A range begins with the chunk of the file's lowest code. Bodies are never moved or freed: a walk in
 * the kernel may be reading them.
 */
#include "native/natfiles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/vec.h"
#include "native/cfa.h"
#include "native/chunk.h"
#include "native/ehframe.h"

enum {
	MAX_CHUNKS = 1 << 15, /* of a file: 2 GiB of addresses */
};

struct natfile {
	struct elf_file *elf;
	struct ehframe *frames; /* NULL: not opened yet */
	uint32_t first, n;      /* its chunks */
	uint64_t base;          /* address of the first one */
	char *path;             /* NULL: not said */
	struct debugfiles debug;
};

struct natfiles {
	struct natfiles_memory memory;
	struct hmap *by_id; /* struct file_id -> number of the file (int) */
	VEC(struct natfile) files;
	uint32_t next;        /* number of the next chunk; 0 is none's */
	uint32_t pools, used; /* pools made, words used of the last one */
	struct native_pool *pool;
	struct pages *pages;
	struct chunk *chunk;
};

struct natfiles *natfiles_new(const struct natfiles_memory *memory)
{
	_cleanup_(natfiles_freep) struct natfiles *nf = calloc(1, sizeof(*nf));

	if (!nf)
		return NULL;
	nf->memory = *memory;
	nf->next = memory->used_chunks ? memory->used_chunks : 1;
	nf->pools = memory->used_pools;
	nf->by_id = hmap_new(sizeof(struct file_id), sizeof(int));
	nf->pages = pages_new();
	nf->chunk = chunk_new();
	return nf->by_id && nf->pages && nf->chunk ? take_ptr(nf) : NULL;
}

void natfiles_free(struct natfiles *nf)
{
	struct natfile *f;

	if (!nf)
		return;
	vec_each (&nf->files, f) {
		ehframe_close(f->frames);
		debugfiles_done(&f->debug);
		elf_close(f->elf);
		free(f->path);
	}
	vec_done(&nf->files);
	hmap_free(nf->by_id);
	pages_free(nf->pages);
	chunk_free(nf->chunk);
	free(nf);
}

/* --- files ---------------------------------------------------------------------------------------- */

int natfiles_find(const struct natfiles *nf, const struct file_id *id)
{
	const int *file = hmap_get(nf->by_id, id);

	return file ? *file : NATFILES_NONE;
}

/* The chunks with code: *@ret_first counts from address 0. Returns how many; 0: none, or too many. */
static uint32_t count_chunks(const struct elf_file *elf, uint64_t *ret_first)
{
	uint64_t low = UINT64_MAX, high = 0;
	struct elf_segment s;

	for (size_t i = 0; elf_segment(elf, i, &s); i++) {
		if (!s.exec || !s.size)
			continue;
		low = s.vaddr < low ? s.vaddr : low;
		high = s.vaddr + s.size - 1 > high ? s.vaddr + s.size - 1 : high;
	}
	*ret_first = low >> NATIVE_CHUNK_BITS;
	high >>= NATIVE_CHUNK_BITS;
	return low == UINT64_MAX || high - *ret_first >= MAX_CHUNKS ? 0 : high - *ret_first + 1;
}

int natfiles_add(struct natfiles *nf, const struct file_id *id, struct elf_file *elf)
{
	_cleanup_(elf_closep) struct elf_file *mine = elf;
	struct natfile f = { .elf = elf, .first = nf->next };
	int number = nf->files.len, *place;
	uint64_t first;

	if (!cfa_machine(elf_machine(elf)))
		return -ENOTSUP;
	f.n = count_chunks(elf, &first);
	if (!f.n)
		return -ENOEXEC;
	if (nf->next + (uint64_t)f.n > nf->memory.n_chunks)
		return -ENOSPC;
	f.base = first << NATIVE_CHUNK_BITS;
	if (vec_push(&nf->files, f))
		return -ENOMEM;
	place = hmap_put(nf->by_id, id, NULL);
	if (!place) {
		nf->files.len--;
		return -ENOMEM;
	}
	*place = number;
	nf->next += f.n;
	mine = NULL;
	return number;
}

struct elf_file *natfiles_elf(const struct natfiles *nf, int file)
{
	return nf->files.at[file].elf;
}

int natfiles_set_path(struct natfiles *nf, int file, const char *path)
{
	struct natfile *f = &nf->files.at[file];

	free(f->path);
	f->path = strdup(path);
	return f->path ? 0 : -ENOMEM;
}

const char *natfiles_path(const struct natfiles *nf, int file)
{
	const char *path = nf->files.at[file].path;

	return path ? path : "";
}

struct debugfiles *natfiles_debug(struct natfiles *nf, int file)
{
	return &nf->files.at[file].debug;
}

struct ehframe *natfiles_functions(struct natfiles *nf, int file)
{
	struct natfile *f = &nf->files.at[file];

	if (!f->frames)
		f->frames = ehframe_open(f->elf, nf->pages);
	return f->frames;
}

void natfiles_used(const struct natfiles *nf, uint32_t *ret_chunks, uint32_t *ret_pools)
{
	*ret_chunks = nf->next;
	*ret_pools = nf->pools;
}

uint32_t natfiles_chunk(const struct natfiles *nf, int file)
{
	const struct natfile *f = &nf->files.at[file];

	return f->first - (uint32_t)(f->base >> NATIVE_CHUNK_BITS);
}

int natfiles_of(const struct natfiles *nf, uint32_t number, uint64_t *ret_base)
{
	size_t low = 0, high = nf->files.len, middle;
	const struct natfile *f;

	while (low < high) { /* files before low begin by number, those from high on after it */
		middle = low + (high - low) / 2;
		if (nf->files.at[middle].first <= number)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NATFILES_NONE;
	f = &nf->files.at[low - 1];
	if (number - f->first >= f->n)
		return NATFILES_NONE;
	*ret_base = f->base + ((uint64_t)(number - f->first) << NATIVE_CHUNK_BITS);
	return low - 1;
}

/* --- chunks --------------------------------------------------------------------------------------- */

/* Room for @words in a pool; struct native_chunk.where, or -ENOSPC. */
static int64_t reserve(struct natfiles *nf, size_t words)
{
	if (!nf->pool || words > NATIVE_POOL - nf->used) {
		struct native_pool *pool = nf->memory.pool(nf->memory.ctx, nf->pools);

		if (!pool)
			return -ENOSPC;
		nf->pool = pool;
		nf->pools++;
		nf->used = 0;
	}
	nf->used += words;
	return (int64_t)(nf->pools - 1) << NATIVE_POOL_BITS | (nf->used - words);
}

/* Puts what was compiled into a pool. The state is written last: a walk may be looking. */
static int publish(struct natfiles *nf, struct native_chunk *head)
{
	int64_t where = reserve(nf, chunk_words(nf->chunk));

	if (where < 0)
		return where;
	chunk_pack(nf->chunk, nf->pool->at + (where & (NATIVE_POOL - 1)), head);
	head->where = where;
	__atomic_store_n(&head->state, NATIVE_READY, __ATOMIC_RELEASE);
	return 0;
}

static int compile(struct natfiles *nf, int file, uint64_t base, struct native_chunk *head)
{
	struct ehframe *functions = natfiles_functions(nf, file);
	int err;

	if (!functions)
		return -ENOMEM;
	err = chunk_compile(nf->chunk, functions, elf_machine(nf->files.at[file].elf), base);
	return err ? err : publish(nf, head);
}

int natfiles_compile(struct natfiles *nf, uint32_t number)
{
	uint64_t base;
	int file = natfiles_of(nf, number, &base), err;
	struct native_chunk *head;

	if (file < 0)
		return -ENOENT;
	head = &nf->memory.chunks[number];
	if (head->state == NATIVE_READY)
		return 0;
	err = compile(nf, file, base, head);
	if (err)
		head->state = NATIVE_REFUSED;
	return err;
}
