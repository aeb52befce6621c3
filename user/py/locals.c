/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 3.11+	frame ─► localsplus: [variable, ...]	code ─► co_localsplusnames, co_localspluskinds
 * up to 3.10	frame ─► f_localsplus: [variables, cells, free variables]
 *		code ─► co_varnames, co_cellvars, co_freevars
 *
 * A slot of a cell holds the cell, which points to the value, once the function has begun to run. From 3.14 on the
 * lowest bits of a slot are a tag. Offsets are those of CPython's code.h, frameobject.h and pycore_frame.h, relative
 * to fields that the layout has: a free-threaded or tracing build moves them together.
 */
#include "py/locals.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"

enum {
	V3_8 = 0x0308,
	V3_11 = 0x030b,
	V3_12 = 0x030c,
	VARIABLES = 40,   /* shown of a frame */
	SLOTS = 512,      /* examined */
	OPTIMIZED = 1,    /* co_flags: a function */
	VARARGS = 4,      /* it has *args */
	VARKEYWORDS = 8,  /* it has **kwargs */
	KIND_CELL = 0x40, /* co_localspluskinds */
	KIND_FREE = 0x80,
};

/* What a code object says of its variables. */
struct variables {
	uint32_t n;             /* slots */
	uint32_t arguments;     /* the first ones */
	uint32_t locals, cells; /* up to 3.10: the numbers of plain variables and of cells */
	uint64_t names[3]; /* tuples: of all (3.11+), or of variables, cells and free variables */
	uint64_t slots;    /* address of the first */
	uint8_t kinds[SLOTS]; /* 3.11+ */
};

static uint32_t u32_at(struct value_reader *r, uint64_t addr)
{
	uint32_t v;

	return value_read(r, addr, &v, sizeof(v)) ? v : 0;
}

static uint32_t tuple_len(struct value_reader *r, uint64_t tuple)
{
	uint64_t n = tuple ? value_word(r, tuple + value_head(r->l)) : 0;

	return n < SLOTS ? n : 0;
}

static void find_modern(struct value_reader *r, uint64_t frame, uint64_t code,
			struct variables *ret)
{
	const struct py_layout *l = r->l;
	uint64_t kinds = value_word(r, code + l->co_file - 8);
	uint32_t counts = l->co_flags + (l->version >= V3_12 ? 4 : 8);

	ret->names[0] = value_word(r, code + l->co_file - 16);
	ret->n = tuple_len(r, ret->names[0]);
	ret->arguments = u32_at(r, code + counts) + u32_at(r, code + counts + 8);
	ret->slots = frame + l->fr_locals;
	if (!kinds || !value_read(r, kinds + l->by_data, ret->kinds, ret->n))
		ret->n = 0;
}

/* The address of f_localsplus, behind a field that the layout has: f_lasti. */
static uint64_t old_slots(const struct py_layout *l, uint64_t frame)
{
	return frame + l->fr_instr + 256;
}

static void find_old(struct value_reader *r, uint64_t frame, uint64_t code, struct variables *ret)
{
	const struct py_layout *l = r->l;
	bool has_positional =
		l->version >= V3_8; /* co_posonlyargcount, before the number of keywords */
	uint64_t first = code + l->co_code + 24; /* co_varnames */

	for (int i = 0; i < 3; i++) /* varnames, freevars, cellvars */
		ret->names[i == 0 ? 0 : 3 - i] = value_word(r, first + 8 * i);
	ret->arguments = u32_at(r, code + value_head(l)) +
			 u32_at(r, code + value_head(l) + (has_positional ? 8 : 4));
	ret->locals = tuple_len(r, ret->names[0]);
	ret->cells = tuple_len(r, ret->names[1]);
	ret->n = ret->locals + ret->cells + tuple_len(r, ret->names[2]);
	ret->slots = old_slots(l, frame);
}

/* False: it is no function, or unreadable. */
static bool find_variables(struct value_reader *r, uint64_t frame, uint64_t code,
			   struct variables *ret)
{
	uint32_t flags = u32_at(r, code + r->l->co_flags);

	if (!(flags & OPTIMIZED))
		return false;
	if (r->l->version >= V3_11)
		find_modern(r, frame, code, ret);
	else
		find_old(r, frame, code, ret);
	ret->arguments += !!(flags & VARARGS) + !!(flags & VARKEYWORDS);
	return ret->n && ret->n <= SLOTS;
}

/* The str that names variable @i, and whether it may be in a cell. */
static uint64_t name_of(struct value_reader *r, const struct variables *v, uint32_t i,
			bool *ret_cell)
{
	if (r->l->version >= V3_11) {
		*ret_cell = v->kinds[i] & (KIND_CELL | KIND_FREE);
		return value_tuple_item(r, v->names[0], i);
	}
	*ret_cell = i >= v->locals;
	if (i < v->locals)
		return value_tuple_item(r, v->names[0], i);
	i -= v->locals;
	return i < v->cells ? value_tuple_item(r, v->names[1], i)
			    : value_tuple_item(r, v->names[2], i - v->cells);
}

/* Up to 3.10 an argument that is in a cell has an empty slot among the arguments, too. */
static bool is_argument(struct value_reader *r, const struct variables *v, uint32_t i,
			uint64_t name)
{
	if (i < v->arguments)
		return true;
	if (r->l->version >= V3_11 || i < v->locals || i >= v->locals + v->cells)
		return false;
	for (uint32_t k = 0; k < v->arguments && k < v->locals; k++)
		if (value_tuple_item(r, v->names[0], k) == name)
			return true;
	return false;
}

/* A name is a str: shown as one, without its quotes. */
static void add_name(struct value_reader *r, uint64_t str, struct buf *out)
{
	_cleanup_(buf_done) struct buf shown = {};

	value_show(r, str, &shown);
	if (shown.len > 2 && shown.data[0] == '\'')
		buf_add(out, shown.data + 1, shown.len - 2);
	else
		buf_char(out, '?');
}

/* A record is as long as a multiple of 4, so that the next one is aligned. */
static uint64_t size_of(const struct local *l)
{
	return (sizeof(*l) + (uint64_t)l->name_len + l->type_len + l->value_len + 3) & ~3ULL;
}

static void pad(struct buf *out)
{
	while (out->len % 4 && !out->err)
		buf_char(out, '\0');
}

static void add_local(struct value_reader *r, uint32_t frame, uint32_t flags, uint64_t name,
		      uint64_t object, struct buf *out)
{
	_cleanup_(buf_done) struct buf called = {}, type = {}, value = {};
	const char *raw = value_type_name(r, object);
	struct local head = { .frame = frame, .flags = flags };

	utf8_show(&type, raw, strlen(raw));
	add_name(r, name, &called);
	value_show(r, object, &value);
	head.name_len = called.len;
	head.type_len = type.len;
	head.value_len = value.len;
	buf_add(out, &head, sizeof(head));
	buf_add(out, called.data, called.len);
	buf_add(out, type.data ?: "", type.len);
	buf_add(out, value.data, value.len);
	pad(out);
	if (called.err || type.err || value.err)
		out->err = -ENOMEM;
}

/* The object in a slot; 0: the variable is not bound. */
static uint64_t object_in(struct value_reader *r, uint64_t slot, bool may_be_cell)
{
	uint64_t object = slot & ~7ULL;

	/* Two low bits are the tag of an int that the interpreter keeps for itself. */
	if (!object || (slot & 3) == 3)
		return 0;
	if (may_be_cell && !strcmp(value_type_name(r, object), "cell"))
		return value_word(r, object + value_head(r->l));
	return object;
}

void locals_read(struct value_reader *r, uint32_t number, uint64_t frame, uint64_t code,
		 struct buf *out)
{
	const struct local rest = { .frame = number, .flags = LOCAL_REST };
	struct variables v = {};
	uint64_t slots[SLOTS];
	uint32_t shown = 0;

	if (!find_variables(r, frame, code, &v) || !value_read(r, v.slots, slots, 8 * v.n))
		return;
	for (uint32_t i = 0; i < v.n; i++) {
		bool cell;
		uint64_t name = name_of(r, &v, i, &cell), object = object_in(r, slots[i], cell);

		if (!object)
			continue;
		if (shown++ == VARIABLES || !r->left) {
			buf_add(out, &rest, sizeof(rest));
			return;
		}
		add_local(r, number, is_argument(r, &v, i, name) ? LOCAL_ARGUMENT : 0, name, object,
			  out);
	}
}

/* --- two readings ----------------------------------------------------------------------------- */

const struct local *locals_next(const char *data, size_t len, size_t *at)
{
	const struct local *l;

	if (len - *at < sizeof(*l))
		return NULL; /* without any, @data may be NULL */
	l = (const struct local *)(data + *at);
	if (size_of(l) > len - *at)
		return NULL;
	*at += size_of(l);
	return l;
}

static bool is_same_name(const struct local *a, const struct local *b)
{
	return b && a->frame == b->frame && a->name_len == b->name_len &&
	       !memcmp(a + 1, b + 1, a->name_len);
}

static bool is_same(const struct local *a, const struct local *b)
{
	return is_same_name(a, b) && !memcmp(a, b, sizeof(*a)) &&
	       !memcmp(a + 1, b + 1, a->name_len + a->type_len + a->value_len);
}

static void add_changed(const struct local *l, struct buf *out)
{
	const struct local head = { .frame = l->frame,
				    .flags = l->flags | LOCAL_CHANGED,
				    .name_len = l->name_len };

	buf_add(out, &head, sizeof(head));
	buf_add(out, l + 1, l->name_len);
	pad(out);
}

/* The variable of the second reading with the name of @l; variables of both are in the same order. */
static const struct local *find_in(const struct buf *second, const struct local *l, size_t *at)
{
	size_t pos = *at;
	const struct local *b;

	while ((b = locals_next(second->data, second->len, &pos))) {
		if (is_same_name(l, b)) {
			*at = pos;
			return b;
		}
	}
	return NULL;
}

void locals_merge(const struct buf *first, const struct buf *second, const bool *moved,
		  uint32_t frames, struct buf *out)
{
	size_t at = 0, other = 0;
	const struct local *l;

	while ((l = locals_next(first->data, first->len, &at))) {
		const struct local *b = find_in(second, l, &other);

		if (l->frame >= frames || moved[l->frame] || !b || !is_same(l, b))
			add_changed(l, out);
		else
			buf_add(out, l, size_of(l));
	}
}
