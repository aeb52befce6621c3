/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Variables of a frame, and records of them. The input is
 *
 *	version 1 (an index)  frame 4  code 4  memory ...
 *
 * The memory repeats over all addresses. Texts are bounded and printable, whatever the objects are; the records
 * that are made can be read back, and any bytes can be read as records.
 */
#include "fuzz.h"
#include "base/utf8.h"
#include "images/synth.h"
#include "proc/rmem.h"
#include "py/locals.h"

enum {
	READS = 3000,
	READ_MAX = 1 << 16,
	TEXT_MAX =
		2 * VALUE_MAX + 1024, /* what was begun when the limit was reached, and brackets */
};

static struct py_layout rows[COUNT(synth_versions)];
static struct input memory;
static uint32_t reads;

int rmem_read(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	reads++;
	return len > READ_MAX ? -EFAULT : read_repeated(&memory, buf, len, addr);
}

static void set_up(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct synth *s = synth_new(synth_versions[i]);

		rows[i] = s->l;
		synth_free(s);
	}
}

/* A function with one argument, whose value is an object of each kind of type. */
static void make_seeds(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int bit = 24; bit < 32; bit++) {
			uint64_t words[64] = {};
			struct buf name = {}, seed = {};

			for (size_t k = 0; k < COUNT(words); k++)
				words[k] = 0x10000 + 8 * ((k * 7) % COUNT(words));
			words[rows[i].co_flags / 8] = 1;
			words[10] = 1ULL << bit;
			words[12] = 2;
			give(&seed, i, 1);
			give(&seed, 0x10000, 4);
			give(&seed, 0x10000, 4);
			buf_add(&seed, words, sizeof(words));
			buf_printf(&name, "row-%zu-%d", i, bit);
			seed_write(name.data, &seed);
			buf_done(&name);
			buf_done(&seed);
		}
	}
}

static void must_be_printable(const char *s, size_t len)
{
	uint32_t c;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_next(s + i, len - i, &c);
		MUST(n && !utf8_is_control(c));
	}
}

static size_t count_records(const char *data, size_t len, bool printable)
{
	const struct local *l;
	size_t pos = 0, n = 0;

	for (; (l = locals_next(data, len, &pos)); n++) {
		const char *text = (const char *)(l + 1);

		MUST((const char *)l >= data && text <= data + len);
		if (!printable)
			continue;
		MUST(l->value_len <= TEXT_MAX && l->name_len <= TEXT_MAX);
		must_be_printable(text, l->name_len);
		must_be_printable(text + l->name_len, l->type_len);
		must_be_printable(text + l->name_len + l->type_len, l->value_len);
	}
	MUST(!printable || pos == len);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const struct py_layout *l = &rows[take(&in, 1) % COUNT(rows)];
	uint64_t frame = take(&in, 4), code = take(&in, 4);
	struct value_reader r = { .pid = 1, .l = l, .left = READS };
	struct buf out = {}, merged = {};
	static const bool moved[8];
	uint8_t *exact;
	size_t len;

	memory = in;
	reads = 0;
	locals_read(&r, 3, frame, code, &out);
	MUST(!out.err);
	MUST(reads <= 2 * READS + 64);
	locals_merge(&out, &out, moved, COUNT(moved), &merged);
	MUST(count_records(out.data, out.len, true) ==
	     count_records(merged.data, merged.len, true));
	buf_done(&out);
	buf_done(&merged);
	exact = take_bytes(&in, size, &len);
	count_records((const char *)exact, len, false);
	free(exact);
	return 0;
}
