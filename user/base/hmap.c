/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two arrays: a sparse one of slots, which lookups probe, and a dense one of entries, which lookups
 * read when a slot's tag matches and iteration walks.
 *
 *   slots    [ tag 7, entry 2 | empty | tag 9, entry 1 | ... ]   power of two, at most 3/4 full
 *   entries  [ key, value | key, value | ... ]                   count of them, no holes
 *
 * The tag is 32 bits of the key's hash; its low bits are the slot where probing starts (linear), so
 * growing and deleting never hash a key again. Deletion moves the last entry into the hole and
 * shifts the slots of the run back, so there are no tombstones. The hash is seeded for each map:
 * keys come from targets, which must not be able to choose colliding ones.
 */
#include "base/hmap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct slot {
	uint32_t tag;
	uint32_t entry; /* index + 1; 0: empty */
};

struct hmap {
	size_t key_size, val_at, stride; /* within an entry, bytes */
	uint64_t seed[2];
	uint32_t mask; /* slots - 1 */
	uint32_t count, cap;
	struct slot *slots;
	unsigned char *entries;
};

enum { MIN_SLOTS = 16, MAX_KEY = 64, MAX_VAL = 1 << 20 };
#define MAX_SLOTS (1u << 31)

static size_t round8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static uint32_t capacity(uint32_t mask)
{
	return mask / 4 * 3 + 3;
}

static uint64_t load64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Both halves of the 128-bit product: every bit of the result depends on every bit of both. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* The constants are arbitrary: odd, with half of their bits set. */
uint64_t hmap_hash(const void *data, size_t len, const uint64_t seed[2])
{
	const unsigned char *p = data;
	unsigned char tail[16] = {};
	uint64_t h = seed[0] ^ len;

	for (; len >= 16; len -= 16, p += 16)
		h = mix(load64(p) ^ seed[1], load64(p + 8) ^ h);
	if (len) {
		memcpy(tail, p, len);
		h = mix(load64(tail) ^ seed[1], load64(tail + 8) ^ h);
	}
	return mix(h ^ 0x9c3b5d1e72a6f08bULL, 0xd1b54a32d192ed03ULL);
}

void hmap_seed(uint64_t seed[2])
{
	if (getrandom(seed, 2 * sizeof(*seed), GRND_NONBLOCK) != 2 * sizeof(*seed)) {
		seed[0] = (uintptr_t)seed;
		seed[1] = 0xa0761d6478bd642fULL;
	}
}

struct hmap *hmap_new(size_t key_size, size_t val_size)
{
	struct hmap *m;

	if (!key_size || key_size > MAX_KEY || val_size > MAX_VAL)
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->key_size = key_size;
	m->val_at = round8(key_size);
	m->stride = m->val_at + round8(val_size);
	m->mask = MIN_SLOTS - 1;
	hmap_seed(m->seed);
	m->slots = calloc(MIN_SLOTS, sizeof(*m->slots));
	if (!m->slots) {
		hmap_free(m);
		return NULL;
	}
	return m;
}

void hmap_free(struct hmap *m)
{
	if (!m)
		return;
	free(m->slots);
	free(m->entries);
	free(m);
}

size_t hmap_count(const struct hmap *m)
{
	return m->count;
}

/* Slots are all touched, entries only up to the last one in use. Doubling holds old and new slots at once. */
size_t hmap_bytes(const struct hmap *m)
{
	size_t slots = ((size_t)m->mask + 1) * sizeof(*m->slots);
	bool doubles = m->count >= capacity(m->mask) / 8 * 7;

	return (doubles ? 3 * slots : slots) + (size_t)m->count * m->stride;
}

static unsigned char *entry_at(const struct hmap *m, uint32_t i)
{
	return m->entries + (size_t)i * m->stride;
}

static uint32_t key_tag(const struct hmap *m, const void *key)
{
	return hmap_hash(key, m->key_size, m->seed);
}

/* The slot of @key, or the empty one where it belongs. */
static uint32_t slot_find(const struct hmap *m, uint32_t tag, const void *key)
{
	uint32_t i = tag & m->mask;

	for (; m->slots[i].entry; i = (i + 1) & m->mask)
		if (m->slots[i].tag == tag &&
		    !memcmp(entry_at(m, m->slots[i].entry - 1), key, m->key_size))
			break;
	return i;
}

/* The slot that refers to entry @entry, whose key has @tag. */
static uint32_t slot_of_entry(const struct hmap *m, uint32_t tag, uint32_t entry)
{
	uint32_t i = tag & m->mask;

	while (m->slots[i].entry != entry + 1)
		i = (i + 1) & m->mask;
	return i;
}

void *hmap_get(const struct hmap *m, const void *key)
{
	uint32_t entry = m->slots[slot_find(m, key_tag(m, key), key)].entry;

	return entry ? entry_at(m, entry - 1) + m->val_at : NULL;
}

static bool slots_double(struct hmap *m)
{
	uint32_t old = m->mask + 1, i, to;
	struct slot *slots;

	if (old >= MAX_SLOTS)
		return false;
	slots = calloc(2 * (size_t)old, sizeof(*slots));
	if (!slots)
		return false;
	m->mask = 2 * old - 1;
	for (i = 0; i < old; i++) {
		if (!m->slots[i].entry)
			continue;
		to = m->slots[i].tag & m->mask;
		while (slots[to].entry)
			to = (to + 1) & m->mask;
		slots[to] = m->slots[i];
	}
	free(m->slots);
	m->slots = slots;
	return true;
}

/* Room for one more entry in both arrays. A failure leaves the map as it was. */
static bool hmap_grow(struct hmap *m)
{
	unsigned char *entries;
	uint32_t cap;

	if (m->count >= capacity(m->mask) && !slots_double(m))
		return false;
	cap = capacity(m->mask);
	entries = reallocarray(m->entries, cap, m->stride);
	if (!entries)
		return false;
	m->entries = entries;
	m->cap = cap;
	return true;
}

void *hmap_put(struct hmap *m, const void *key, bool *fresh)
{
	uint32_t tag = key_tag(m, key), i = slot_find(m, tag, key);
	bool is_new = !m->slots[i].entry;
	unsigned char *entry;

	if (fresh)
		*fresh = is_new;
	if (!is_new)
		return entry_at(m, m->slots[i].entry - 1) + m->val_at;

	if (m->count >= m->cap) {
		if (!hmap_grow(m))
			return NULL;
		i = slot_find(m, tag, key);
	}
	entry = entry_at(m, m->count);
	memset(entry, 0, m->stride);
	memcpy(entry, key, m->key_size);
	m->slots[i] = (struct slot){ tag, ++m->count };
	return entry + m->val_at;
}

uint32_t hmap_number(struct hmap *m, const void *key)
{
	const unsigned char *end = hmap_put(m, key, NULL);

	return end ? (end - m->entries) / m->stride - 1 : HMAP_NONE; /* without a value, its end */
}

const void *hmap_key(const struct hmap *m, uint32_t number)
{
	return entry_at(m, number);
}

/* Empties slot @hole and closes the gap: no later slot of the run may become unreachable. */
static void slot_remove(struct hmap *m, uint32_t hole)
{
	uint32_t i = hole, home;

	for (;;) {
		i = (i + 1) & m->mask;
		if (!m->slots[i].entry)
			break;
		home = m->slots[i].tag & m->mask;
		/* Stays if its home lies behind the hole, cyclically. */
		if (((i - home) & m->mask) < ((i - hole) & m->mask))
			continue;
		m->slots[hole] = m->slots[i];
		hole = i;
	}
	m->slots[hole] = (struct slot){};
}

bool hmap_del(struct hmap *m, const void *key)
{
	uint32_t i = slot_find(m, key_tag(m, key), key), entry, last;
	unsigned char *from;

	if (!m->slots[i].entry)
		return false;
	entry = m->slots[i].entry - 1;
	last = m->count - 1;
	slot_remove(m, i);
	if (entry != last) {
		from = entry_at(m, last);
		m->slots[slot_of_entry(m, key_tag(m, from), last)].entry = entry + 1;
		memcpy(entry_at(m, entry), from, m->stride);
	}
	m->count = last;
	return true;
}

bool hmap_each(const struct hmap *m, size_t *pos, const void **key, void **val)
{
	unsigned char *entry;

	if (*pos >= m->count)
		return false;
	entry = entry_at(m, (*pos)++);
	if (key)
		*key = entry;
	if (val)
		*val = entry + m->val_at;
	return true;
}
