/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug offsets: the block in which interpreters from 3.13 on describe their layout. The input is
 *
 *	PY_VERSION_HEX 4 (0: from the block)  flavour 1  length of the block 2  block ...
 *
 * With a row from an accepted block, the walker stays within its buffers and terminates.
 */
#include "fuzz.h"
#include "images/synth.h"
#include "rows.h"

static struct walk *walker;

static void set_up(void)
{
}

static void give_block(const char *name, uint32_t hex, const void *block, size_t len)
{
	struct buf seed = {};

	give(&seed, hex, 4);
	give(&seed, 0, 1);
	give(&seed, len, 2);
	buf_add(&seed, block, len);
	seed_write(name, &seed);
	buf_done(&seed);
}

static void make_seeds(void)
{
	struct buf name = {};

	give_block("3.13.0", 0, offsets_3_13_0, sizeof(offsets_3_13_0));
	give_block("3.13.5", 0, offsets_3_13_5, sizeof(offsets_3_13_5));
	give_block("3.14.10", 0, offsets_3_14_10, sizeof(offsets_3_14_10));
	give_block("3.15.2", 0, offsets_3_15_2, sizeof(offsets_3_15_2));
	for (size_t i = 0; i < COUNT(synth_versions); i++) {
		buf_clear(&name);
		buf_printf(&name, "row-%zu", i);
		give_block(name.data, synth_versions[i], offsets_3_13_0, sizeof(offsets_3_13_0));
	}
	buf_done(&name);
}

static int read_input(void *ctx, void *to, size_t len, uint64_t addr)
{
	return read_repeated(ctx, to, len, addr);
}

static void walk_with(const struct py_layout *l, const struct input *in)
{
	static struct input memory;
	const struct proc_info info = { .key = 0x10000, .interps = 0x20000, .code_type = 0x30000 };
	const struct walk_thread thread = { .thread_pointer = 0x40000 };
	const struct wire_frame *frames;
	const struct wire_stack *s;

	memory = *in;
	if (!walker)
		walker = walk_new(read_input, &memory);
	MUST(walker);
	s = walk_stack(walker, l, &info, &thread, &frames);
	MUST(s->end < WALK_ENDS && s->count <= WIRE_MAX_FRAMES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint32_t hex = (uint32_t)take(&in, 4);
	int flavour = (int)take(&in, 1) & (PY_DEBUG | PY_FREE_THREADED);
	size_t wanted = take(&in, 2), len;
	uint8_t *block = take_bytes(&in, wanted, &len);
	struct py_layout l = {};
	struct err err = {};
	uint64_t free_threaded;

	if (!hex)
		hex = layout_offsets_version(block, len, &free_threaded);
	if (!layout_find(hex, flavour, block, len, &l, &err)) {
		must_be_row(&l);
		walk_with(&l, &(struct input){ data, size });
	} else {
		MUST(err.text[0] && memchr(err.text, 0, sizeof(err.text)));
	}
	free(block);
	return 0;
}
