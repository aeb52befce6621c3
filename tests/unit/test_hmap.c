/* SPDX-License-Identifier: BSD-2-Clause */
/* base/hmap: compared with a plain array, and the quality of the hash. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "tap.h"

enum { KEYS = 300, MAX_KEY = 64 };

/* The expected content: row k is key number k. */
struct model {
	bool there[KEYS];
	uint64_t val[KEYS];
	size_t count;
};

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Key number @k in @size bytes; unique for each k if size > 1 or k < 256. */
static const unsigned char *make_key(unsigned char *key, size_t size, unsigned int k)
{
	memset(key, 0xa5, size);
	key[size - 1] = k;
	if (size > 1)
		key[size / 2 - (size == 2 || size == 3)] ^= k >> 8;
	return key;
}

static bool same_content(struct hmap *m, const struct model *model, size_t key_size)
{
	unsigned char key[MAX_KEY];
	const void *got_key;
	size_t pos = 0, seen = 0;
	uint64_t *val;
	unsigned int k;
	void *got_val;

	for (k = 0; k < KEYS; k++) {
		if (key_size == 1 && k > 255)
			break;
		val = hmap_get(m, make_key(key, key_size, k));
		if (!!val != model->there[k] || (val && *val != model->val[k]))
			return false;
	}
	while (hmap_each(m, &pos, &got_key, &got_val)) {
		if (hmap_get(m, got_key) != got_val)
			return false;
		seen++;
	}
	return seen == model->count && hmap_count(m) == model->count;
}

/* Does one random operation on both; false: the results differ. */
static bool step(struct hmap *m, struct model *model, size_t key_size, uint64_t *random)
{
	uint64_t r = next_random(random), *val;
	unsigned int k = (r >> 8) % (key_size == 1 ? 256 : KEYS);
	unsigned char key[MAX_KEY];
	bool fresh, was = model->there[k];

	make_key(key, key_size, k);
	/* Alternate between phases of growth and of shrinking. */
	if (r % 16 < ((*random >> 40) % 2 ? 9 : 6)) {
		val = hmap_put(m, key, &fresh);
		if (!val || fresh == was || *val != (was ? model->val[k] : 0))
			return false;
		*val = model->val[k] = r;
		model->there[k] = true;
		model->count += !was;
		return true;
	}
	model->there[k] = false;
	model->count -= was;
	return hmap_del(m, key) == was;
}

TEST(random_operations)
{
	static const size_t key_sizes[] = {
		1, 2, 3, 4, 7, 8, 9, 12, 16, 17, 24, 31, 32, 40, 63, 64
	};
	uint64_t random = 0x853c49e6748fea9bULL;
	size_t i, ops;

	for (i = 0; i < sizeof(key_sizes) / sizeof(*key_sizes); i++) {
		_cleanup_(hmap_freep) struct hmap *m = hmap_new(key_sizes[i], sizeof(uint64_t));
		struct model model = {};

		for (ops = 0; ops < 20000; ops++) {
			if (!step(m, &model, key_sizes[i], &random))
				break;
			if (ops % 1000 == 0 && !same_content(m, &model, key_sizes[i]))
				break;
		}
		CHECK_EQ(ops, 20000);
		CHECK(same_content(m, &model, key_sizes[i]));
	}
}

TEST(iterates_in_order_of_insertion)
{
	_cleanup_(hmap_freep) struct hmap *m = hmap_new(sizeof(uint32_t), sizeof(uint32_t));
	uint32_t i, n = 100000, key;
	size_t pos = 0;
	const void *k;
	void *v;

	for (i = 0; i < n; i++) {
		key = i * 2654435761u;
		*(uint32_t *)hmap_put(m, &key, NULL) = i;
	}
	CHECK_EQ(hmap_count(m), n);
	for (i = 0; hmap_each(m, &pos, &k, &v); i++)
		if (*(const uint32_t *)k != i * 2654435761u || *(uint32_t *)v != i)
			break;
	CHECK_EQ(i, n);
}

TEST(deletes_down_to_nothing)
{
	_cleanup_(hmap_freep) struct hmap *m = hmap_new(sizeof(uint64_t), sizeof(uint64_t));
	uint64_t key, wrong = 0, n = 5000;

	for (key = 0; key < n; key++)
		*(uint64_t *)hmap_put(m, &key, NULL) = ~key;
	for (key = 0; key < n; key += 2)
		wrong += !hmap_del(m, &key);
	for (key = 0; key < n; key++) {
		uint64_t *val = hmap_get(m, &key);

		wrong += key % 2 ? !val || *val != ~key : !!val;
	}
	for (key = 1; key < n; key += 2)
		wrong += !hmap_del(m, &key);
	for (key = 0; key < n; key++)
		wrong += hmap_del(m, &key);
	CHECK_EQ(wrong, 0);
	CHECK_EQ(hmap_count(m), 0);
}

TEST(values_start_as_zeroes_again)
{
	_cleanup_(hmap_freep) struct hmap *m = hmap_new(3, 100);
	unsigned char zero[100] = {};
	bool fresh;
	void *val;

	memset(hmap_put(m, "abc", NULL), 0xff, 100);
	CHECK(hmap_del(m, "abc"));
	val = hmap_put(m, "abc", &fresh);
	CHECK(fresh);
	CHECK(!memcmp(val, zero, 100));
}

TEST(values_are_aligned)
{
	size_t key_size;

	for (key_size = 1; key_size <= MAX_KEY; key_size++) {
		_cleanup_(hmap_freep) struct hmap *m = hmap_new(key_size, 12);
		unsigned char key[MAX_KEY];
		unsigned int k, odd = 0;

		for (k = 0; k < 50; k++)
			odd += (uintptr_t)hmap_put(m, make_key(key, key_size, k), NULL) % 8;
		CHECK_EQ(odd, 0);
	}
}

TEST(set_without_values)
{
	_cleanup_(hmap_freep) struct hmap *m = hmap_new(8, 0);
	bool fresh;

	CHECK(hmap_put(m, "12345678", &fresh) && fresh);
	CHECK(hmap_put(m, "12345678", &fresh) && !fresh);
	CHECK(hmap_get(m, "12345678"));
	CHECK(!hmap_get(m, "12345679"));
	CHECK_EQ(hmap_count(m), 1);
}

TEST(every_bit_of_a_key_counts)
{
	_cleanup_(hmap_freep) struct hmap *m = hmap_new(MAX_KEY, 0);
	unsigned char key[MAX_KEY] = {};
	unsigned int bit;
	bool fresh;

	for (bit = 0; bit < MAX_KEY * 8; bit++) {
		key[bit / 8] = 1 << bit % 8;
		if (!hmap_put(m, key, &fresh) || !fresh)
			break;
		key[bit / 8] = 0;
	}
	CHECK_EQ(bit, MAX_KEY * 8);
}

TEST(refuses_absurd_sizes)
{
	CHECK(!hmap_new(0, 8));
	CHECK(!hmap_new(65, 8));
	CHECK(!hmap_new(8, SIZE_MAX - 8));
	hmap_free(NULL);
}

TEST(numbered_keys)
{
	struct hmap *m = hmap_new(16, 0);
	uint64_t key[2] = {};

	for (uint64_t i = 0; i < 5000; i++) {
		key[0] = i * i;
		key[1] = ~i;
		CHECK_EQ(hmap_number(m, key), i);
	}
	for (uint64_t i = 0; i < 5000; i += 7) {
		key[0] = i * i;
		key[1] = ~i;
		CHECK_EQ(hmap_number(m, key), i);
		CHECK(!memcmp(hmap_key(m, i), key, sizeof(key)));
	}
	CHECK_EQ(hmap_count(m), 5000);
	hmap_free(m);
}

/* Hashes 2^16 keys that are multiples of @by; counts distinct values of the 16 bits at @shift. */
static unsigned int spread(size_t size, uint64_t by, unsigned int shift)
{
	static bool seen[1 << 16];
	const uint64_t seed[2] = { 0x1234567, 0x89abcdef01ULL };
	unsigned char key[MAX_KEY] = {};
	unsigned int i, n = 0, at;
	uint64_t k;

	memset(seen, 0, sizeof(seen));
	for (i = 0; i < 1 << 16; i++) {
		k = i * by;
		memcpy(key + size - 8, &k, sizeof(k));
		at = hmap_hash(key, size, seed) >> shift & 0xffff;
		n += !seen[at];
		seen[at] = true;
	}
	return n;
}

/* A random function reaches 1 - 1/e of its values: 41427 of 65536, give or take some 100. */
TEST(hash_spreads_regular_keys)
{
	static const size_t sizes[] = { 8, 16, 24, 32, 40, 64 };
	static const uint64_t steps[] = { 1, 16, 4096, 1ULL << 32, 1ULL << 48, 48 };
	size_t i, j, shift;
	unsigned int n;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (j = 0; j < sizeof(steps) / sizeof(*steps); j++)
			for (shift = 0; shift <= 48; shift += 16) {
				n = spread(sizes[i], steps[j], shift);
				if (!CHECK(n > 40800 && n < 42100))
					printf("#   size %zu step %#llx shift %zu: %u\n", sizes[i],
					       (unsigned long long)steps[j], shift, n);
			}
}

TEST(hash_depends_on_length_and_seed)
{
	const uint64_t a[2] = { 1, 2 }, b[2] = { 1, 3 }, c[2] = { 2, 2 };
	const char zero[64] = {};

	CHECK(hmap_hash(zero, 8, a) != hmap_hash(zero, 9, a));
	CHECK(hmap_hash(zero, 16, a) != hmap_hash(zero, 32, a));
	CHECK(hmap_hash(zero, 8, a) != hmap_hash(zero, 8, b));
	CHECK(hmap_hash(zero, 8, a) != hmap_hash(zero, 8, c));
	CHECK_EQ(hmap_hash("same", 4, a), hmap_hash("same", 4, a));
}

TEST(seeds_differ)
{
	uint64_t a[2], b[2];

	hmap_seed(a);
	hmap_seed(b);
	CHECK(memcmp(a, b, sizeof(a)));
}
