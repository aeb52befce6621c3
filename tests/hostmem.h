/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for compiled chunks, for programs that walk without a kernel. */
#ifndef KRAIT_HOSTMEM_H
#define KRAIT_HOSTMEM_H

#include <stdlib.h>

#include "native/natfiles.h"

enum { HOSTMEM_POOLS = 64 };

struct hostmem {
	struct natfiles_memory memory;
	struct native_pool *pools[HOSTMEM_POOLS];
	uint32_t max_pools;
};

static inline struct native_pool *hostmem_pool(void *ctx, uint32_t i)
{
	struct hostmem *m = ctx;

	if (i >= m->max_pools)
		return NULL;
	if (!m->pools[i])
		m->pools[i] = calloc(1, sizeof(*m->pools[i]));
	return m->pools[i];
}

static inline void hostmem_init(struct hostmem *m, uint32_t chunks, uint32_t pools)
{
	*m = (struct hostmem){ .max_pools = pools < HOSTMEM_POOLS ? pools : HOSTMEM_POOLS };
	m->memory = (struct natfiles_memory){
		.chunks = calloc(chunks, sizeof(struct native_chunk)),
		.n_chunks = chunks,
		.pool = hostmem_pool,
		.ctx = m,
	};
	if (!m->memory.chunks)
		abort();
}

static inline void hostmem_done(struct hostmem *m)
{
	for (uint32_t i = 0; i < HOSTMEM_POOLS; i++)
		free(m->pools[i]);
	free(m->memory.chunks);
}

#endif
