/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fields from the end of the object's head (PyObject), of CPython 3.6 to 3.15:
 *
 *	int	ob_size (sign: negative) or lv_tag (3.12+: digits << 3 | sign), then digits of 30 bits
 *	float	ob_fval
 *	list	ob_size, ob_item*		tuple	ob_size, [ob_hash, 3.14+] items
 *	set	fill, used, mask, table* of {key, hash}
 *	dict	ma_used, ...: pyobject.c	exception	dict, args
 *
 * Kinds come from tp_flags, so that subclasses are shown, too, with their name: Point(1, 2) is a namedtuple.
 */
#include "py/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "proc/rmem.h"
#include "py/pyobject.h"
#include "py/pystr.h"

enum {
	V3_12 = 0x030c,
	V3_14 = 0x030e,
	DEPTH = 2, /* containers in containers that are opened */
	ITEMS = 8, /* shown of a container, fewer further inside */
	ITEMS_INSIDE = 4,
	CHARACTERS = 80, /* of a str, bytes of a bytes object */
	CHARACTERS_INSIDE = 40,
	SET_ENTRIES = 256, /* examined for the items of a set */
	DIGITS = 4,        /* of 30 bits: longer ints are shown by their size */
};

/* tp_flags, the same in all versions. */
enum {
	IS_LONG = 1 << 24,
	IS_LIST = 1 << 25,
	IS_TUPLE = 1 << 26,
	IS_BYTES = 1 << 27,
	IS_STR = 1 << 28,
	IS_DICT = 1 << 29,
	IS_EXCEPTION = 1 << 30,
};

#define IS_TYPE (1ULL << 31)

static const char unreadable[] = "[unreadable]";

uint32_t value_head(const struct py_layout *l)
{
	return l->ob_type + 8;
}

bool value_read(struct value_reader *r, uint64_t addr, void *to, size_t len)
{
	if (!r->left || !addr)
		return false;
	r->left--;
	return !rmem_read(r->pid, addr, to, len);
}

uint64_t value_word(struct value_reader *r, uint64_t addr)
{
	uint64_t v;

	return value_read(r, addr, &v, sizeof(v)) ? v : 0;
}

uint64_t value_tuple_item(struct value_reader *r, uint64_t tuple, uint32_t i)
{
	uint32_t items = value_head(r->l) + (r->l->version >= V3_14 ? 16 : 8);

	return tuple ? value_word(r, tuple + items + 8 * (uint64_t)i) : 0;
}

/* --- types ------------------------------------------------------------------------------------ */

static bool read_type(struct value_reader *r, uint64_t addr, struct value_type *ret)
{
	enum { FLAGS = 144 }; /* from tp_name */
	uint64_t at = addr + value_head(r->l) + 8, name;

	*ret = (struct value_type){};
	name = value_word(r, at);
	if (!name || !value_read(r, at + FLAGS, &ret->flags, sizeof(ret->flags)))
		return false;
	/* The name may end just before memory that cannot be read. */
	if (!value_read(r, name, ret->name, VALUE_TYPE - 1) &&
	    !value_read(r, name, ret->name, 64 - (name & 63)))
		return false;
	ret->name[VALUE_TYPE - 1] = '\0';
	ret->addr = addr;
	return true;
}

const struct value_type *value_type(struct value_reader *r, uint64_t object)
{
	uint64_t addr = object && !(object & 7) ? value_word(r, object + r->l->ob_type) : 0;
	struct value_type *t = &r->types[(addr >> 4) % VALUE_TYPES];

	if (!addr)
		return NULL;
	return t->addr == addr || read_type(r, addr, t) ? t : NULL;
}

const char *value_type_name(struct value_reader *r, uint64_t object)
{
	const struct value_type *t = value_type(r, object);

	return t ? t->name : "?";
}

/* --- text ------------------------------------------------------------------------------------- */

/* One object being shown; objects inside of it share it. */
struct showing {
	struct value_reader *r;
	struct buf *out;
	size_t start; /* length of @out before it */
	int depth;
};

static bool is_full(const struct showing *s)
{
	return s->out->len - s->start >= VALUE_MAX;
}

static void show(struct showing *s, uint64_t object);

/* One character of a quoted text. */
static void add_character(struct buf *out, uint32_t c)
{
	enum { SURROGATE = 0xd800, SURROGATE_END = 0xe000, LAST = 0x10ffff };
	char escaped[UTF8_ESCAPE];

	if (c == '\'' || c == '\\')
		buf_char(out, '\\');
	if (utf8_is_control(c) || (c >= SURROGATE && c < SURROGATE_END) || c > LAST) {
		utf8_escape(escaped, c);
		buf_str(out, escaped);
	} else {
		pystr_utf8(out, &c, 1, 4);
	}
}

static uint32_t characters(const struct showing *s)
{
	return s->depth ? CHARACTERS_INSIDE : CHARACTERS;
}

static void add_rest(struct showing *s, const char *before, uint64_t more)
{
	if (more)
		buf_printf(s->out, "%s... %" PRIu64 " more", before, more);
}

/* Where the characters of a str are. False: it cannot be read, or is in an old form without them. */
static bool find_characters(struct showing *s, uint64_t str, uint64_t *ret_at, uint64_t *ret_len,
			    uint32_t *ret_kind)
{
	const struct py_layout *l = s->r->l;
	uint32_t state;

	if (!value_read(s->r, str + l->us_length, ret_len, sizeof(*ret_len)) ||
	    !value_read(s->r, str + l->us_state, &state, sizeof(state)))
		return false;
	*ret_kind = state >> l->us_kind & 7;
	*ret_at = str + (state >> l->us_ascii_bit & 1 ? l->us_ascii : l->us_compact);
	if (!(state >> (l->us_ascii_bit - 1) &
	      1)) /* not compact, as in a subclass: a pointer to them */
		*ret_at = value_word(s->r, str + l->us_compact);
	return *ret_at && (*ret_kind == 1 || *ret_kind == 2 || *ret_kind == 4) &&
	       *ret_len < UINT64_MAX / 8;
}

static void show_str(struct showing *s, uint64_t object)
{
	uint8_t data[4 * CHARACTERS];
	uint64_t at, len, n;
	uint32_t kind;

	if (!find_characters(s, object, &at, &len, &kind)) {
		buf_str(s->out, unreadable);
		return;
	}
	n = len < characters(s) ? len : characters(s);
	if (n && !value_read(s->r, at, data, n * kind)) {
		buf_str(s->out, unreadable);
		return;
	}
	buf_char(s->out, '\'');
	for (uint64_t i = 0; i < n; i++) {
		uint32_t c = 0;

		memcpy(&c, data + i * kind, kind);
		add_character(s->out, c);
	}
	buf_char(s->out, '\'');
	add_rest(s, "", len - n);
}

static void show_bytes(struct showing *s, uint64_t object)
{
	const struct py_layout *l = s->r->l;
	uint8_t data[CHARACTERS];
	uint64_t len, n;

	if (!value_read(s->r, object + l->by_size, &len, sizeof(len)) || len >> 62) {
		buf_str(s->out, unreadable);
		return;
	}
	n = len < characters(s) ? len : characters(s);
	if (n && !value_read(s->r, object + l->by_data, data, n)) {
		buf_str(s->out, unreadable);
		return;
	}
	buf_str(s->out, "b'");
	for (uint64_t i = 0; i < n; i++) {
		if (data[i] < 0x80)
			add_character(s->out, data[i]);
		else
			buf_printf(s->out, "\\x%02x", data[i]);
	}
	buf_char(s->out, '\'');
	add_rest(s, "", len - n);
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void add_decimal(struct buf *out, unsigned __int128 v)
{
	char text[48], *at = text + sizeof(text) - 1;

	*at = '\0';
	do
		*--at = '0' + (int)(v % 10);
	while ((v /= 10));
	buf_str(out, at);
}

/* Sign (-1, 0, 1) and number of digits. */
static bool find_digits(struct showing *s, uint64_t object, int *ret_sign, uint64_t *ret_n)
{
	int64_t size;

	if (!value_read(s->r, object + value_head(s->r->l), &size, sizeof(size)))
		return false;
	if (s->r->l->version >= V3_12) {
		*ret_sign = 1 - (int)(size & 3);
		*ret_n = (uint64_t)size >> 3;
	} else {
		*ret_sign = size < 0 ? -1 : size > 0;
		*ret_n = size < 0 ? -(uint64_t)size : (uint64_t)size;
	}
	return *ret_n < UINT64_MAX / 32;
}

static void show_int(struct showing *s, uint64_t object, bool is_bool)
{
	uint64_t at = object + value_head(s->r->l) + 8, n;
	uint32_t digits[DIGITS] = {};
	unsigned __int128 v = 0;
	int sign;

	if (!find_digits(s, object, &sign, &n) ||
	    (n && n <= DIGITS && !value_read(s->r, at, digits, 4 * n))) {
		buf_str(s->out, unreadable);
		return;
	}
	if (n > DIGITS) {
		buf_printf(s->out, "<%sint of about %" PRIu64 " bits>", sign < 0 ? "negative " : "",
			   30 * n);
		return;
	}
	for (uint64_t i = sign ? n : 0; i--;)
		v = v << 30 | (digits[i] & 0x3fffffff);
	if (is_bool) {
		buf_str(s->out, v ? "True" : "False");
		return;
	}
	buf_str(s->out, sign < 0 ? "-" : "");
	add_decimal(s->out, v);
}

/* The shortest text that gives the same number, as Python writes it. */
static void add_double(struct buf *out, double v)
{
	const double whole = 1e16; /* from here on with an exponent */
	char text[40];

	if (isnan(v) || isinf(v)) {
		buf_str(out, isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
		return;
	}
	if (fabs(v) < whole && v == floor(v)) {
		buf_printf(out, "%.1f", v);
		return;
	}
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	buf_str(out, text);
}

static void show_float(struct showing *s, uint64_t object)
{
	double v;

	if (value_read(s->r, object + value_head(s->r->l), &v, sizeof(v)))
		add_double(s->out, v);
	else
		buf_str(s->out, unreadable);
}

/* --- containers ------------------------------------------------------------------------------- */

static uint32_t items(const struct showing *s)
{
	return s->depth > 1 ? ITEMS_INSIDE : ITEMS;
}

/* Is it too deep to be opened? Then only its size is shown. */
static bool is_closed(struct showing *s, const char *name, uint64_t n)
{
	if (s->depth < DEPTH || !n)
		return false;
	buf_char(s->out, '<');
	utf8_show(s->out, name, strlen(name));
	buf_printf(s->out, " of %" PRIu64 ">", n);
	return true;
}

/* @len items, whose addresses are at @at. */
static void show_items(struct showing *s, uint64_t at, uint64_t len)
{
	uint64_t n = len < items(s) ? len : items(s), addresses[ITEMS], i;

	if (n && !value_read(s->r, at, addresses, 8 * n)) {
		buf_str(s->out, unreadable);
		return;
	}
	s->depth++;
	for (i = 0; i < n && !is_full(s); i++) {
		buf_str(s->out, i ? ", " : "");
		show(s, addresses[i]);
	}
	s->depth--;
	add_rest(s, i ? ", " : "", len - i);
}

static void show_list(struct showing *s, uint64_t object, const char *name)
{
	uint64_t head[2]; /* ob_size, ob_item */

	if (!value_read(s->r, object + value_head(s->r->l), head, sizeof(head)) || head[0] >> 60) {
		buf_str(s->out, unreadable);
		return;
	}
	if (is_closed(s, name, head[0]))
		return;
	buf_char(s->out, '[');
	show_items(s, head[1], head[0]);
	buf_char(s->out, ']');
}

static void show_tuple(struct showing *s, uint64_t object, const char *name)
{
	bool plain = !strcmp(name, "tuple"); /* else its name has the brackets: Point(1, 2) */
	uint32_t head = value_head(s->r->l);
	uint64_t len;

	if (!value_read(s->r, object + head, &len, sizeof(len)) || len >> 60) {
		buf_str(s->out, unreadable);
		return;
	}
	if (is_closed(s, name, len))
		return;
	buf_str(s->out, plain ? "(" : "");
	show_items(s, object + head + (s->r->l->version >= V3_14 ? 16 : 8), len);
	buf_str(s->out, !plain ? "" : len == 1 ? ",)" : ")");
}

/* Live entries have a key and a hash; a deleted one has the hash -1. */
static uint32_t live_keys(struct showing *s, uint64_t table, uint64_t mask, uint64_t keys[ITEMS])
{
	uint64_t entries[2 * SET_ENTRIES];
	uint32_t n = mask < SET_ENTRIES ? mask + 1 : SET_ENTRIES, found = 0;

	if (!value_read(s->r, table, entries, 16 * n))
		return 0;
	for (uint32_t i = 0; i < n && found < items(s); i++)
		if (entries[2 * i] && entries[2 * i + 1] != UINT64_MAX)
			keys[found++] = entries[2 * i];
	return found;
}

static void show_set(struct showing *s, uint64_t object, const char *name)
{
	uint64_t head[4] = {}, keys[ITEMS]; /* fill, used, mask, table */
	uint32_t n, i;

	if (!value_read(s->r, object + value_head(s->r->l), head, sizeof(head)) || head[1] >> 60) {
		buf_str(s->out, unreadable);
		return;
	}
	if (is_closed(s, name, head[1]))
		return;
	if (!head[1]) {
		buf_printf(s->out, "%s()", name);
		return;
	}
	n = live_keys(s, head[3], head[2], keys);
	buf_str(s->out, !strcmp(name, "set") ? "{" : "frozenset({");
	s->depth++;
	for (i = 0; i < n && !is_full(s); i++) {
		buf_str(s->out, i ? ", " : "");
		show(s, keys[i]);
	}
	s->depth--;
	add_rest(s, i ? ", " : "", head[1] > i ? head[1] - i : 0);
	buf_str(s->out, !strcmp(name, "set") ? "}" : "})");
}

struct pairs {
	struct showing *s;
	uint32_t n;
};

static bool show_pair(void *ctx, uint64_t key, uint64_t value)
{
	struct pairs *p = ctx;

	if (p->n >= items(p->s) || is_full(p->s))
		return true;
	buf_str(p->s->out, p->n++ ? ", " : "");
	p->s->depth++;
	show(p->s, key);
	buf_str(p->s->out, ": ");
	show(p->s, value);
	p->s->depth--;
	return false;
}

static void show_dict(struct showing *s, uint64_t object, const char *name)
{
	enum { ENTRIES = 64 }; /* read at most: some may be empty */
	struct pairs p = { .s = s };
	const struct pyobject_reader r = { s->r->pid, s->r->l, &(uint32_t){ ENTRIES } };
	uint64_t used;

	if (!value_read(s->r, object + value_head(s->r->l), &used, sizeof(used)) || used >> 60) {
		buf_str(s->out, unreadable);
		return;
	}
	if (is_closed(s, name, used))
		return;
	buf_char(s->out, '{');
	if (used)
		pyobject_first(&r, object, show_pair, &p);
	add_rest(s, p.n ? ", " : "", used > p.n ? used - p.n : 0);
	buf_char(s->out, '}');
}

/* --- other objects ---------------------------------------------------------------------------- */

static void show_exception(struct showing *s, uint64_t object, const char *name)
{
	uint64_t args = value_word(s->r, object + value_head(s->r->l) + 8);

	utf8_show(s->out, name, strlen(name));
	if (args && s->depth < DEPTH)
		show_tuple(s, args, "tuple");
}

static void show_type(struct showing *s, uint64_t object)
{
	struct value_type t;

	if (!read_type(s->r, object, &t)) {
		buf_str(s->out, unreadable);
		return;
	}
	buf_str(s->out, "<class '");
	utf8_show(s->out, t.name, strlen(t.name));
	buf_str(s->out, "'>");
}

static void show_other(struct showing *s, uint64_t object, const char *name)
{
	buf_char(s->out, '<');
	utf8_show(s->out, name, strlen(name));
	buf_printf(s->out, " at 0x%" PRIx64 ">", object);
}

/* A subclass of a built-in type: its name around the value. */
static bool begin_subclass(struct showing *s, const char *name, const char *base)
{
	if (!strcmp(name, base))
		return false;
	utf8_show(s->out, name, strlen(name));
	buf_char(s->out, '(');
	return true;
}

static void show_int_like(struct showing *s, uint64_t object, const char *name)
{
	bool is_bool = !strcmp(name, "bool"), inside = false;

	if (!is_bool)
		inside = begin_subclass(s, name, "int");
	show_int(s, object, is_bool);
	buf_str(s->out, inside ? ")" : "");
}

static void show_simple(struct showing *s, uint64_t object, const char *name,
			void (*fn)(struct showing *s, uint64_t object), const char *base)
{
	bool inside = begin_subclass(s, name, base);

	fn(s, object);
	buf_str(s->out, inside ? ")" : "");
}

static void show_container(struct showing *s, uint64_t object, const char *name,
			   void (*fn)(struct showing *s, uint64_t object, const char *name),
			   const char *base)
{
	bool inside = begin_subclass(s, name, base);

	fn(s, object, name);
	buf_str(s->out, inside ? ")" : "");
}

static void show_by_name(struct showing *s, uint64_t object, const char *name)
{
	if (!strcmp(name, "NoneType"))
		buf_str(s->out, "None");
	else if (!strcmp(name, "float"))
		show_float(s, object);
	else if (!strcmp(name, "set") || !strcmp(name, "frozenset"))
		show_set(s, object, name);
	else if (!strcmp(name, "ellipsis"))
		buf_str(s->out, "Ellipsis");
	else
		show_other(s, object, name);
}

static void show(struct showing *s, uint64_t object)
{
	const struct value_type *type = value_type(s->r, object);
	struct value_type t; /* a copy: objects inside may replace it in the cache */

	if (!type) {
		buf_str(s->out, unreadable);
		return;
	}
	t = *type;
	if (t.flags & IS_LONG)
		show_int_like(s, object, t.name);
	else if (t.flags & IS_STR)
		show_simple(s, object, t.name, show_str, "str");
	else if (t.flags & IS_BYTES)
		show_simple(s, object, t.name, show_bytes, "bytes");
	else if (t.flags & IS_LIST)
		show_container(s, object, t.name, show_list, "list");
	else if (t.flags & IS_TUPLE)
		show_container(s, object, t.name, show_tuple, "tuple");
	else if (t.flags & IS_DICT)
		show_container(s, object, t.name, show_dict, "dict");
	else if (t.flags & IS_EXCEPTION)
		show_exception(s, object, t.name);
	else if (t.flags & IS_TYPE)
		show_type(s, object);
	else
		show_by_name(s, object, t.name);
}

void value_show(struct value_reader *r, uint64_t object, struct buf *out)
{
	struct showing s = { .r = r, .out = out, .start = out->len };

	show(&s, object);
}
