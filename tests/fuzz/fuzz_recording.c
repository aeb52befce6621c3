/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings from untrusted sources. If the first byte is 0, the rest of the input is a file;
 * otherwise it is the uncompressed content of a block, which is appended with a correct checksum to
 * a small good recording. A recording that can be read can be written in every format.
 */
#include "fuzz.h"

#include <zlib.h>

#include "format/format.h"
#include "format/krait/block.h"
#include "format/krait/recording.h"
#include "format/krait/restore.h"
#include "format/krait/store.h"

static struct buf good; /* a small recording */
static FILE *nowhere;

static void resolve(void *ctx, uint32_t id, struct frame *ret)
{
	*ret = (struct frame){ .name = id % 2 ? "main" : "[mark]",
			       .file = id % 2 ? "/a.py" : NULL,
			       .line = id,
			       .kind = id % 2 ? FRAME_PYTHON : FRAME_MARK };
}

/* A recording with rows in every table. */
static void write_recording(struct buf *to)
{
	const struct profile_meta meta = { .host = "h", .unit = "samples", .asked_hz = 99 };
	struct profile *p = profile_new();
	struct stacks *s = stacks_new();
	struct store *store = store_new();
	uint32_t thread, state, node;

	MUST(p && s && store);
	profile_set_resolver(p, resolve, NULL);
	profile_set_meta(p, &meta);
	thread = profile_add_thread(p, profile_add_process(p, 41, "web"), 42, "worker");
	state = profile_add_state(p, &(struct state){ .kind = STATE_SLEEPING, .call = "read" });
	node = stacks_push(s, stacks_push(s, STACKS_ROOT, 1), 2);
	MUST(!profile_count(p, thread, node, state, 3));
	MUST(!profile_set_loss(p, "full", "was full", 1));
	profile_set_process_container(
		p, 0, profile_add_container(p, &(struct container){ .id = "12", .name = "web" }));
	MUST(!store_append(store, p, s, 1000, to));
	profile_set_process_comm(p, 0, "other");
	MUST(!profile_count(p, thread, node, 0, 3));
	MUST(!store_append(store, p, s, 2000, to));
	profile_free(p);
	stacks_free(s);
	store_free(store);
}

static void set_up(void)
{
	write_recording(&good);
	nowhere = fopen("/dev/null", "we");
	MUST(nowhere);
}

static uint32_t u32_at(const struct buf *b, size_t at)
{
	uint32_t v;

	memcpy(&v, b->data + at, sizeof(v));
	return v;
}

/* Writes one seed for each block: its uncompressed content. */
static void seed_blocks(void)
{
	size_t at = BLOCK_FILE_HEAD;

	for (int i = 0; at < good.len; i++) {
		uLongf len = u32_at(&good, at + 4);
		struct buf seed = {}, name = {};

		buf_char(&seed, 1);
		buf_printf(&name, "block-%d", i);
		MUST((seed.data = realloc(seed.data, len + 1)));
		MUST(uncompress((Bytef *)seed.data + 1, &len, (Bytef *)good.data + at + BLOCK_HEAD,
				u32_at(&good, at)) == Z_OK);
		seed.len = len + 1;
		seed_write(name.data, &seed);
		at += BLOCK_HEAD + u32_at(&good, at);
		buf_done(&seed);
		buf_done(&name);
	}
}

static void make_seeds(void)
{
	struct buf seed = {};

	buf_char(&seed, 0);
	buf_add(&seed, good.data, good.len);
	seed_write("file", &seed);
	buf_done(&seed);
	seed_blocks();
}

static void add_block(struct buf *to, const uint8_t *data, size_t size)
{
	uLongf len = compressBound(size);
	uint8_t *packed = malloc(len);

	MUST(packed && compress2(packed, &len, data, size, 0) == Z_OK);
	give(to, len, 4);
	give(to, size, 4);
	give(to, crc32(0, packed, len), 4);
	buf_add(to, packed, len);
	free(packed);
}

static void use(struct recording *r)
{
	const struct format_opts o = {
		.dims = { DIM_PROCESS }, .ndims = 1, .lines = true, .states = true
	};
	const struct format_ops *ops;

	for (size_t i = 0; (ops = format_at(i)); i++)
		MUST(!ops->write(recording_profile(r), recording_stacks(r), &o, nowhere, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recording *r = recording_new();
	struct err err = {};
	struct buf b = {};
	bool whole;
	FILE *from;

	if (size && data[0])
		buf_add(&b, good.data, good.len);
	if (size > 1 && data[0])
		add_block(&b, data + 1, size - 1);
	else if (size > 1)
		buf_add(&b, data + 1, size - 1);
	from = b.len ? fmemopen(b.data, b.len, "r") : fopen("/dev/null", "re");
	MUST(r && from);
	if (!restore_add(r, from, "x", &whole, &err))
		use(r);
	else
		MUST(err.text[0]);
	fclose(from);
	recording_free(r);
	buf_done(&b);
	return 0;
}
