/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code records, and the second attempt at reading what a record lacks from the process. The end of
 * the input is the process's memory. The input is
 *
 *	length of memory 2  records ...  memory (at the input's end)
 *	record: version 1 (an index)  missing 2  source of the id 1  address 2  first line 4
 *		instruction 4  3 x (length 1, character size 1)  length of table 1
 *		texts and table ...
 */
#include <errno.h>

#include "fuzz.h"
#include "images/synth.h"
#include "proc/rmem.h"
#include "py/code.h"
#include "py/linetable.h"
#include "utf8.h"

enum { RECORDS = 16, READ_MAX = 1 << 16 };

static struct py_layout rows[COUNT(synth_versions)];
static struct input memory;
static struct walk *walker;

/* Replaces reading another process: the memory repeats over all addresses. */
int rmem_read(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	return len > READ_MAX ? -EFAULT : read_repeated(&memory, buf, len, addr);
}

static int read_memory(void *ctx, void *to, size_t len, uint64_t addr)
{
	return rmem_read(1, addr, to, len);
}

static void set_up(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct synth *s = synth_new(synth_versions[i]);

		rows[i] = s->l;
		synth_free(s);
	}
	walker = walk_new(read_memory, NULL);
	MUST(walker);
}

/*
 * Writes a record, complete or without its contents, with memory that can pass for a code object.
 */
static void make_seed(const char *name, size_t row, uint32_t missing, uint8_t whose)
{
	static const char texts[] = "fBox.f/f.py\xf8\x01\x02\x03";
	struct buf seed = {};
	uint64_t word;

	give(&seed, 24 * 8, 2);
	give(&seed, row, 1);
	give(&seed, missing, 2);
	give(&seed, whose, 1);
	give(&seed, 0, 2);
	give(&seed, 10, 4);
	give(&seed, 4, 4);
	for (int i = 0; i < CODE_STRINGS; i++)
		give(&seed, (const uint16_t[]){ 0x101, 0x105, 0x105 }[i], 2);
	give(&seed, 4, 1);
	buf_add(&seed, texts, sizeof(texts) - 1);
	for (int i = 0; i < 24; i++) {
		word = i == 2 || i == 4 ? 4
		       : i == 5         ? 0x6465666768696a6b
					: 24 * 8 * 1000 + i % 3 * 8;
		give(&seed, i == 4 ? 0x64 : word, 8);
	}
	seed_write(name, &seed);
	buf_done(&seed);
}

static void make_seeds(void)
{
	struct buf name = {};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (uint8_t whose = 0; whose < 3; whose++) {
			buf_clear(&name);
			buf_printf(&name, "row-%zu-%u", i, whose);
			make_seed(name.data, i, whose ? CODE_NO_OBJECT : 0, whose);
		}
	buf_done(&name);
}

/*
 * The record's id: any number, the id of its address, or the walker's id for the code object there.
 */
static uint64_t take_id(struct input *in, const struct wire_code *r, const struct py_layout *l,
			uint64_t code_type)
{
	uint64_t which = take(in, 1), id = which;

	if (which % 4 == 1)
		return walk_address_id(&r->proc, r->addr);
	if (which % 4 == 2)
		walk_code_id(walker, l, code_type, &r->proc, r->addr, &id);
	return id;
}

static void check_text(const char *text)
{
	MUST(!text || utf8_characters(text, strlen(text)) >= 0);
}

static void check_known(const struct codes *c, uint64_t id, int lasti)
{
	struct code_text text = {};

	MUST(codes_known(c, id));
	MUST(codes_text(c, id, lasti, &text));
	MUST(text.line >= LINE_NONE);
	check_text(text.name);
	check_text(text.file);
}

/* Takes the data after the record as the ring's reader passes it on: as long as the record says. */
static uint8_t *take_record(struct input *in, struct wire_code *r)
{
	size_t bytes = 0, len;
	uint8_t *data;

	for (int i = 0; i < CODE_STRINGS; i++) {
		r->len[i] = (uint16_t)take(in, 1);
		r->char_size[i] = (uint8_t)take(in, 1);
		bytes += r->len[i];
	}
	r->table_len = (uint32_t)take(in, 1);
	bytes += r->table_len;
	data = take_bytes(in, bytes, &len);
	if (len == bytes)
		return data;
	free(data);
	memset(r->len, 0, sizeof(r->len));
	r->table_len = 0;
	return malloc(0);
}

static void add_record(struct codes *c, struct input *in)
{
	const struct py_layout *l = &rows[take(in, 1) % COUNT(rows)];
	struct wire_code r = { .kind = RECORD_CODE, .proc = { .start_ns = 1, .tgid = 1 } };
	uint64_t looks = codes_refetched(c) + codes_unresolved(c), code_type = 0;
	uint8_t *data;
	int lasti;

	r.missing = (uint32_t)take(in, 2);
	r.addr = 8 * take(in, 2) + 24 * 8 * 1000;
	rmem_read(1, r.addr + l->ob_type, &code_type, sizeof(code_type));
	r.id = take_id(in, &r, l, code_type);
	r.first_line = (int32_t)take(in, 4);
	lasti = (int)take(in, 4);
	data = take_record(in, &r);
	if (!codes_add(c, &r, data, l, code_type))
		check_known(c, r.id, lasti);
	MUST(codes_refetched(c) + codes_unresolved(c) - looks <= 1);
	free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct codes *c = codes_new();
	size_t len = take(&in, 2);

	MUST(c);
	len = len < in.left ? len : in.left;
	memory = (struct input){ in.at + in.left - len, len };
	in.left -= len;
	for (int i = 0; i < RECORDS && in.left; i++)
		add_record(c, &in);
	codes_free(c);
	return 0;
}
