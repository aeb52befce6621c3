/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code objects from hand-made records. Parts that a record lacks are read from this process, which
 * contains the memory of a synthetic interpreter.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "images/synth.h"
#include "py/code.h"
#include "py/linetable.h"
#include "tap.h"

enum { NOBODY = 0x7ffffff0, FIRST = 10 };

static void codes_freep(struct codes **c)
{
	codes_free(*c);
}

#define _codes_ _cleanup_(codes_freep)
#define _buf_   _cleanup_(buf_done)

/* A record and the data after it. */
struct record {
	struct wire_code head;
	struct buf data;
};

static void record_done(struct record *r)
{
	buf_done(&r->data);
}

#define _record_ _cleanup_(record_done)

static struct record record_new(uint64_t id)
{
	return (struct record){ .head = { .kind = RECORD_CODE,
					  .id = id,
					  .addr = 0x1000,
					  .proc = { .start_ns = 1, .tgid = NOBODY },
					  .first_line = FIRST,
					  .char_size = { 1, 1, 1 } } };
}

/* Put the strings in the order of enum CODE_*, then the table. */
static void put_string(struct record *r, int which, const void *data, size_t len, uint8_t char_size)
{
	r->head.len[which] = len;
	r->head.char_size[which] = char_size;
	buf_add(&r->data, data, len);
}

static void put_table(struct record *r, const void *table, size_t len)
{
	r->head.table_len = len;
	buf_add(&r->data, table, len);
}

static int add(struct codes *c, const struct record *r, uint32_t hex)
{
	_free_ uint8_t *exact = malloc(r->data.len + 1); /* exact size, for the sanitizer */
	struct py_layout l;

	if (layout_find(hex, 0, (const uint8_t *)offsets_3_13_0, sizeof(offsets_3_13_0), &l, NULL))
		return -EINVAL;
	if (r->data.len)
		memcpy(exact + 1, r->data.data, r->data.len);
	return codes_add(c, &r->head, exact + 1, &l, 0);
}

static struct code_text text_of(const struct codes *c, uint64_t id, int lasti)
{
	struct code_text text = { .line = 12345 };

	CHECK(codes_text(c, id, lasti, &text));
	return text;
}

/* --- complete records ------------------------------------------------------------------------- */

static const uint8_t lnotab[] = { 2, 1, 4, 2 };

static void add_plain(struct codes *c, uint64_t id, const char *name)
{
	_record_ struct record r = record_new(id);

	put_string(&r, CODE_NAME, name, strlen(name), 1);
	put_string(&r, CODE_FILE, "/f.py", 5, 1);
	put_table(&r, lnotab, sizeof(lnotab));
	CHECK_EQ(add(c, &r, 0x030912f0), 0);
}

TEST(plain)
{
	_codes_ struct codes *c = codes_new();

	CHECK(!codes_known(c, 5));
	CHECK(!codes_text(c, 5, 0, &(struct code_text){ 0 }));
	add_plain(c, 5, "f");
	CHECK(codes_known(c, 5));
	CHECK(!codes_known(c, 6));
	CHECK_STR(text_of(c, 5, 0).name, "f");
	CHECK_STR(text_of(c, 5, 0).file, "/f.py");
	CHECK_EQ(codes_refetched(c), 0);
	CHECK_EQ(codes_unresolved(c), 0);
}

TEST(qualified_name_is_preferred)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5);
	static const uint8_t table[] = { 0xf8 };

	put_string(&r, CODE_NAME, "run", 3, 1);
	put_string(&r, CODE_QUALNAME, "Box.run", 7, 1);
	put_string(&r, CODE_FILE, "/f.py", 5, 1);
	put_table(&r, table, sizeof(table));
	CHECK_EQ(add(c, &r, 0x030b07f0), 0);
	CHECK_STR(text_of(c, 5, 0).name, "Box.run");
}

/* An empty name is a name, not a missing one. */
TEST(empty_names)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5), named = record_new(6);

	put_string(&r, CODE_FILE, "/f.py", 5, 1);
	put_table(&r, lnotab, sizeof(lnotab));
	CHECK_EQ(add(c, &r, 0x030912f0), 0);
	CHECK_STR(text_of(c, 5, 0).name, "");
	CHECK_STR(text_of(c, 5, 0).file, "/f.py");
	CHECK_EQ(text_of(c, 5, 2).line, FIRST + 1);
	put_string(&named, CODE_NAME, "run", 3, 1);
	put_table(&named, lnotab, sizeof(lnotab));
	CHECK_EQ(add(c, &named, 0x030c01f0), 0);
	CHECK_STR(text_of(c, 6, 0).name, "run"); /* preferred to an empty qualified name */
	CHECK_STR(text_of(c, 6, 0).file, "");
	CHECK_EQ(codes_unresolved(c), 0);
}

/* In a version without qualified names, a missing name must not turn into an empty one. */
TEST(missing_name_is_not_empty)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5);

	r.head.missing = CODE_NO_NAME;
	put_string(&r, CODE_FILE, "/f.py", 5, 1);
	put_table(&r, lnotab, sizeof(lnotab));
	CHECK_EQ(add(c, &r, 0x030912f0), 0);
	CHECK(text_of(c, 5, 0).name == NULL);
	CHECK_STR(text_of(c, 5, 0).file, "/f.py");
	CHECK_EQ(codes_unresolved(c), 1);
}

TEST(strings_of_all_widths)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5);
	static const uint16_t two[] = { 0x6f22, 0x5b57 };
	static const uint32_t four[] = { 0x1f600, 'x' };

	put_string(&r, CODE_NAME, two, sizeof(two), 2);
	put_string(&r, CODE_QUALNAME, "f\xf6hn", 4, 1);
	put_string(&r, CODE_FILE, four, sizeof(four), 4);
	put_table(&r, lnotab, sizeof(lnotab));
	CHECK_EQ(add(c, &r, 0x030912f0), 0);
	CHECK_STR(text_of(c, 5, 0).name, "f\xc3\xb6hn");
	CHECK_STR(text_of(c, 5, 0).file, "\xf0\x9f\x98\x80x");
	r.head.id = 6;
	r.head.len[CODE_QUALNAME] = 0;
	buf_clear(&r.data);
	buf_add(&r.data, two, sizeof(two));
	buf_add(&r.data, four, sizeof(four));
	buf_add(&r.data, lnotab, sizeof(lnotab));
	CHECK_EQ(add(c, &r, 0x030912f0), 0);
	CHECK_STR(text_of(c, 6, 0).name, "\xe6\xbc\xa2\xe5\xad\x97");
}

TEST(invalid_widths)
{
	_codes_ struct codes *c = codes_new();

	for (int size = 0; size < 256; size++) {
		_record_ struct record r = record_new(100 + size);

		put_string(&r, CODE_NAME, "abcdefg", 7, size);
		put_string(&r, CODE_FILE, "/f.py", 5, 1);
		put_table(&r, lnotab, sizeof(lnotab));
		CHECK_EQ(add(c, &r, 0x030912f0), 0);
		CHECK_STR(text_of(c, 100 + size, 0).file, "/f.py");
		if (size != 1 && size != 2 && size != 4)
			CHECK(text_of(c, 100 + size, 0).name == NULL);
	}
}

TEST(lines_of_lnotab)
{
	_codes_ struct codes *c = codes_new();

	add_plain(c, 5, "f");
	CHECK_EQ(text_of(c, 5, -1).line, FIRST);
	CHECK_EQ(text_of(c, 5, 0).line, FIRST);
	CHECK_EQ(text_of(c, 5, 2).line, FIRST + 1);
	CHECK_EQ(text_of(c, 5, 5).line, FIRST + 1);
	CHECK_EQ(text_of(c, 5, 6).line, FIRST + 3);
	CHECK_EQ(text_of(c, 5, 6000).line, FIRST + 3);
}

TEST(lines_of_ranges)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5);
	static const uint8_t table[] = { 4, 0, 2, 0x80, 4, 5 };

	put_string(&r, CODE_NAME, "f", 1, 1);
	put_string(&r, CODE_FILE, "/f.py", 5, 1);
	put_table(&r, table, sizeof(table));
	CHECK_EQ(add(c, &r, 0x030a0df0), 0);
	CHECK_EQ(text_of(c, 5, 2).line, FIRST);
	CHECK_EQ(text_of(c, 5, 4).line, LINE_NONE);
	CHECK_EQ(text_of(c, 5, 8).line, FIRST + 5);
	CHECK_EQ(text_of(c, 5, 10).line, LINE_NONE);
}

TEST(lines_of_locations)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5);
	/* 2 units one line down; 1 unit five lines further down; 1 unit without a line. */
	static const uint8_t table[] = { 0x80 | 11 << 3 | 1, 0, 0, 0x80 | 13 << 3, 10, 0xf8 };

	put_string(&r, CODE_QUALNAME, "f", 1, 1);
	put_string(&r, CODE_FILE, "/f.py", 5, 1);
	put_table(&r, table, sizeof(table));
	CHECK_EQ(add(c, &r, 0x030c01f0), 0);
	CHECK_EQ(text_of(c, 5, 2).line, FIRST + 1);
	CHECK_EQ(text_of(c, 5, 4).line, FIRST + 6);
	CHECK_EQ(text_of(c, 5, 6).line, LINE_NONE);
	CHECK_EQ(text_of(c, 5, -2).line, FIRST);
}

TEST(empty_table)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5);

	put_string(&r, CODE_NAME, "f", 1, 1);
	put_string(&r, CODE_FILE, "/f.py", 5, 1);
	CHECK_EQ(add(c, &r, 0x030912f0), 0);
	CHECK_EQ(text_of(c, 5, 4).line, FIRST);
	CHECK_EQ(codes_unresolved(c), 0);
}

/* A negative line number is reported as no line. */
TEST(first_line_below_zero)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5);

	r.head.first_line = -2;
	put_string(&r, CODE_NAME, "f", 1, 1);
	put_string(&r, CODE_FILE, "/f.py", 5, 1);
	CHECK_EQ(add(c, &r, 0x030a0df0), 0);
	CHECK_EQ(text_of(c, 5, 0).line, LINE_NONE);
	CHECK_EQ(text_of(c, 5, -2).line, LINE_NONE);
}

/*
 * This would take seconds if the table were searched for every instruction before the one asked
 * for.
 */
TEST(large_table_without_lines)
{
	enum { LARGE = 8 << 20 };
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5);
	_free_ uint8_t *table = calloc(1, LARGE);
	clock_t start;

	r.head.first_line = 0;
	put_string(&r, CODE_NAME, "f", 1, 1);
	put_string(&r, CODE_FILE, "/f.py", 5, 1);
	put_table(&r, table, LARGE);
	CHECK_EQ(add(c, &r, 0x030912f0), 0);
	start = clock();
	CHECK_EQ(text_of(c, 5, 512).line, 0);
	CHECK(clock() - start < CLOCKS_PER_SEC / 2);
}

/* Processes that run the same code share its tables, so the limit on memory leaves none without. */
TEST(tables_of_many_processes)
{
	enum { PROCESSES = 10000, LARGE = 32000 };
	_codes_ struct codes *c = codes_new();
	_free_ uint8_t *table = calloc(1, LARGE);
	int without = 0;

	for (uint64_t id = 1; id <= PROCESSES; id++) {
		_record_ struct record r = record_new(id);

		put_string(&r, CODE_NAME, "f", 1, 1);
		put_string(&r, CODE_FILE, "/f.py", 5, 1);
		put_table(&r, table, LARGE);
		CHECK_EQ(add(c, &r, 0x030912f0), 0);
		without += text_of(c, id, 0).line == LINE_NONE;
	}
	CHECK_EQ(without, 0);
}

TEST(many)
{
	_codes_ struct codes *c = codes_new();
	char name[16];

	for (uint64_t id = 1; id <= 2000; id++) {
		snprintf(name, sizeof(name), "f%u", (unsigned int)id % 50);
		add_plain(c, id, name);
	}
	for (uint64_t id = 1; id <= 2000; id++) {
		snprintf(name, sizeof(name), "f%u", (unsigned int)id % 50);
		CHECK_STR(text_of(c, id, 0).name, name);
	}
}

/* --- incomplete records of a process that is gone --------------------------------------------- */

TEST(without_the_object)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5);

	r.head.missing = CODE_NO_OBJECT;
	r.head.first_line = 0;
	CHECK_EQ(add(c, &r, 0x030b07f0), 0);
	CHECK(codes_known(c, 5));
	CHECK(text_of(c, 5, 0).name == NULL);
	CHECK(text_of(c, 5, 0).file == NULL);
	CHECK_EQ(text_of(c, 5, 0).line, LINE_NONE);
	CHECK_EQ(codes_unresolved(c), 1);
	CHECK_EQ(codes_refetched(c), 0);
}

/* The sampled task itself reads the missing part a moment later. */
TEST(completed_later)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5);

	r.head.missing = CODE_NO_TABLE;
	put_string(&r, CODE_NAME, "f", 1, 1);
	put_string(&r, CODE_FILE, "/f.py", 5, 1);
	CHECK_EQ(add(c, &r, 0x030912f0), 0);
	CHECK_EQ(add(c, &r, 0x030912f0), 0);
	CHECK_EQ(codes_unresolved(c), 1); /* counted once, however often it is tried */
	add_plain(c, 5, "f");
	CHECK_EQ(codes_unresolved(c), 0);
	CHECK_EQ(codes_refetched(c), 1);
	add_plain(c, 5, "f");
	CHECK_EQ(codes_refetched(c), 1);
}

/* A part that only the earlier record has is kept. */
TEST(parts_of_two_records)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record table = record_new(5), names = record_new(5);

	table.head.missing = CODE_NO_NAME | CODE_NO_FILE;
	put_table(&table, lnotab, sizeof(lnotab));
	CHECK_EQ(add(c, &table, 0x030912f0), 0);
	names.head.missing = CODE_NO_TABLE;
	put_string(&names, CODE_NAME, "f", 1, 1);
	put_string(&names, CODE_FILE, "/f.py", 5, 1);
	CHECK_EQ(add(c, &names, 0x030912f0), 0);
	CHECK_STR(text_of(c, 5, 0).name, "f");
	CHECK(text_of(c, 5, 0).line != LINE_NONE);
}

TEST(without_a_part)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5), s = record_new(6);

	r.head.missing = CODE_NO_FILE | CODE_NO_TABLE;
	put_string(&r, CODE_NAME, "f", 1, 1);
	CHECK_EQ(add(c, &r, 0x030912f0), 0);
	CHECK_STR(text_of(c, 5, 0).name, "f");
	CHECK(text_of(c, 5, 0).file == NULL);
	CHECK_EQ(text_of(c, 5, 0).line, LINE_NONE);
	s.head.missing = CODE_NO_QUALNAME;
	put_string(&s, CODE_NAME, "run", 3, 1);
	put_string(&s, CODE_FILE, "/f.py", 5, 1);
	put_table(&s, lnotab, sizeof(lnotab));
	CHECK_EQ(add(c, &s, 0x030912f0), 0);
	CHECK_STR(text_of(c, 6, 0).name, "run"); /* better than no name */
	CHECK_EQ(text_of(c, 6, 0).line, FIRST);
	CHECK_EQ(codes_unresolved(c), 2);
}

/* A cut name is shown if there is no whole one; a cut table would give wrong lines. */
TEST(cut)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5);

	r.head.missing = CODE_CUT_NAME | CODE_CUT_TABLE;
	put_string(&r, CODE_NAME, "long_na", 7, 1);
	put_string(&r, CODE_FILE, "/f.py", 5, 1);
	put_table(&r, lnotab, 2);
	CHECK_EQ(add(c, &r, 0x030912f0), 0);
	CHECK_STR(text_of(c, 5, 0).name, "long_na");
	CHECK_EQ(text_of(c, 5, 6).line, LINE_NONE);
}

TEST(sent_again)
{
	_codes_ struct codes *c = codes_new();
	_record_ struct record r = record_new(5);

	r.head.missing = CODE_NO_FILE | CODE_NO_TABLE;
	put_string(&r, CODE_NAME, "f", 1, 1);
	CHECK_EQ(add(c, &r, 0x030912f0), 0);
	add_plain(c, 5, "f");
	CHECK_STR(text_of(c, 5, 0).file, "/f.py");
	CHECK_EQ(text_of(c, 5, 2).line, FIRST + 1);
	add_plain(c, 5, "other"); /* ignored: the code object is complete */
	CHECK_STR(text_of(c, 5, 0).name, "f");
}

TEST(freeing_nothing)
{
	codes_free(NULL);
}

/* --- the second look -------------------------------------------------------------------------- */

static const char *const long_name =
	"a_very_long_name_that_is_read_whole_although_no_record_would_have_had_the_place_for_it";

/* A record of a code object in this process, without the parts in @missing. */
static struct record record_of(struct synth *s, uint64_t code, uint32_t missing)
{
	struct record r = record_new(0);

	r.head.proc.tgid = s->thread.proc.tgid = getpid();
	r.head.proc.start_ns = s->thread.proc.start_ns;
	r.head.addr = code;
	r.head.missing = missing;
	CHECK_EQ(walk_code_id(s->walk, &s->l, s->info.code_type, &s->thread.proc, code,
			      (uint64_t *)&r.head.id),
		 0);
	return r;
}

static uint64_t code_with_table(struct synth *s)
{
	static const uint8_t tables[][4] = {
		[LINETABLE_LNOTAB] = { 2, 1, 4, 2 },
		[LINETABLE_RANGES] = { 2, 0, 90, 7 },
		[LINETABLE_LOCATIONS] = { 0x80 | 13 << 3, 14, 0x80, 0 },
	};
	uint64_t code = synth_code(s, long_name), table = synth_get(s, code + s->l.co_table);

	synth_put(s, table + s->l.by_size, 4);
	memcpy(synth_at(s, table + s->l.by_data, 4), tables[s->l.line_format], 4);
	return code;
}

/* A code object of a synthetic process, which is this one, and a record of it. */
struct look {
	struct synth *s;
	struct codes *c;
	uint64_t code;
	struct record r;
};

static struct look look_new(uint32_t hex, uint32_t missing)
{
	struct look l = { .s = synth_new(hex), .c = codes_new() };

	l.code = code_with_table(l.s);
	l.r = record_of(l.s, l.code, missing);
	return l;
}

static void look_done(struct look *l)
{
	record_done(&l->r);
	codes_free(l->c);
	synth_free(l->s);
}

#define _look_ _cleanup_(look_done)

/* True if the addresses in the record are real, so that the missing parts can be read there. */
static bool look_can_read(const struct look *l)
{
	return synth_is_real(l->s);
}

static const char unreadable[] = "the addresses of the synthetic process are in use";

static int look_add(const struct look *l)
{
	return codes_add(l->c, &l->r.head, (const uint8_t *)(l->r.data.data ? l->r.data.data : ""),
			 &l->s->l, l->s->info.code_type);
}

static struct code_text look_text(const struct look *l)
{
	return text_of(l->c, l->r.head.id, 0);
}

static void check_second_look(const struct look *l)
{
	static const int lines[] = {
		[LINETABLE_LNOTAB] = 0, [LINETABLE_RANGES] = 0, [LINETABLE_LOCATIONS] = 7
	};
	struct code_text text;

	CHECK_EQ(look_add(l), 0);
	CHECK_EQ(codes_refetched(l->c), 1);
	CHECK_EQ(codes_unresolved(l->c), 0);
	text = look_text(l);
	CHECK_STR(text.name, long_name);
	CHECK_STR(text.file, "/synth/file.py");
	CHECK_EQ(text.line, SYNTH_LINE + lines[l->s->l.line_format]);
}

TEST(second_look)
{
	for (size_t i = 0; i < sizeof(synth_versions) / sizeof(synth_versions[0]); i++) {
		_look_ struct look l = look_new(synth_versions[i], CODE_NO_OBJECT);
		unsigned int before = tap.failures;

		if (!look_can_read(&l))
			SKIP(unreadable);
		check_second_look(&l);
		if (tap.failures != before)
			printf("# with the layout of %#x\n", synth_versions[i]);
	}
}

TEST(second_look_at_an_empty_name)
{
	_look_ struct look l = look_new(0x030b07f0, CODE_NO_OBJECT);

	if (!look_can_read(&l))
		SKIP(unreadable);
	synth_put(l.s, l.code + l.s->l.co_name, synth_str(l.s, ""));
	synth_put(l.s, l.code + l.s->l.co_qualname, synth_str(l.s, ""));
	record_done(&l.r);
	l.r = record_of(l.s, l.code, CODE_NO_OBJECT); /* the names are part of its id */
	CHECK_EQ(look_add(&l), 0);
	CHECK_STR(look_text(&l).name, "");
	CHECK_EQ(codes_refetched(l.c), 1);
	CHECK_EQ(codes_unresolved(l.c), 0);
}

/* Another code object is now at that address: its names are not the frame's. */
TEST(second_look_at_another_code_object)
{
	_look_ struct look l = look_new(0x030b07f0, CODE_NO_FILE);

	if (!look_can_read(&l))
		SKIP(unreadable);
	put_string(&l.r, CODE_QUALNAME, "f", 1, 1);
	synth_put(l.s, l.code + l.s->l.co_qualname, synth_str(l.s, "other"));
	CHECK_EQ(look_add(&l), 0);
	CHECK_STR(look_text(&l).name, "f");
	CHECK(look_text(&l).file == NULL);
	CHECK_EQ(codes_unresolved(l.c), 1);
	synth_put(l.s, l.code + l.s->l.ob_type, 0);
	l.r.head.id++;
	CHECK_EQ(look_add(&l), 0);
	CHECK_EQ(codes_unresolved(l.c), 2);
}

TEST(second_look_by_address)
{
	_look_ struct look l = look_new(0x030912f0, CODE_NO_OBJECT);

	if (!look_can_read(&l))
		SKIP(unreadable);
	l.r.head.id = walk_address_id(&l.s->thread.proc, l.code);
	CHECK_EQ(look_add(&l), 0);
	CHECK_STR(look_text(&l).name, long_name);
	l.r.head.proc.exec_id++; /* another process */
	l.r.head.id++;
	CHECK_EQ(look_add(&l), 0);
	CHECK(look_text(&l).name == NULL);
}

static void check_absurd_length(struct look *l, uint64_t length)
{
	const struct py_layout *at = &l->s->l;

	put_string(&l->r, CODE_QUALNAME, "begin", 5, 1);
	put_string(&l->r, CODE_FILE, "/f.py", 5, 1);
	put_table(&l->r, "\x80", 1);
	synth_put(l->s, synth_get(l->s, l->code + at->co_qualname) + at->us_length, length);
	CHECK_EQ(look_add(l), 0);
	CHECK_STR(look_text(l).name, "begin");
	synth_put(l->s, synth_get(l->s, l->code + at->co_table) + at->by_size, length | 1ULL << 40);
	l->r.head.id = walk_address_id(&l->s->thread.proc, l->code);
	l->r.head.missing = CODE_CUT_TABLE;
	CHECK_EQ(look_add(l), 0);
	CHECK_EQ(look_text(l).line, LINE_NONE);
}

/* Parts that the record has are kept if the second look finds less. */
TEST(second_look_at_absurd_strings)
{
	static const uint64_t lengths[] = { 1ULL << 62, ~0ULL, 1 << 21, 1ULL << 32 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		_look_ struct look l = look_new(0x030c01f0, CODE_CUT_QUALNAME);

		if (!look_can_read(&l))
			SKIP(unreadable);
		check_absurd_length(&l, lengths[i]);
	}
}

/* The memory for large tables is limited; code objects beyond the limit count as unresolved. */
TEST(second_look_at_many_large_tables)
{
	enum { LARGE = 15 << 20, OBJECTS = 20, KEPT = 17 };
	_look_ struct look l = look_new(0x030912f0, CODE_CUT_TABLE);
	const struct py_layout *at = &l.s->l;
	_free_ uint8_t *table = calloc(1, LARGE + 64);
	uint64_t length = LARGE;

	if (!look_can_read(&l))
		SKIP(unreadable);
	memcpy(table + at->by_size, &length, sizeof(length));
	for (int i = 0; i < OBJECTS; i++) {
		l.r.head.addr = synth_code(l.s, "f");
		synth_put(l.s, l.r.head.addr + at->co_table, (uintptr_t)table);
		l.r.head.id = walk_address_id(&l.s->thread.proc, l.r.head.addr);
		table[at->by_data + LARGE - 2] = i; /* no two tables are equal */
		CHECK_EQ(look_add(&l), 0);
		CHECK_STR(look_text(&l).name, "f");
		CHECK_EQ(look_text(&l).line, i < KEPT ? SYNTH_LINE : LINE_NONE);
	}
	CHECK_EQ(codes_refetched(l.c), KEPT);
	CHECK_EQ(codes_unresolved(l.c), OBJECTS - KEPT);
}

TEST(second_look_at_an_unreadable_place)
{
	_look_ struct look l = look_new(0x030d00f0, CODE_NO_OBJECT);

	l.r.head.addr = 8;
	CHECK_EQ(look_add(&l), 0);
	CHECK_EQ(codes_unresolved(l.c), 1);
	CHECK(look_text(&l).name == NULL);
}
