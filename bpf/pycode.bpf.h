/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads a code object at first sight: its names, first line and line table. They go to the loader
 * at once, because the process or the code object may be gone a moment later. wire_code.missing
 * names the parts that are not resident; the task itself may read those (bpf/faulting.bpf.h), and
 * the loader tries at once.
 */
#ifndef KRAIT_PYCODE_BPF_H
#define KRAIT_PYCODE_BPF_H

#include "memory.bpf.h"
#include "task.bpf.h"

enum {
	CODE_TEXT = 8192, /* limit of names and file name together */
	CODE_DATA = CODE_TEXT + WIRE_MAX_TABLE,
};

struct code_record {
	struct wire_code head;
	u8 data[CODE_DATA];
	u8 object[256 + 8];
	u8 str[64];
	u32 used; /* bytes of data */
};

static __always_inline u64 object_u64(const struct code_record *r, u16 off)
{
	return *(const u64 *)(r->object + (off & 0xf8));
}

/* Limit of one string, and the CODE_* flags for a missing and for a cut one. */
struct code_string {
	u32 max, missing, cut;
};

static __always_inline void code_add_string(pywalk_source *src, struct code_record *r,
					    const struct py_layout *l, u32 which, u64 str,
					    struct code_string what)
{
	u32 state, used = r->used & (CODE_TEXT - 1);
	u64 len, from, size;

	r->head.len[which] = 0;
	if (!str || read_user(src, r->str, 40, str + l->us_length)) {
		r->head.missing |= what.missing;
		return;
	}
	len = *(u64 *)r->str;
	state = *(u32 *)(r->str + ((l->us_state - l->us_length) & 0x1c));
	size = (state >> (l->us_kind & 31)) & 7;
	from = str + ((state >> (l->us_ascii_bit & 31)) & 1 ? l->us_ascii : l->us_compact);
	r->head.char_size[which] = size;
	if (len > what.max || len * size > what.max) {
		r->head.missing |= what.cut;
		len = what.max / 4;
	}
	size = len * size;
	if (size > what.max || read_user(src, r->data + used, size, from)) {
		r->head.missing |= what.missing;
		return;
	}
	r->head.len[which] = size;
	r->used = used + size;
}

static __always_inline void code_add_table(pywalk_source *src, struct code_record *r,
					   const struct py_layout *l, u64 table)
{
	u32 used = r->used & (CODE_TEXT - 1);
	u64 len = 0;

	if (read_user(src, &len, 8, table + l->by_size)) {
		r->head.missing |= CODE_NO_TABLE;
		return;
	}
	if (len > WIRE_MAX_TABLE) {
		r->head.missing |= CODE_CUT_TABLE;
		return;
	}
	if (read_user(src, r->data + used, len, table + l->by_data)) {
		r->head.missing |= CODE_NO_TABLE;
		return;
	}
	r->head.table_len = len;
	r->used = used + len;
}

static __always_inline void code_read(pywalk_source *src, struct code_record *r,
				      const struct py_layout *l, u64 code)
{
	static const struct code_string name = { WIRE_MAX_NAME, CODE_NO_NAME, CODE_CUT_NAME };
	static const struct code_string qual = { WIRE_MAX_NAME, CODE_NO_QUALNAME,
						 CODE_CUT_QUALNAME };
	static const struct code_string file = { WIRE_MAX_FILE, CODE_NO_FILE, CODE_CUT_FILE };

	r->used = 0;
	r->head.missing = 0;
	r->head.table_len = 0;
	r->head.first_line = 0;
	__builtin_memset(r->head.len, 0, sizeof(r->head.len));
	__builtin_memset(r->head.char_size, 0, sizeof(r->head.char_size));
	if (read_user(src, r->object, l->co_size & 0xff, code)) {
		r->head.missing = CODE_NO_OBJECT;
		return;
	}
	r->head.first_line = *(s32 *)(r->object + (l->co_firstline & 0xfc));
	code_add_string(src, r, l, CODE_NAME, object_u64(r, l->co_name), name);
	if (l->co_qualname)
		code_add_string(src, r, l, CODE_QUALNAME, object_u64(r, l->co_qualname), qual);
	code_add_string(src, r, l, CODE_FILE, object_u64(r, l->co_file), file);
	code_add_table(src, r, l, object_u64(r, l->co_table));
}

#endif
