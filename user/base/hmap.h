/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash map from fixed-size keys to fixed-size values (open addressing, entries in one array).
 * Keys are compared bytewise: pad them explicitly. Iteration follows insertion order until the
 * first deletion.
 */
#ifndef KRAIT_HMAP_H
#define KRAIT_HMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hmap;

/* A 64-bit hash of any bytes, for other tables. Not cryptographic. */
uint64_t hmap_hash(const void *data, size_t len, const uint64_t seed[2]);
/* A random seed, so that targets cannot choose colliding keys. */
void hmap_seed(uint64_t seed[2]);

/* NULL: out of memory. Free with hmap_free(). @key_size 1..64 bytes, @val_size 0..1 MiB. */
struct hmap *hmap_new(size_t key_size, size_t val_size);
/* @m may be NULL. Memory that values point to belongs to the caller. */
void hmap_free(struct hmap *m);
static inline void hmap_freep(struct hmap **m)
{
	hmap_free(*m);
}

size_t hmap_count(const struct hmap *m);
/* Memory in use; shortly before the map doubles, including what the doubling needs. */
size_t hmap_bytes(const struct hmap *m);
/* The value, or NULL. Valid until the next put or del. */
void *hmap_get(const struct hmap *m, const void *key);
/*
 * The value; a new key gets a zeroed one and sets *@fresh (which may be NULL). NULL: out of memory.
 * Valid until the next put or del.
 */
void *hmap_put(struct hmap *m, const void *key, bool *fresh);
/*
 * For a map without values (@val_size 0) from which nothing is deleted: the number of the key, counted
 * from 0 in order of arrival. HMAP_NONE: out of memory.
 */
#define HMAP_NONE UINT32_MAX
uint32_t hmap_number(struct hmap *m, const void *key);
/* The key with that number, below hmap_count(). Valid until the next put. */
const void *hmap_key(const struct hmap *m, uint32_t number);
/* True if the key was there. */
bool hmap_del(struct hmap *m, const void *key);
/*
 * Start with *@pos = 0; false at the end. @key and @val may be NULL. Neither put nor del while
 * iterating.
 */
bool hmap_each(const struct hmap *m, size_t *pos, const void **key, void **val);

#endif
