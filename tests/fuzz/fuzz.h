/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by all fuzz targets. libFuzzer calls LLVMFuzzerTestOneInput() with bytes; the target takes
 * its numbers from their start and passes the rest to the code under test. MUST() states what must
 * hold for any input; the sanitizers check memory safety.
 *
 * Each target makes its own seeds: with $FUZZ_SEEDS set it writes some into that folder, using
 * seed_write(), and exits. A program includes this once.
 */
#ifndef KRAIT_FUZZ_H
#define KRAIT_FUZZ_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Defined by the target: writes its seeds. */
static void make_seeds(void);
/* Defined by the target: called once before the first input. */
static void set_up(void);

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,          \
				#condition);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* --- reading input ---------------------------------------------------------------------------- */

struct input {
	const uint8_t *at;
	size_t left;
};

/* Takes the next @n bytes as a little-endian number; missing bytes are 0. */
static inline uint64_t take(struct input *in, size_t n)
{
	uint64_t value = 0;

	n = n < in->left ? n : in->left;
	memcpy(&value, in->at, n);
	in->at += n;
	in->left -= n;
	return value;
}

/* Takes at most @n of the remaining bytes, into memory of exactly that size; free() it. */
static inline uint8_t *take_bytes(struct input *in, size_t n, size_t *ret_len)
{
	uint8_t *copy;

	*ret_len = n < in->left ? n : in->left;
	copy = malloc(*ret_len);
	MUST(copy || !*ret_len);
	if (*ret_len)
		memcpy(copy, in->at, *ret_len);
	in->at += *ret_len;
	in->left -= *ret_len;
	return copy;
}

/* Memory that repeats the same bytes at all addresses from 4096 to 2^47. Returns 0 or -EFAULT. */
static inline int read_repeated(const struct input *bytes, void *to, size_t len, uint64_t addr)
{
	uint8_t *at = to;

	if (!bytes->left || addr < 4096 || addr >> 47)
		return -EFAULT;
	while (len) {
		size_t from = addr % bytes->left, n = bytes->left - from;

		n = n < len ? n : len;
		memcpy(at, bytes->at + from, n);
		at += n;
		addr += n;
		len -= n;
	}
	return 0;
}

/* --- writing seeds ---------------------------------------------------------------------------- */

/* The inverse of take(). */
static inline void give(struct buf *to, uint64_t value, size_t n)
{
	buf_add(to, &value, n);
}

static inline void seed_write(const char *name, const struct buf *bytes)
{
	struct buf path = {};
	FILE *file;

	buf_printf(&path, "%s/%s", getenv("FUZZ_SEEDS"), name);
	file = path.err ? NULL : fopen(path.data, "we");
	if (!file || fwrite(bytes->data, 1, bytes->len, file) != bytes->len || fclose(file)) {
		perror(path.data);
		exit(1);
	}
	buf_done(&path);
}

/* The content of a file; empty if it cannot be read. */
static inline void read_whole(const char *path, struct buf *ret)
{
	char block[4096];
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return;
	while ((n = fread(block, 1, sizeof(block), file)))
		buf_add(ret, block, n);
	fclose(file);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	set_up();
	if (!getenv("FUZZ_SEEDS"))
		return 0;
	make_seeds();
	exit(0);
}

#endif
