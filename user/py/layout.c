/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows were read from DWARF of release builds and checked on live interpreters. A row holds for
 * every patch release of its minor, except 3.7, whose runtime grew by 88 bytes in 3.7.4.
 *
 * From 3.13 on a row gives only what _Py_DebugOffsets does not contain; the rest is overwritten by
 * the target's own numbers, which may change in any patch release.
 */
#include "py/layout.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "py/linetable.h"

/* glibc's pthread_mutex_t in _PyRuntime is 8 bytes longer on aarch64, twice before gilstate. */
#if defined(__aarch64__)
enum { GILSTATE = 16 };
#else
enum { GILSTATE = 0 };
#endif

#define STR_48                                                                                     \
	.ob_type = 8, .us_length = 16, .us_hash = 24, .us_state = 32, .us_kind = 2,                \
	.us_ascii_bit = 6, .us_ascii = 48, .us_compact = 72, .by_size = 16, .by_data = 32
#define STR_40                                                                                     \
	.ob_type = 8, .us_length = 16, .us_hash = 24, .us_state = 32, .us_kind = 2,                \
	.us_ascii_bit = 6, .us_ascii = 40, .us_compact = 56, .by_size = 16, .by_data = 32

#define CODE_3_6                                                                                   \
	.co_size = 120, .co_flags = 32, .co_firstline = 36, .co_file = 96, .co_name = 104,         \
	.co_table = 112, .co_ident = { 32, 40, 48, 96, 104, 112 }
#define CODE_3_8                                                                                   \
	.co_size = 128, .co_flags = 36, .co_firstline = 40, .co_file = 104, .co_name = 112,        \
	.co_table = 120, .co_ident = { 40, 48, 56, 104, 112, 120 }
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
	.fr_size = (lasti) + 4, .fr_back = 24, .fr_code = 32, .fr_instr = (lasti), .in_threads = 8

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
	  STR_48 },
	{ .version = 0x0307,
	  .flags = PY_KEY_FLAG,
	  .line_format = LINETABLE_LNOTAB,
	  TSTATE_3_7,
	  FRAME_3_6(104),
	  CODE_3_6,
	  STR_48,
	  .rt_interps = 24,
	  .rt_current = 1480 + GILSTATE,
	  .rt_key = 1508 + GILSTATE },
	{ .version = 0x0308,
	  .flags = PY_KEY_FLAG,
	  .line_format = LINETABLE_LNOTAB,
	  TSTATE_3_7,
	  FRAME_3_6(104),
	  CODE_3_8,
	  STR_48,
	  .rt_interps = 32,
	  .rt_current = 1368 + GILSTATE,
	  .rt_key = 1396 + GILSTATE },
	{ .version = 0x0309,
	  .flags = PY_KEY_FLAG,
	  .line_format = LINETABLE_LNOTAB,
	  TSTATE_3_7,
	  FRAME_3_6(104),
	  CODE_3_8,
	  STR_48,
	  .rt_interps = 32,
	  .rt_current = 568 + GILSTATE,
	  .rt_key = 588 + GILSTATE },
	{ .version = 0x030a,
	  .flags = PY_KEY_FLAG | PY_LASTI_UNITS | PY_GEN_NEEDS_BACK,
	  .line_format = LINETABLE_RANGES,
	  TSTATE_3_7,
	  FRAME_3_6(96),
	  CODE_3_8,
	  STR_48,
	  .rt_interps = 32,
	  .rt_current = 568 + GILSTATE,
	  .rt_key = 588 + GILSTATE },
	{ .version = 0x030b,
	  .flags = PY_KEY_FLAG | PY_IFRAME | PY_CFRAME | PY_IS_ENTRY | PY_CONTIGUOUS |
		   PY_ENTRY_WINDOW,
	  .line_format = LINETABLE_LOCATIONS,
	  .ts_size = 304,
	  .ts_next = 8,
	  .ts_interp = 16,
	  .ts_frame = 56,
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
	  CODE_3_11,
	  .co_bytecode = 184,
	  STR_48,
	  .in_threads = 16,
	  .rt_interps = 40,
	  .rt_current = 576 + GILSTATE,
	  .rt_key = 596 + GILSTATE },
	{ .version = 0x030c,
	  .flags = PY_KEY_FLAG | PY_IFRAME | PY_CFRAME | PY_SHIM | PY_CONTIGUOUS | PY_ENTRY_WINDOW |
		   PY_CODE_VERSION,
	  .line_format = LINETABLE_LOCATIONS,
	  .ts_size = 240,
	  .ts_next = 8,
	  .ts_interp = 16,
	  .ts_frame = 56,
	  .ts_chunk = 232,
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
	  CODE_3_12,
	  .co_stacksize = 64,
	  .co_nlocalsplus = 72,
	  .co_bytecode = 192,
	  STR_40,
	  .in_threads = 72,
	  .rt_interps = 40,
	  .rt_key = 1548 },
	{ .version = 0x030d,
	  .flags = PY_KEY_FLAG | PY_IFRAME | PY_SHIM | PY_CODE_VERSION | PY_INIT_CLEANUP,
	  .line_format = LINETABLE_LOCATIONS,
	  .fr_size = 72,
	  .owner_shim = 3,
	  CODE_3_12,
	  STR_40,
	  .rt_key = 2164 },
};

enum { FIRST_WITH_OFFSETS = 0x030d };

/* Where a field of the layout stands in _Py_DebugOffsets, by minor (the order differs per minor). */
static const struct {
	uint16_t version;
	uint16_t from; /* in _Py_DebugOffsets */
	uint16_t to;   /* in struct py_layout */
} fields[] = {
#define FIELD(at, name)                                                                            \
	{                                                                                          \
		0x030d, at, offsetof(struct py_layout, name)                                       \
	}
	FIELD(40, rt_interps),    FIELD(64, in_next),       FIELD(72, in_threads),
	FIELD(168, ts_next),      FIELD(176, ts_interp),    FIELD(184, ts_frame),
	FIELD(192, ts_thread_id), FIELD(200, ts_native_id), FIELD(232, fr_back),
	FIELD(240, fr_code),      FIELD(248, fr_instr),     FIELD(256, fr_locals),
	FIELD(264, fr_owner),     FIELD(280, co_file),      FIELD(288, co_name),
	FIELD(296, co_qualname),  FIELD(304, co_table),     FIELD(312, co_firstline),
	FIELD(344, co_bytecode),  FIELD(360, ob_type),      FIELD(520, by_size),
	FIELD(528, by_data),      FIELD(544, us_state),     FIELD(552, us_length),
	FIELD(560, us_ascii),
#undef FIELD
};

/* A reader masks with these; an offset beyond would silently read another field. */
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
	BOUND(fr_locals, 8, PY_FRAME_MAX),
	BOUND(fr_back, 8, PY_FRAME_MAX),
	BOUND(fr_code, 8, PY_FRAME_MAX),
	BOUND(fr_instr, 8, PY_FRAME_MAX),
	BOUND(fr_owner, 1, PY_FRAME_MAX),
	BOUND(co_file, 8, PY_CODE_MAX),
	BOUND(co_name, 8, PY_CODE_MAX),
	BOUND(co_qualname, 8, PY_CODE_MAX),
	BOUND(co_table, 8, PY_CODE_MAX),
	BOUND(co_firstline, 4, PY_CODE_MAX),
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

/* What follows from offsets that were read. */
static void derive(struct py_layout *l)
{
	const uint16_t code_words[] = { l->co_file,  l->co_name, l->co_qualname,
					l->co_table, l->ob_type, l->co_firstline & ~7 };

	l->us_hash = l->us_length + 8;
	l->us_compact = l->us_ascii + 16;
	l->ts_size = max_end(l->ts_native_id + 8, l->ts_thread_id, 8);
	l->ts_size = max_end(l->ts_size, l->ts_frame, 8);
	l->ts_size = max_end(l->ts_size, l->ts_interp, 8);
	l->ts_size = max_end(l->ts_size, l->ts_next, 8);
	l->fr_size = l->fr_locals;
	for (size_t i = 0; i < sizeof(code_words) / sizeof(code_words[0]); i++)
		l->co_size = max_end(l->co_size, code_words[i], 8);
	l->co_ident[1] = l->co_firstline & ~7;
	l->co_ident[3] = l->co_file;
	l->co_ident[4] = l->co_qualname;
	l->co_ident[5] = l->co_table;
}

/* The head of a str is read from its length on: the state and the data stand behind it. */
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

static int read_offsets(struct py_layout *l, const uint8_t *offsets, size_t len, struct err *err)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].version != l->version)
			continue;
		if (fields[i].from + 8u > len)
			return err_set(err, -ENOTSUP, "debug offsets: cut after %zu bytes", len);
		if (word(offsets, fields[i].from) > UINT16_MAX)
			return err_set(err, -ENOTSUP, "debug offsets: %llu at %u is out of range",
				       (unsigned long long)word(offsets, fields[i].from),
				       fields[i].from);
		*field_of(l, fields[i].to) = word(offsets, fields[i].from);
	}
	derive(l);
	return check_bounds(l, err);
}

static const struct py_layout *row_of(uint16_t version)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].version == version)
			return &rows[i];
	return NULL;
}

int layout_find(uint32_t hex, const uint8_t *offsets, size_t len, struct py_layout *ret,
		struct err *err)
{
	enum { GREW = 0x030704f0, RELEASE = 0xf0 };
	const struct py_layout *row = row_of(hex >> 16);

	if (!row)
		return err_set(err, -ENOTSUP, "CPython %u.%u is not supported yet", hex >> 24,
			       (hex >> 16) & 0xff);
	if ((hex >> 16) < FIRST_WITH_OFFSETS && (hex & RELEASE) != RELEASE)
		return err_set(err, -ENOTSUP, "a pre-release of CPython %u.%u has its own layout",
			       hex >> 24, (hex >> 16) & 0xff);
	*ret = *row;
	if (row->version == 0x0307 && hex < GREW) {
		ret->rt_current -= 88;
		ret->rt_key -= 88;
	}
	if (row->version < FIRST_WITH_OFFSETS)
		return 0;
	if (!offsets)
		return err_set(err, -ENOTSUP, "debug offsets: not found");
	return read_offsets(ret, offsets, len, err);
}
