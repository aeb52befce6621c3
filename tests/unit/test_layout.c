/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Readers mask offsets instead of comparing them, so every layout from layout_find() must be within
 * the masks, whether it comes from the table or from a target's debug offsets.
 */
#include <errno.h>
#include <string.h>

#include "images/offsets.h"
#include "py/layout.h"
#include "py/linetable.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { STR_READ = 128, OFFSETS_USED = 568 };

static const uint32_t releases[] = { 0x03060ff0, 0x030703f0, 0x030704f0, 0x030812f0, 0x030912f0,
				     0x030a0df0, 0x030b02f0, 0x030b07f0, 0x030c01f0, 0x030d00f0 };

static int find(uint32_t hex, struct py_layout *ret, struct err *err)
{
	memset(ret, 0xee, sizeof(*ret));
	memset(err, 0, sizeof(*err));
	return layout_find(hex, 0, (const uint8_t *)offsets_3_13_0, sizeof(offsets_3_13_0), ret,
			   err);
}

static int find_block(const uint64_t *words, size_t len, struct py_layout *ret, struct err *err)
{
	memset(ret, 0xee, sizeof(*ret));
	memset(err, 0, sizeof(*err));
	return layout_find(0x030d00f0, 0, (const uint8_t *)words, len, ret, err);
}

/* --- the GIL ---------------------------------------------------------------------------------- */

/*
 * Up to 3.11 it is in _PyRuntime, at a distance that depends on the size of mutexes; later it is
 * behind a pointer, or not found.
 */
TEST(where_the_gil_is)
{
	static const struct {
		uint32_t hex;
		uint16_t before, in, with_long_mutexes, status;
	} cases[] = {
		{ 0x03060ff0, 0, 0, 0, 0 },     { 0x030703f0, 216, 0, 232, 0 },
		{ 0x030812f0, 216, 0, 232, 0 }, { 0x030a0df0, 216, 0, 232, 0 },
		{ 0x030b07f0, 216, 0, 232, 0 }, { 0x030c01f0, 0, 384, 0, 24 },
		{ 0x030d00f0, 0, 16, 0, 32 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct py_layout l;
		struct err err;

		CHECK_EQ(find(cases[i].hex, &l, &err), 0);
		CHECK_EQ(l.gil_before, cases[i].before);
		CHECK_EQ(l.in_gil, cases[i].in);
		CHECK_EQ(l.ts_status, cases[i].status);
		layout_long_mutexes(&l);
		CHECK_EQ(l.gil_before, cases[i].with_long_mutexes);
	}
}

/* The flag of the collector: in _PyRuntime, then in the interpreter. */
TEST(where_the_collector_is)
{
	static const struct {
		uint32_t hex;
		uint16_t before, in, with_long_mutexes;
	} cases[] = {
		{ 0x03060ff0, 0, 0, 0 },     { 0x030703f0, 848, 0, 864 },
		{ 0x030704f0, 848, 0, 864 }, { 0x030812f0, 824, 0, 840 },
		{ 0x030912f0, 0, 816, 0 },   { 0x030a0df0, 0, 816, 0 },
		{ 0x030b07f0, 0, 848, 0 },   { 0x030c01f0, 0, 312, 0 },
		{ 0x030d00f0, 0, 7600, 0 },
	};
	struct py_layout l;
	struct err err;

	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK_EQ(find(cases[i].hex, &l, &err), 0);
		CHECK_EQ(l.collecting_before, cases[i].before);
		CHECK_EQ(l.in_collecting, cases[i].in);
		layout_long_mutexes(&l);
		CHECK_EQ(l.collecting_before, cases[i].with_long_mutexes);
	}
	CHECK_EQ(layout_find(0x030d00f0, PY_FREE_THREADED, (const uint8_t *)offsets_3_13_0,
			     sizeof(offsets_3_13_0), &l, &err),
		 0);
	CHECK_EQ(l.in_collecting, 0);
	CHECK_EQ(find_block(offsets_3_13_0, 576, &l, &err), 0); /* cut before it */
	CHECK_EQ(l.in_collecting, 0);
}

/* --- bounds ----------------------------------------------------------------------------------- */

static bool fits(uint16_t at, uint16_t width, uint16_t size)
{
	return at % width == 0 && at + width <= size;
}

static bool state_fits(const struct py_layout *l)
{
	return CHECK(l->ts_size < PY_TS_MAX) && CHECK(l->ts_size > 0) &&
	       CHECK(fits(l->ts_next, 8, l->ts_size)) && CHECK(fits(l->ts_interp, 8, l->ts_size)) &&
	       CHECK(fits(l->ts_thread_id, 8, l->ts_size)) &&
	       CHECK(fits(l->ts_native_id, 8, l->ts_size)) &&
	       CHECK(fits(l->ts_frame, 8, l->ts_size));
}

static bool frame_fits(const struct py_layout *l)
{
	uint16_t instr = l->co_bytecode ? 8 : 4;

	return CHECK(l->fr_size < PY_FRAME_MAX) && CHECK(l->fr_size > 0) &&
	       CHECK(fits(l->fr_code, 8, l->fr_size)) && CHECK(fits(l->fr_back, 8, l->fr_size)) &&
	       CHECK(fits(l->fr_instr, instr, l->fr_size)) &&
	       CHECK(fits(l->fr_owner, 1, l->fr_size)) && CHECK(fits(l->fr_entry, 1, l->fr_size)) &&
	       CHECK(fits(l->fr_stacktop, 4, l->fr_size));
}

static bool code_fits(const struct py_layout *l)
{
	bool good =
		CHECK(l->co_size < 256) && CHECK(l->co_size > 0) &&
		CHECK(fits(l->co_flags, 4, l->co_size)) &&
		CHECK(fits(l->co_firstline, 4, l->co_size)) &&
		CHECK(fits(l->co_stacksize, 4, l->co_size)) &&
		CHECK(fits(l->co_nlocalsplus, 4, l->co_size)) &&
		CHECK(fits(l->co_file, 8, l->co_size)) && CHECK(fits(l->co_name, 8, l->co_size)) &&
		CHECK(fits(l->co_qualname, 8, l->co_size)) &&
		CHECK(fits(l->co_table, 8, l->co_size)) && CHECK(fits(l->ob_type, 8, l->co_size));

	for (int i = 0; i < PY_IDENTS; i++)
		good &= CHECK(fits(l->co_ident[i], 8, l->co_size));
	return good;
}

/* The BPF program reads the state from the first 32 bytes of a str after its length. */
static bool string_fits(const struct py_layout *l)
{
	return CHECK(l->us_length % 8 == 0) && CHECK(l->us_state >= l->us_length) &&
	       CHECK(l->us_state - l->us_length <= 0x1c) && CHECK(l->us_state % 4 == 0) &&
	       CHECK(l->us_hash == l->us_length + 8) && CHECK(l->us_kind <= 28) &&
	       CHECK(l->us_ascii_bit <= 31) && CHECK(l->us_ascii % 8 == 0) &&
	       CHECK(l->us_ascii > l->us_state) &&
	       CHECK(l->us_compact == l->us_ascii + 24 || l->us_compact == l->us_ascii + 16) &&
	       CHECK(l->us_compact < l->us_length + STR_READ);
}

static bool layout_fits(const struct py_layout *l)
{
	bool good = state_fits(l);

	good &= frame_fits(l);
	good &= code_fits(l);
	return good & string_fits(l);
}

TEST(releases_are_within_the_masks)
{
	for (size_t i = 0; i < COUNT(releases); i++) {
		struct py_layout l;
		struct err err;

		if (!CHECK_EQ(find(releases[i], &l, &err), 0) || !layout_fits(&l))
			printf("# release %#x\n", releases[i]);
		CHECK_EQ(l.version, releases[i] >> 16);
	}
}

/* Their objects may be longer. */
TEST(debug_builds_are_within_the_masks)
{
	for (size_t i = 0; i < COUNT(releases); i++) {
		struct py_layout l = {};

		CHECK_EQ(layout_find(releases[i], PY_DEBUG, (const uint8_t *)offsets_3_13_0,
				     sizeof(offsets_3_13_0), &l, NULL),
			 0);
		if (!layout_fits(&l))
			printf("# release %#x\n", releases[i]);
	}
}

/* --- differences between versions ------------------------------------------------------------- */

TEST(ids_include_name_file_and_line_table)
{
	for (size_t i = 0; i < COUNT(releases); i++) {
		uint16_t name, wanted[3];
		struct py_layout l;
		struct err err;

		CHECK_EQ(find(releases[i], &l, &err), 0);
		name = l.co_qualname ? l.co_qualname : l.co_name;
		memcpy(wanted, (uint16_t[]){ name, l.co_file, l.co_table }, sizeof(wanted));
		for (size_t j = 0; j < COUNT(wanted); j++) {
			bool there = false;

			for (int k = 0; k < PY_IDENTS; k++)
				there |= l.co_ident[k] == wanted[j];
			if (!CHECK(there))
				printf("# release %#x lacks %u\n", releases[i], wanted[j]);
		}
	}
}

TEST(line_tables)
{
	struct py_layout l;
	struct err err;

	for (size_t i = 0; i < COUNT(releases); i++) {
		uint32_t version = releases[i] >> 16;

		CHECK_EQ(find(releases[i], &l, &err), 0);
		CHECK_EQ(l.line_format, version < 0x030a    ? LINETABLE_LNOTAB
					: version == 0x030a ? LINETABLE_RANGES
							    : LINETABLE_LOCATIONS);
		CHECK_EQ(!!(l.flags & PY_LASTI_UNITS), version == 0x030a);
	}
}

TEST(runtime_grew_in_3_7_4)
{
	struct py_layout before, after;
	struct err err;

	CHECK_EQ(find(0x030703f0, &before, &err), 0);
	CHECK_EQ(find(0x030704f0, &after, &err), 0);
	CHECK_EQ(after.rt_current - before.rt_current, 88);
	CHECK_EQ(after.rt_key - before.rt_key, 88);
	CHECK_EQ(after.rt_interps, before.rt_interps);
}

TEST(pre_releases_are_refused)
{
	static const uint32_t hexes[] = { 0x030700b4, 0x030b00a1, 0x030b00b3, 0x030c00c1,
					  0x030600a0 };
	struct py_layout l;
	struct err err;

	for (size_t i = 0; i < COUNT(hexes); i++) {
		CHECK_EQ(find(hexes[i], &l, &err), -ENOTSUP);
		CHECK(strstr(err.text, "pre-release") != NULL);
	}
}

TEST(other_versions_are_refused)
{
	static const uint32_t hexes[] = { 0,          0x020712f0, 0x030500f0,
					  0x040000f0, 0x026d00f0, 0xffffffff };
	struct py_layout l;
	struct err err;

	for (size_t i = 0; i < COUNT(hexes); i++) {
		CHECK_EQ(find(hexes[i], &l, &err), -ENOTSUP);
		CHECK_EQ(err.code, -ENOTSUP);
		CHECK(strstr(err.text, "not supported") != NULL);
	}
	CHECK_EQ(layout_find(0x020712f0, 0, NULL, 0, &l, NULL), -ENOTSUP);
}

/* --- debug offsets ---------------------------------------------------------------------------- */

static void check_3_13(const struct py_layout *l)
{
	CHECK_EQ(l->rt_interps, 632);
	CHECK_EQ(l->rt_key, 2164);
	CHECK_EQ(l->in_next, 7264);
	CHECK_EQ(l->in_threads, 7344);
	CHECK_EQ(l->ts_frame, 72);
	CHECK_EQ(l->ts_thread_id, 152);
	CHECK_EQ(l->ts_native_id, 160);
	CHECK_EQ(l->ts_size, 168);
	CHECK_EQ(l->fr_code, 0);
	CHECK_EQ(l->fr_back, 8);
	CHECK_EQ(l->fr_instr, 56);
	CHECK_EQ(l->fr_owner, 70);
	CHECK_EQ(l->fr_size, 72);
	CHECK_EQ(l->co_qualname, 128);
	CHECK_EQ(l->co_bytecode, 200);
	CHECK_EQ(l->us_ascii, 40);
	CHECK_EQ(l->us_compact, 56);
	CHECK_EQ(l->by_data, 32);
}

TEST(real_blocks)
{
	struct py_layout a, b;
	struct err err;

	CHECK_EQ(find_block(offsets_3_13_0, sizeof(offsets_3_13_0), &a, &err), 0);
	CHECK_EQ(find_block(offsets_3_13_5, sizeof(offsets_3_13_5), &b, &err), 0);
	CHECK(!memcmp(&a, &b, sizeof(a)));
	check_3_13(&a);
}

static void check_3_15(const struct py_layout *l)
{
	CHECK_EQ(l->rt_interps, 936);
	CHECK_EQ(l->rt_key, 0);
	CHECK_EQ(l->in_next, 7264);
	CHECK_EQ(l->in_threads, 7336);
	CHECK_EQ(l->ts_frame, 72);
	CHECK_EQ(l->ts_thread_id, 176);
	CHECK_EQ(l->ts_native_id, 184);
	CHECK_EQ(l->ts_size, 312); /* current_executor */
	CHECK_EQ(l->fr_owner, 74);
	CHECK_EQ(l->fr_size, 80);
	CHECK_EQ(l->co_table, 136);
	CHECK_EQ(l->co_bytecode, 208);
	CHECK_EQ(l->us_ascii, 40);
	CHECK_EQ(l->us_compact, 56);
	CHECK_EQ(l->us_kind, 2);
	CHECK_EQ(l->fr_tlbc, 0);
	CHECK_EQ(l->co_tlbc, 0);
	CHECK_EQ(l->flavour & PY_NEWER, l->version > 0x030f ? PY_NEWER : 0);
}

TEST(real_blocks_of_later_versions)
{
	struct py_layout l;
	struct err err = {};

	CHECK_EQ(layout_find(0x030e0af0, 0, (const uint8_t *)offsets_3_14_10,
			     sizeof(offsets_3_14_10), &l, &err),
		 0);
	CHECK_EQ(l.rt_key, 2340);
	CHECK_EQ(l.rt_interps, 808);
	CHECK_EQ(l.in_next, 7272);
	CHECK_EQ(l.in_threads, 7344);
	CHECK_EQ(l.ts_thread_id, 152);
	CHECK_EQ(l.ts_size, 280);
	CHECK_EQ(l.fr_owner, 74);
	CHECK_EQ(l.fr_size, 80);
	CHECK_EQ(l.co_bytecode, 208);
	CHECK_EQ(layout_find(0x030f02f0, 0, (const uint8_t *)offsets_3_15_2, sizeof(offsets_3_15_2),
			     &l, &err),
		 0);
	check_3_15(&l);
	/* A version newer than all known ones is read like the newest. */
	CHECK_EQ(layout_find(0x031000f0, 0, (const uint8_t *)offsets_3_15_2, sizeof(offsets_3_15_2),
			     &l, &err),
		 0);
	CHECK_EQ(l.version, 0x0310);
	check_3_15(&l);
}

/* The head of an object is 16 bytes longer, and a str has its state elsewhere (3.14). */
TEST(free_threaded)
{
	uint64_t words[COUNT(offsets_3_14_10)];
	struct py_layout l;
	struct err err = {};

	memcpy(words, offsets_3_14_10, sizeof(words));
	words[408 / 8] = 24;  /* ob_type */
	words[304 / 8] = 72;  /* tlbc_index */
	words[392 / 8] = 224; /* co_tlbc */
	CHECK_EQ(layout_find(0x030e0af0, PY_FREE_THREADED, (const uint8_t *)words, sizeof(words),
			     &l, &err),
		 0);
	CHECK_EQ(l.co_flags, 64);
	CHECK_EQ(l.co_ident[0], 32);  /* ob_size */
	CHECK_EQ(l.co_ident[2], 104); /* the word with co_version, 108 */
	CHECK_EQ(l.us_kind, 8);
	CHECK_EQ(l.us_ascii_bit, 12);
	CHECK_EQ(l.fr_tlbc, 72);
	CHECK_EQ(l.co_tlbc, 224);
	CHECK_EQ(l.co_size, 232);
	CHECK_EQ(l.flavour, PY_FREE_THREADED);
}

/* Up to 3.7 a debug build links all objects into a list; later its layout is the release's. */
TEST(debug_builds)
{
	static const uint32_t chained[] = { 0x03060ff0, 0x030710f0 };
	struct py_layout release, debug;
	struct err err = {};

	for (size_t i = 0; i < COUNT(chained); i++) {
		CHECK_EQ(layout_find(chained[i], 0, NULL, 0, &release, &err), 0);
		CHECK_EQ(layout_find(chained[i], PY_DEBUG, NULL, 0, &debug, &err), 0);
		CHECK_EQ(debug.fr_back, 40);
		CHECK_EQ(debug.fr_code, 48);
		CHECK_EQ(debug.fr_instr, release.fr_instr + 16);
		CHECK_EQ(debug.fr_size, release.fr_size + 16);
		CHECK_EQ(debug.co_file, 112);
		CHECK_EQ(debug.co_size, release.co_size + 16);
		CHECK_EQ(debug.co_ident[5], release.co_ident[5] + 16);
		CHECK_EQ(debug.ob_type, 24);
		CHECK_EQ(debug.us_ascii, 64);
		CHECK_EQ(debug.by_data, 48);
		CHECK_EQ(debug.ts_frame, release.ts_frame);
		CHECK_EQ(debug.rt_key, release.rt_key);
	}
	CHECK_EQ(layout_find(0x030812f0, 0, NULL, 0, &release, &err), 0);
	CHECK_EQ(layout_find(0x030812f0, PY_DEBUG, NULL, 0, &debug, &err), 0);
	debug.flavour = 0;
	CHECK(!memcmp(&release, &debug, sizeof(debug)));
}

/* glibc on aarch64. In 3.12 the mutexes are elsewhere; 3.6 has no _PyRuntime. */
TEST(long_mutexes)
{
	static const struct {
		uint32_t hex;
		uint16_t current, key;
	} rows[] = {
		{ 0x03060ff0, 0, 0 },       { 0x030701f0, 1408, 1436 }, { 0x030710f0, 1496, 1524 },
		{ 0x030812f0, 1384, 1412 }, { 0x030902f0, 584, 604 },   { 0x030a0df0, 584, 604 },
		{ 0x030b02f0, 592, 612 },   { 0x030c01f0, 0, 1548 },
	};
	struct py_layout l;

	for (size_t i = 0; i < COUNT(rows); i++) {
		CHECK_EQ(layout_find(rows[i].hex, 0, NULL, 0, &l, NULL), 0);
		layout_long_mutexes(&l);
		CHECK_EQ(l.rt_current, rows[i].current);
		CHECK_EQ(l.rt_key, rows[i].key);
	}
}

TEST(versions_of_blocks)
{
	uint64_t words[COUNT(offsets_3_13_0)], free_threaded = 7;
	const uint8_t *bytes = (const uint8_t *)words;

	memcpy(words, offsets_3_13_5, sizeof(words));
	CHECK_EQ(layout_offsets_version(bytes, sizeof(words), &free_threaded), 0x030d05f0);
	CHECK_EQ(free_threaded, 0);
	CHECK_EQ(layout_offsets_version(bytes, 24, &free_threaded), 0x030d05f0);
	CHECK_EQ(layout_offsets_version(bytes, 23, &free_threaded), 0);
	CHECK_EQ(layout_offsets_version(bytes, 0, &free_threaded), 0);
	words[2] = 1;
	CHECK_EQ(layout_offsets_version(bytes, sizeof(words), &free_threaded), 0x030d05f0);
	CHECK_EQ(free_threaded, 1);
	words[0] ^= 1ULL << 63;
	CHECK_EQ(layout_offsets_version(bytes, sizeof(words), &free_threaded), 0);
}

TEST(blocks_that_are_missing_or_cut)
{
	struct py_layout l;
	struct err err;

	CHECK_EQ(layout_find(0x030d00f0, 0, NULL, 0, &l, &err), -ENOTSUP);
	CHECK(strstr(err.text, "not found") != NULL);
	for (size_t len = 0; len < OFFSETS_USED; len += 4) {
		uint64_t *block = malloc(len + 1); /* exact size, for the sanitizer */

		memcpy(block, offsets_3_13_0, len);
		CHECK_EQ(find_block(block, len, &l, &err), -ENOTSUP);
		CHECK(strstr(err.text, "cut") != NULL);
		free(block);
	}
	CHECK_EQ(find_block(offsets_3_13_0, OFFSETS_USED, &l, &err), 0);
}

/* Each word of the block in turn is absurd: refused with a message, or harmless. */
TEST(absurd_blocks)
{
	static const uint64_t absurd[] = { 1,     3,     4,          7,     100,        120,  128,
					   216,   224,   248,        500,   504,        512,  4096,
					   32768, 65528, UINT16_MAX, 65536, 1ULL << 40, ~0ULL };
	uint64_t words[COUNT(offsets_3_13_0)];
	unsigned int refused = 0;

	for (size_t i = 3; i < COUNT(words); i++)
		for (size_t j = 0; j < COUNT(absurd); j++) {
			struct py_layout l;
			struct err err;

			memcpy(words, offsets_3_13_0, sizeof(words));
			words[i] = absurd[j];
			if (find_block(words, sizeof(words), &l, &err)) {
				refused++;
				CHECK_EQ(err.code, -ENOTSUP);
				CHECK(!strncmp(err.text, "debug offsets: ", 15));
			} else if (!layout_fits(&l)) {
				printf("# word %zu (byte %zu) = %#llx\n", i, i * 8,
				       (unsigned long long)absurd[j]);
			}
		}
	CHECK(refused > 100);
}
