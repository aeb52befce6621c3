/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files whose code is unwound: each once, however many processes have it mapped. A file gets
 * consecutive numbers for its chunks; a chunk is compiled when a walk asks for it.
 *
 * What is compiled lies in memory that the caller gives (maps of the kernel, or its own), in the form
 * of bpf/native.h, and stays valid as long as the struct natfiles.
 */
#ifndef KRAIT_NATFILES_H
#define KRAIT_NATFILES_H

#include <stdint.h>

#include "bpf/native.h"
#include "bpf/wire.h"
#include "native/debugfile.h"
#include "native/ehframe.h"
#include "proc/elf.h"

/* Where compiled chunks are put. */
struct natfiles_memory {
	struct native_chunk *chunks; /* zeroed */
	uint32_t n_chunks;
	/* Memory of pool @i, which is made when it is first asked for. NULL: no more. */
	struct native_pool *(*pool)(void *ctx, uint32_t i);
	void *ctx;
	/* Numbers that others have used, who wrote to the same memory before. */
	uint32_t used_chunks, used_pools;
};

struct natfiles;

/* NULL: out of memory. */
struct natfiles *natfiles_new(const struct natfiles_memory *memory);
void natfiles_free(struct natfiles *nf);
static inline void natfiles_freep(struct natfiles **nf)
{
	natfiles_free(*nf);
}

enum { NATFILES_NONE = -1 };

/* The number of a known file; NATFILES_NONE: unknown. */
int natfiles_find(const struct natfiles *nf, const struct file_id *id);
/*
 * Adds a file; @elf is taken over, also on failure. Its number, or -ENOMEM, -ENOSPC (no numbers are
 * left for chunks), -ENOEXEC (no code, or an absurd amount), -ENOTSUP (another machine).
 */
int natfiles_add(struct natfiles *nf, const struct file_id *id, struct elf_file *elf);
struct elf_file *natfiles_elf(const struct natfiles *nf, int file);
/* The path that the file was first mapped by; "" if it was not said. Valid as long as @nf. */
int natfiles_set_path(struct natfiles *nf, int file, const char *path);
const char *natfiles_path(const struct natfiles *nf, int file);
/* Its debug files, as far as they were looked for. Valid until a file is added. */
struct debugfiles *natfiles_debug(struct natfiles *nf, int file);
/* Its functions; NULL: out of memory. */
struct ehframe *natfiles_functions(struct natfiles *nf, int file);
/* What was used so far: for another natfiles_new() with the same memory. */
void natfiles_used(const struct natfiles *nf, uint32_t *ret_chunks, uint32_t *ret_pools);
/* struct native_map.chunk of the file's mappings. */
uint32_t natfiles_chunk(const struct natfiles *nf, int file);
/* The file with chunk @number, and the address of that chunk in it. NATFILES_NONE: no file has it. */
int natfiles_of(const struct natfiles *nf, uint32_t number, uint64_t *ret_base);
/*
 * Compiles chunk @number unless it is ready. 0, -ENOENT (no file has it), -ENOSPC (the pools are
 * full) or -ENOTSUP. A chunk that cannot be compiled becomes NATIVE_REFUSED.
 */
int natfiles_compile(struct natfiles *nf, uint32_t number);

#endif
