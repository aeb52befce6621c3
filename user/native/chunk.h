/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiles the unwind information of 64 KiB of a file's addresses into the form that the native
 * walker reads (bpf/native.h). On demand and by chunk: of a large library a program touches a tenth.
 *
 * The time for a chunk is bounded whatever the file contains; information that is too much, absurd
 * or of unknown form becomes NATIVE_COMPLEX where it would hold.
 */
#ifndef KRAIT_CHUNK_H
#define KRAIT_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/native.h"
#include "native/ehframe.h"

struct chunk;

/* Working memory, some 200 KiB, for any number of chunks one after another. NULL: out of memory. */
struct chunk *chunk_new(void);
void chunk_free(struct chunk *c);
static inline void chunk_freep(struct chunk **c)
{
	chunk_free(*c);
}

/*
 * Compiles the chunk that begins at address @base of the file, a multiple of NATIVE_CHUNK. @machine: of
 * the file. -ENOTSUP: a machine without native frames.
 */
int chunk_compile(struct chunk *c, struct ehframe *f, uint16_t machine, uint64_t base);

/* What was compiled last; valid until the next one. */
struct chunk_view {
	const uint16_t *offsets, *rules, *funcs;
	const struct native_wide *wides;
	size_t rows, n_funcs, n_wides;
};
struct chunk_view chunk_view(const struct chunk *c);

/* The number of u16 that chunk_pack() writes, at most NATIVE_POOL. */
size_t chunk_words(const struct chunk *c);
/* Writes the body of the chunk and its numbers; where and state are the caller's. */
void chunk_pack(const struct chunk *c, uint16_t *body, struct native_chunk *head);

#endif
