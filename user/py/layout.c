/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows were read from the DWARF of release builds and checked on live interpreters. A row holds
 * for every patch release of its minor version, except 3.7, whose runtime grew by 88 bytes in
 * 3.7.4.
 *
 * From 3.13 on a row has only the fields that _Py_DebugOffsets lacks; the target's own numbers,
 * which may change in any patch release, fill the others. A minor version newer than the table is
 * read like the newest one: its offsets must be plausible, and its live memory must agree
 * (detect.c).
 *
 * Flavours: up to 3.7 a debug build has two more words at the head of each object; later debug
 * builds have the layout of a release. A free-threaded build also has a longer object head. From
 * 3.14 on it has per-thread bytecode, too, and another encoding of a str's state.
 */
#include "py/layout.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "py/linetable.h"

#define STR_48                                                                                     \
	.ob_type = 8, .us_length = 16, .us_hash = 24, .us_state = 32, .us_kind = 2,                \
	.us_ascii_bit = 6, .us_ascii = 48, .us_compact = 72, .by_size = 16, .by_data = 32
#define STR_40                                                                                     \
	.ob_type = 8, .us_length = 16, .us_hash = 24, .us_state = 32, .us_kind = 2,                \
	.us_ascii_bit = 6, .us_ascii = 40, .us_compact = 56, .by_size = 16, .by_data = 32

#define CODE_3_6                                                                                   \
	.co_size = 120, .co_flags = 32, .co_firstline = 36, .co_code = 40, .co_file = 96,          \
	.co_name = 104, .co_table = 112, .co_ident = { 32, 40, 48, 96, 104, 112 }
#define CODE_3_8                                                                                   \
	.co_size = 128, .co_flags = 36, .co_firstline = 40, .co_code = 48, .co_file = 104,         \
	.co_name = 112, .co_table = 120, .co_ident = { 40, 48, 56, 104, 112, 120 }
#define CODE_3_11                                                                                  \
	.co_size = 144, .co_flags = 48, .co_stacksize = 68, .co_firstline = 72,                    \
	.co_nlocalsplus = 76, .co_file = 112, .co_name = 120, .co_qualname = 128, .co_table = 136, \
	.co_ident = { 16, 24, 72, 112, 128, 136 }
#define CODE_3_12                                                                                  \
	.co_size = 144, .co_flags = 48, .co_firstline = 68, .co_file = 112, .co_name = 120,        \
	.co_qualname = 128, .co_table = 136, .co_ident = { 16, 64, 88, 112, 128, 136 }

#define TSTATE_3_7                                                                                 \
	.ts_size = 184, .ts_next = 8, .ts_interp = 16, .ts_frame = 24, .ts_thread_id = 176
#define FRAME_3_6(lasti)                                                                           \
	.fr_size = (lasti) + 4, .fr_back = 24, .fr_code = 32, .fr_instr = (lasti),                 \
	.fo_line = (lasti) + 4, .in_threads = 8

static const struct py_layout rows[] = {
	{ .version = 0x0306,
	  .line_format = LINETABLE_LNOTAB,
	  .ts_size = 160,
	  .ts_next = 8,
	  .ts_interp = 16,
	  .ts_frame = 24,
	  .ts_thread_id = 152,
	  FRAME_3_6(120),
	  CODE_3_6,
	  STR_48,
	  .in_modules = 16 },
	{ .version = 0x0307,
	  .flags = PY_KEY_FLAG,
	  .line_format = LINETABLE_LNOTAB,
	  TSTATE_3_7,
	  FRAME_3_6(104),
	  CODE_3_6,
	  STR_48,
	  .in_modules = 40,
	  .rt_interps = 24,
	  .rt_current = 1480,
	  .gil_before = 216,
	  .collecting_before = 848,
	  .rt_key = 1508 },
	{ .version = 0x0308,
	  .flags = PY_KEY_FLAG,
	  .line_format = LINETABLE_LNOTAB,
	  TSTATE_3_7,
	  FRAME_3_6(104),
	  CODE_3_8,
	  STR_48,
	  .in_modules = 56,
	  .rt_interps = 32,
	  .rt_current = 1368,
	  .gil_before = 216,
	  .collecting_before = 824,
	  .rt_key = 1396 },
	{ .version = 0x0309,
	  .flags = PY_KEY_FLAG,
	  .line_format = LINETABLE_LNOTAB,
	  TSTATE_3_7,
	  FRAME_3_6(104),
	  CODE_3_8,
	  STR_48,
	  .in_modules = 856,
	  .in_collecting = 816,
	  .rt_interps = 32,
	  .rt_current = 568,
	  .gil_before = 216,
	  .rt_key = 588 },
	{ .version = 0x030a,
	  .flags = PY_KEY_FLAG | PY_LASTI_UNITS | PY_GEN_NEEDS_BACK,
	  .line_format = LINETABLE_RANGES,
	  TSTATE_3_7,
	  .ts_cframe = 48,
	  FRAME_3_6(96),
	  CODE_3_8,
	  STR_48,
	  .in_modules = 856,
	  .in_collecting = 816,
	  .rt_interps = 32,
	  .rt_current = 568,
	  .gil_before = 216,
	  .rt_key = 588 },
	{ .version = 0x030b,
	  .flags = PY_KEY_FLAG | PY_IFRAME | PY_CFRAME | PY_IS_ENTRY | PY_CONTIGUOUS |
		   PY_ENTRY_WINDOW,
	  .line_format = LINETABLE_LOCATIONS,
	  .ts_size = 304,
	  .ts_next = 8,
	  .ts_interp = 16,
	  .ts_frame = 56,
	  .ts_cframe = 56,
	  .ts_chunk = 296,
	  .cf_frame = 8,
	  .ts_thread_id = 152,
	  .ts_native_id = 160,
	  .fr_size = 72,
	  .fr_code = 32,
	  .fr_back = 48,
	  .fr_instr = 56,
	  .fr_entry = 68,
	  .fr_stacktop = 64,
	  .fr_owner = 69,
	  .fr_locals = 72,
	  .fr_object = 40,
	  .fo_line = 40,
	  CODE_3_11,
	  .co_bytecode = 184,
	  STR_48,
	  .in_modules = 888,
	  .in_collecting = 848,
	  .in_threads = 16,
	  .rt_interps = 40,
	  .rt_current = 576,
	  .gil_before = 216,
	  .rt_key = 596 },
	{ .version = 0x030c,
	  .flags = PY_KEY_FLAG | PY_IFRAME | PY_CFRAME | PY_SHIM | PY_CONTIGUOUS | PY_ENTRY_WINDOW |
		   PY_CODE_VERSION,
	  .line_format = LINETABLE_LOCATIONS,
	  .ts_size = 240,
	  .ts_next = 8,
	  .ts_interp = 16,
	  .ts_frame = 56,
	  .ts_cframe = 56,
	  .ts_chunk = 232,
	  .ts_status = 24,
	  .ts_thread_id = 136,
	  .ts_native_id = 144,
	  .fr_size = 72,
	  .fr_back = 8,
	  .fr_instr = 56,
	  .fr_owner = 70,
	  .fr_stacktop = 64,
	  .fr_return = 68,
	  .owner_shim = 3,
	  .fr_locals = 72,
	  .fr_object = 48,
	  .fo_line = 40,
	  CODE_3_12,
	  .co_stacksize = 64,
	  .co_nlocalsplus = 72,
	  .co_bytecode = 192,
	  STR_40,
	  .in_modules = 944,
	  .in_collecting = 312,
	  .in_threads = 72,
	  .in_gil = 384,
	  .rt_interps = 40,
	  .rt_key = 1548 },
	{ .version = 0x030d,
	  .flags = PY_KEY_FLAG | PY_IFRAME | PY_SHIM | PY_CODE_VERSION | PY_INIT_CLEANUP,
	  .line_format = LINETABLE_LOCATIONS,
	  .owner_shim = 3,
	  .fr_object = 48,
	  .fo_line = 40,
	  CODE_3_12,
	  STR_40,
	  .rt_key = 2164 },
	{ .version = 0x030e,
	  .flags = PY_KEY_FLAG | PY_IFRAME | PY_SHIM | PY_CODE_VERSION | PY_INIT_CLEANUP,
	  .line_format = LINETABLE_LOCATIONS,
	  .ts_executor = 272,
	  .owner_shim = 3,
	  .fr_object = 48,
	  .fo_line = 40,
	  CODE_3_12,
	  STR_40,
	  .rt_key = 2340 },
	/* The thread state is now in a thread-local variable instead of a pthread key. */
	{ .version = 0x030f,
	  .flags = PY_IFRAME | PY_SHIM | PY_CODE_VERSION | PY_INIT_CLEANUP,
	  .line_format = LINETABLE_LOCATIONS,
	  .ts_executor = 304,
	  .owner_shim = 3,
	  .fr_object = 48,
	  .fo_line = 40,
	  CODE_3_12,
	  STR_40 },
};

enum { FIRST_WITH_OFFSETS = 0x030d, NEWEST = 0x030f };

/* Offsets of the layout's fields in the _Py_DebugOffsets of 3.13, 3.14 and 3.15; 0: not in it. */
static const struct {
	uint16_t to; /* in struct py_layout */
	uint16_t from[NEWEST - FIRST_WITH_OFFSETS + 1];
} fields[] = {
#define FIELD(name, ...)                                                                           \
	{                                                                                          \
		offsetof(struct py_layout, name),                                                  \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
	FIELD(rt_interps, 40, 40, 40),      FIELD(in_next, 64, 64, 64),
	FIELD(in_threads, 72, 72, 72),      FIELD(ts_next, 168, 192, 192),
	FIELD(ts_interp, 176, 200, 200),    FIELD(ts_frame, 184, 208, 208),
	FIELD(ts_thread_id, 192, 216, 240), FIELD(ts_native_id, 200, 224, 248),
	FIELD(ts_status, 216, 240, 264),    FIELD(fr_back, 232, 256, 320),
	FIELD(fr_code, 240, 264, 328),      FIELD(fr_instr, 248, 272, 336),
	FIELD(fr_locals, 256, 280, 344),    FIELD(fr_owner, 264, 288, 352),
	FIELD(fr_tlbc, 0, 304, 368),        FIELD(co_file, 280, 320, 384),
	FIELD(co_name, 288, 328, 392),      FIELD(co_qualname, 296, 336, 400),
	FIELD(co_table, 304, 344, 408),     FIELD(co_firstline, 312, 352, 416),
	FIELD(co_bytecode, 344, 384, 448),  FIELD(co_tlbc, 0, 392, 456),
	FIELD(ob_type, 360, 408, 472),      FIELD(by_size, 520, 600, 696),
	FIELD(by_data, 528, 608, 704),      FIELD(us_state, 544, 624, 720),
	FIELD(us_length, 552, 632, 728),    FIELD(us_ascii, 560, 640, 736),
	FIELD(in_gil, 112, 120, 120),       FIELD(in_modules, 88, 96, 96),
#undef FIELD
};

/* The walker masks offsets to these limits, so a larger offset would silently read another field. */
static const struct {
	const char *name;
	uint16_t field, width, limit;
} bounds[] = {
#define BOUND(name, width, limit)                                                                  \
	{                                                                                          \
#name, offsetof(struct py_layout, name), width, limit                              \
	}
	BOUND(ts_next, 8, PY_TS_MAX - 8),
	BOUND(ts_interp, 8, PY_TS_MAX - 8),
	BOUND(ts_frame, 8, PY_TS_MAX - 8),
	BOUND(ts_thread_id, 8, PY_TS_MAX - 8),
	BOUND(ts_native_id, 8, PY_TS_MAX - 8),
	BOUND(ts_status, 4, PY_TS_MAX - 8),
	BOUND(fr_locals, 8, PY_FRAME_MAX),
	BOUND(fr_back, 8, PY_FRAME_MAX),
	BOUND(fr_code, 8, PY_FRAME_MAX),
	BOUND(fr_instr, 8, PY_FRAME_MAX),
	BOUND(fr_owner, 1, PY_FRAME_MAX),
	BOUND(fr_tlbc, 4, PY_FRAME_MAX),
	BOUND(co_file, 8, PY_CODE_MAX),
	BOUND(co_name, 8, PY_CODE_MAX),
	BOUND(co_qualname, 8, PY_CODE_MAX),
	BOUND(co_table, 8, PY_CODE_MAX),
	BOUND(co_firstline, 4, PY_CODE_MAX),
	BOUND(co_tlbc, 8, PY_CODE_MAX),
	BOUND(ob_type, 8, 64),
	BOUND(us_length, 8, 64),
	BOUND(us_state, 4, 64),
	BOUND(us_ascii, 8, 96),
	BOUND(by_size, 8, 64),
#undef BOUND
};

static uint16_t *field_of(struct py_layout *l, uint16_t at)
{
	return (uint16_t *)((char *)l + at);
}

static uint64_t word(const uint8_t *offsets, size_t at)
{
	uint64_t v;

	memcpy(&v, offsets + at, sizeof(v));
	return v;
}

uint32_t layout_offsets_version(const uint8_t *offsets, size_t len, uint64_t *ret_free_threaded)
{
	if (len < 24 || memcmp(offsets, "xdebugpy", 8))
		return 0;
	*ret_free_threaded = word(offsets, 16);
	return word(offsets, 8);
}

static uint16_t max_end(uint16_t size, uint16_t at, uint16_t width)
{
	return at + width > size ? at + width : size;
}

/* The longer object head of a free-threaded build also moves the fields that come from the row. */
static void free_thread(struct py_layout *l)
{
	enum { HEAD = 16 };

	l->co_flags += HEAD;
	l->fo_line += HEAD;
	l->co_ident[0] += HEAD;
	l->co_ident[2] += HEAD;
	l->in_gil = 0;        /* the field exists, but the GIL is not used */
	l->in_collecting = 0; /* several threads are attached: which one collects is not said */
	if (l->version >= 0x030e) {
		l->us_kind = 8;
		l->us_ascii_bit = 12;
	}
}

/* Computes the fields that depend on the offsets read. */
static void derive(struct py_layout *l)
{
	const uint16_t code_words[] = { l->co_file,           l->co_name, l->co_qualname,
					l->co_table,          l->co_tlbc, l->co_flags,
					l->co_firstline & ~7, l->ob_type, l->co_ident[0],
					l->co_ident[2] };

	l->us_hash = l->us_length + 8;
	l->us_compact = l->us_ascii + 16;
	l->ts_size = max_end(l->ts_native_id + 8, l->ts_thread_id, 8);
	l->ts_size = max_end(l->ts_size, l->ts_frame, 8);
	l->ts_size = max_end(l->ts_size, l->ts_interp, 8);
	l->ts_size = max_end(l->ts_size, l->ts_next, 8);
	l->ts_size = max_end(l->ts_size, l->ts_status, 4);
	l->ts_size = max_end(l->ts_size, l->ts_executor, 8);
	l->fr_size = l->fr_locals;
	for (size_t i = 0; i < sizeof(code_words) / sizeof(code_words[0]); i++)
		l->co_size = max_end(l->co_size, code_words[i], 8);
	l->co_ident[1] = l->co_firstline & ~7;
	l->co_ident[3] = l->co_file;
	l->co_ident[4] = l->co_qualname;
	l->co_ident[5] = l->co_table;
}

/* The walker reads a str's head starting at the length: state and data must come after it. */
static bool is_str(const struct py_layout *l)
{
	return l->us_state > l->us_length && l->us_state - l->us_length <= 28 &&
	       l->us_ascii > l->us_state;
}

static bool is_frame(const struct py_layout *l)
{
	return l->fr_back + 8 <= l->fr_locals && l->fr_code + 8 <= l->fr_locals &&
	       l->fr_instr + 8 <= l->fr_locals && l->fr_owner < l->fr_locals &&
	       l->fr_locals < PY_FRAME_MAX;
}

static int check_bounds(struct py_layout *l, struct err *err)
{
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		uint16_t at = *field_of(l, bounds[i].field);

		if (at % bounds[i].width || at + bounds[i].width > bounds[i].limit)
			return err_set(err, -ENOTSUP, "debug offsets: %s at %u cannot be",
				       bounds[i].name, at);
	}
	if (!is_str(l) || !is_frame(l))
		return err_set(err, -ENOTSUP, "debug offsets: fields of a %s overlap",
			       is_frame(l) ? "str" : "frame");
	return 0;
}

/* Reads one field. Refuses a block that is too short and a number that cannot be an offset. */
static int read_field(struct py_layout *l, uint16_t to, uint16_t from, const uint8_t *offsets,
		      size_t len, struct err *err)
{
	if (from + 8u > len)
		return err_set(err, -ENOTSUP, "debug offsets: cut after %zu bytes", len);
	if (word(offsets, from) > UINT16_MAX)
		return err_set(err, -ENOTSUP, "debug offsets: %llu at %u is out of range",
			       (unsigned long long)word(offsets, from), from);
	*field_of(l, to) = word(offsets, from);
	return 0;
}

/* The flag of the collector: the sum of two offsets; 0, unknown, if the block has none. */
static void read_collecting(struct py_layout *l, int column, const uint8_t *offsets, size_t len)
{
	static const struct {
		uint16_t gc, collecting;
	} from[NEWEST - FIRST_WITH_OFFSETS + 1] = { { 80, 576 }, { 88, 656 }, { 88, 760 } };
	uint64_t gc, collecting;

	if (from[column].collecting + 8u > len)
		return;
	gc = word(offsets, from[column].gc);
	collecting = word(offsets, from[column].collecting);
	if (gc < UINT16_MAX && collecting < UINT16_MAX - gc)
		l->in_collecting = gc + collecting;
}

static int read_offsets(struct py_layout *l, const uint8_t *offsets, size_t len, struct err *err)
{
	int column = (l->flavour & PY_NEWER ? NEWEST : l->version) - FIRST_WITH_OFFSETS, code;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!fields[i].from[column])
			continue;
		code = read_field(l, fields[i].to, fields[i].from[column], offsets, len, err);
		if (code)
			return code;
	}
	read_collecting(l, column, offsets, len);
	if (l->flavour & PY_FREE_THREADED)
		free_thread(l);
	else
		l->fr_tlbc = l->co_tlbc = 0;
	derive(l);
	return check_bounds(l, err);
}

/* Debug builds up to 3.7 link all objects in a list: two more words at the head of each. */
static void trace_refs(struct py_layout *l)
{
	uint16_t *const moved[] = { &l->fr_size,      &l->fr_code,    &l->fr_back, &l->fr_instr,
				    &l->fo_line,      &l->co_code,    &l->co_size, &l->co_flags,
				    &l->co_firstline, &l->co_file,    &l->co_name, &l->co_table,
				    &l->ob_type,      &l->us_length,  &l->us_hash, &l->us_state,
				    &l->us_ascii,     &l->us_compact, &l->by_size, &l->by_data };

	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++)
		*moved[i] += 16;
	for (int i = 0; i < PY_IDENTS; i++)
		l->co_ident[i] += 16;
}

static const struct py_layout *row_of(uint16_t version)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].version == version)
			return &rows[i];
	return NULL;
}

/* Adjusts a row of the table to the patch release and the flavour. */
static void table_row(uint32_t hex, struct py_layout *l)
{
	enum { GREW = 0x030704f0 };

	if (l->version == 0x0307 && hex < GREW) {
		l->rt_current -= 88;
		l->rt_key -= 88;
	}
	if (l->version <= 0x0307 && (l->flavour & PY_DEBUG))
		trace_refs(l);
}

void layout_long_mutexes(struct py_layout *l)
{
	enum { GREW = 2 * 8 };

	if (l->version >= 0x0307 && l->version <= 0x030b) {
		l->rt_current += GREW;
		l->rt_key += GREW;
		l->gil_before += GREW;
		if (l->collecting_before)
			l->collecting_before += GREW;
	}
}

static bool is_newer(uint32_t hex)
{
	return hex >> 16 > NEWEST && hex >> 24 == NEWEST >> 8;
}

int layout_find(uint32_t hex, int flavour, const uint8_t *offsets, size_t len,
		struct py_layout *ret, struct err *err)
{
	enum { RELEASE = 0xf0 };
	uint16_t version = hex >> 16;
	const struct py_layout *row = row_of(is_newer(hex) ? NEWEST : version);

	if (!row)
		return err_set(err, -ENOTSUP, "CPython %u.%u is not supported", hex >> 24,
			       version & 0xff);
	if (version < FIRST_WITH_OFFSETS && (hex & RELEASE) != RELEASE)
		return err_set(err, -ENOTSUP, "a pre-release of CPython %u.%u has its own layout",
			       hex >> 24, version & 0xff);
	*ret = *row;
	ret->version = version;
	ret->flavour = flavour | (is_newer(hex) ? PY_NEWER : 0);
	if (version < FIRST_WITH_OFFSETS) {
		table_row(hex, ret);
		return 0;
	}
	if (!offsets)
		return err_set(err, -ENOTSUP, "debug offsets: not found");
	return read_offsets(ret, offsets, len, err);
}
