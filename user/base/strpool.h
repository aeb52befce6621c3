/* SPDX-License-Identifier: BSD-2-Clause */
/* Interned strings: equal strings get equal ids, the empty one 0. Strings live as long as the pool. */
#ifndef KRAIT_STRPOOL_H
#define KRAIT_STRPOOL_H

#include <stddef.h>
#include <stdint.h>

struct strpool;

/* NULL: out of memory. */
struct strpool *strpool_new(void);
void strpool_free(struct strpool *p);
/* Copies @len bytes (which may hold NULs). UINT32_MAX: out of memory. */
uint32_t strpool_add(struct strpool *p, const char *s, size_t len);
/* The number of strings, including the empty one; also the id that the next new string gets. */
uint32_t strpool_count(const struct strpool *p);
/* Memory in use. */
size_t strpool_bytes(const struct strpool *p);
/* NUL-terminated; the pointer stays valid until the pool is freed. @id must come from this pool. */
const char *strpool_str(const struct strpool *p, uint32_t id);
size_t strpool_len(const struct strpool *p, uint32_t id);

#endif
