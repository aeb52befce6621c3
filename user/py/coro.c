/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	async_generator_asend ─► coroutine ─► frame ─► value stack: [..., awaited object]
 *
 * The frame is an object of its own up to 3.10, later it lies in the coroutine. A coroutine is only ever suspended
 * in an await; a generator also by a yield, and then the top of its stack is not awaited. What tells:
 *
 *	3.6 to 3.10	the next instruction is YIELD_FROM
 *	3.11, 3.12	the next instruction is RESUME, with an argument of 2 (yield from) or 3 (await)
 *	3.13+		the state is one of its own
 *
 * Offsets are those of CPython's genobject.h, frameobject.h and pycore_frame.h, from the end of an object's head or
 * from a field that the layout has.
 */
#include "py/coro.h"

#include <string.h>

enum {
	V3_10 = 0x030a,
	V3_11 = 0x030b,
	V3_13 = 0x030d,
	V3_14 = 0x030e,
	V3_15 = 0x030f,
	HEAP_TYPE = 1 << 9, /* tp_flags: a class of the program */
	FRAME_3_11 = 64,    /* gi_iframe, from the end of the head */
	FRAME_3_12 = 56,    /* 3.12+ */
	STATE = 5,          /* gi_frame_state lies that much before gi_iframe (3.11+) */
	RUNNING = 8,        /* gi_running, from the end of the head (up to 3.9) */
	STACK = 32,        /* f_stacktop (up to 3.9) or f_valuestack lie that much before f_lasti */
	DEPTH = 16,        /* f_stackdepth, likewise (3.10) */
	FRAME_STATE = 12,  /* f_state, behind f_lasti (3.10) */
	STACK_POINTER = 8, /* stacktop or stackpointer, behind instr_ptr (3.11+) */
	YIELD_FROM = 72,   /* opcode, up to 3.10 */
	AWAITS = 2,        /* the least argument of RESUME behind an await */
	STACK_MAX = 1 << 16,
	WRAPPERS = 8, /* objects that pass on a coroutine, one inside another */
};

/* Built-in types, by tp_name. */
static const struct {
	const char *name;
	bool wraps; /* its first field is what it stands for */
} types[] = {
	{ "coroutine", false },
	{ "generator", false },
	{ "async_generator", false },
	{ "coroutine_wrapper", true },
	{ "async_generator_asend", true },
	{ "async_generator_athrow", true },
	{ "anext_awaitable", true },
};

/* gi_frame_state of 3.11+ and f_state of 3.10, in the order of versions. */
static const struct {
	uint16_t from; /* first version */
	int8_t created, suspended, awaiting, locked, running;
} states[] = {
	{ V3_10, -2, -1, -1, -1, 0 },
	{ V3_13, -3, -2, -1, -1, 0 },
	{ V3_15, 0, 1, 2, 3, 4 },
};

/* The type's row; -1: none. */
static int type_of(struct value_reader *r, uint64_t object)
{
	const struct value_type *t = value_type(r, object);

	if (!t || t->flags & HEAP_TYPE)
		return -1;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].name, t->name))
			return i;
	return -1;
}

/* --- 3.11 and later --------------------------------------------------------------------------- */

/* Reads gi_frame_state. True: suspended, perhaps by an await. */
static bool set_state(int8_t state, uint16_t version, struct coro *ret, bool *ret_awaits)
{
	int i = sizeof(states) / sizeof(states[0]) - 1;

	while (i && version < states[i].from)
		i--;
	ret->state = state == states[i].created   ? CORO_CREATED
		     : state == states[i].running ? CORO_RUNNING
						  : CORO_DONE;
	*ret_awaits = state == states[i].awaiting || state == states[i].locked;
	if (!*ret_awaits && state != states[i].suspended)
		return false;
	ret->state = CORO_SUSPENDED;
	return true;
}

/* The top of the stack is stackpointer[-1]; in 3.15 a NULL lies above it. */
static uint64_t top_by_pointer(struct value_reader *r, uint64_t frame)
{
	uint64_t top = value_word(r, frame + r->l->fr_instr + STACK_POINTER), words[2];

	if (!value_read(r, top - sizeof(words), words, sizeof(words)))
		return 0;
	return (words[1] & ~3ULL ?: words[0]) & ~3ULL;
}

static uint64_t top_by_index(struct value_reader *r, uint64_t frame)
{
	const struct py_layout *l = r->l;
	int32_t top;

	if (!value_read(r, frame + l->fr_instr + STACK_POINTER, &top, sizeof(top)) || top <= 0 ||
	    top > STACK_MAX)
		return 0;
	return value_word(r, frame + l->fr_locals + 8 * (top - 1ULL));
}

/* 3.11, 3.12: is the next instruction the RESUME of an await? */
static bool resumes_await(struct value_reader *r, uint64_t frame)
{
	enum { NEXT = 2 };
	uint64_t last = value_word(r, frame + r->l->fr_instr);
	uint8_t code[2]; /* opcode, argument */

	return last && value_read(r, last + NEXT, code, sizeof(code)) && code[1] >= AWAITS;
}

static void read_modern(struct value_reader *r, uint64_t object, struct coro *ret)
{
	uint16_t version = r->l->version;
	int8_t state;
	bool awaits;

	ret->frame = object + value_head(r->l) + (version == V3_11 ? FRAME_3_11 : FRAME_3_12);
	if (!value_read(r, ret->frame - STATE, &state, sizeof(state)))
		*ret = (struct coro){};
	else if (!set_state(state, version, ret, &awaits) || !awaits)
		return;
	else if (version >= V3_14)
		ret->awaits = top_by_pointer(r, ret->frame);
	else if (version == V3_13 || resumes_await(r, ret->frame))
		ret->awaits = top_by_index(r, ret->frame);
}

/* --- up to 3.10 ------------------------------------------------------------------------------- */

/* @lasti: index of the last instruction in bytes. */
static bool yields_from(struct value_reader *r, uint64_t frame, int32_t lasti)
{
	const struct py_layout *l = r->l;
	uint64_t code = value_word(r, frame + l->fr_code);
	uint64_t bytes = code ? value_word(r, code + l->co_code) : 0;
	uint8_t opcode;

	return bytes && value_read(r, bytes + l->by_data + lasti + 2, &opcode, 1) &&
	       opcode == YIELD_FROM;
}

static uint64_t top_of(struct value_reader *r, uint64_t frame)
{
	const struct py_layout *l = r->l;
	uint64_t stack = value_word(r, frame + l->fr_instr - STACK);
	int32_t depth;

	if (l->version < V3_10)
		return stack ? value_word(r, stack - 8) : 0;
	if (!value_read(r, frame + l->fr_instr - DEPTH, &depth, sizeof(depth)) || depth <= 0 ||
	    depth > STACK_MAX)
		return 0;
	return stack ? value_word(r, stack + 8 * (depth - 1ULL)) : 0;
}

static enum coro_state old_state(struct value_reader *r, uint64_t object, uint64_t frame,
				 int32_t lasti)
{
	const struct py_layout *l = r->l;
	struct coro c = {};
	bool awaits;
	int8_t state;

	if (l->version < V3_10) {
		if (!value_read(r, object + value_head(l) + RUNNING, &state, sizeof(state)))
			return CORO_NONE;
		return state ? CORO_RUNNING : lasti < 0 ? CORO_CREATED : CORO_SUSPENDED;
	}
	if (!value_read(r, frame + l->fr_instr + FRAME_STATE, &state, sizeof(state)))
		return CORO_NONE;
	set_state(state, l->version, &c, &awaits);
	return c.state;
}

static void read_old(struct value_reader *r, uint64_t object, struct coro *ret)
{
	const struct py_layout *l = r->l;
	int32_t lasti;

	ret->frame = value_word(r, object + value_head(l));
	if (!ret->frame) {
		ret->state = CORO_DONE;
		return;
	}
	if (!value_read(r, ret->frame + l->fr_instr, &lasti, sizeof(lasti)))
		return;
	ret->state = old_state(r, object, ret->frame, lasti);
	if (ret->state != CORO_SUSPENDED || lasti < 0 || lasti > INT32_MAX / 2)
		return;
	if (yields_from(r, ret->frame, l->flags & PY_LASTI_UNITS ? 2 * lasti : lasti))
		ret->awaits = top_of(r, ret->frame);
}

void coro_read(struct value_reader *r, uint64_t object, struct coro *ret)
{
	int type = -1;

	*ret = (struct coro){};
	for (int i = 0; i < WRAPPERS && object; i++) {
		type = type_of(r, object);
		if (type < 0 || !types[type].wraps)
			break;
		object = value_word(r, object + value_head(r->l));
	}
	if (!object || type < 0 || types[type].wraps)
		return;
	if (r->l->version >= V3_11)
		read_modern(r, object, ret);
	else
		read_old(r, object, ret);
}
