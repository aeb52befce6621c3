/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	dict ─► keys: [index][entry, entry, ...]	entry: hash, key, value, or key, value (3.11+)
 *	    └─► values: [value, value, ...]		of an instance; the keys belong to the class
 *	set ─► fill, used, mask, table: [key, hash]	mask + 1 places
 *
 *	instance of 3.6 to 3.10 ─► dict at tp_dictoffset
 *	            3.11        ─► values 32 bytes before it, or dict 24 bytes before it
 *	            3.12        ─► one word 24 bytes before it: values if its lowest bit is set
 *	            3.13+       ─► dict 24 bytes (free-threaded: 8) before it, else values behind it
 *
 * Offsets are those of CPython's Include/cpython/dictobject.h, object.h and
 * Include/internal/pycore_dict.h of each version, relative to the size of an object's head.
 */
#include "py/pyobject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "proc/rmem.h"
#include "py/pystr.h"

enum {
	V3_11 = 0x030b,
	V3_12 = 0x030c,
	V3_13 = 0x030d,
	NAME_MAX_LEN = 32,   /* of attributes and keys that are asked for */
	TABLE_MAX = 1 << 20, /* entries of a dict */
};

/* Bytes of PyObject. */
static uint32_t head(const struct py_layout *l)
{
	return l->ob_type + 8;
}

static bool read_at(const struct pyobject_reader *r, uint64_t addr, void *to, size_t len)
{
	return addr && !rmem_read(r->pid, addr, to, len);
}

uint64_t pyobject_word(const struct pyobject_reader *r, uint64_t addr)
{
	uint64_t ret;

	return read_at(r, addr, &ret, sizeof(ret)) ? ret : 0;
}

/* --- str, int --------------------------------------------------------------------------------- */

/* Address, width and number of a str's code points. */
struct text {
	uint64_t at, len;
	uint32_t kind;
};

static bool find_text(const struct pyobject_reader *r, uint64_t str, struct text *ret)
{
	const struct py_layout *l = r->l;
	uint32_t state;

	if (!str || !read_at(r, str + l->us_length, &ret->len, sizeof(ret->len)) ||
	    !read_at(r, str + l->us_state, &state, sizeof(state)))
		return false;
	ret->kind = state >> l->us_kind & 7;
	ret->at = str + (state >> l->us_ascii_bit & 1 ? l->us_ascii : l->us_compact);
	return ret->kind == 1 || ret->kind == 2 || ret->kind == 4;
}

/* One read: a dict's keys are compared one by one. */
bool pyobject_is(const struct pyobject_reader *r, uint64_t str, const char *text)
{
	enum { HEAD_MAX = 128 };
	const struct py_layout *l = r->l;
	uint8_t data[HEAD_MAX + NAME_MAX_LEN];
	size_t len = strlen(text);
	uint64_t length;
	uint32_t state;

	if (len > NAME_MAX_LEN || l->us_ascii > HEAD_MAX || l->us_state > HEAD_MAX - 4 ||
	    l->us_length > HEAD_MAX - 8 || !read_at(r, str, data, l->us_ascii + len))
		return false;
	memcpy(&length, data + l->us_length, sizeof(length));
	memcpy(&state, data + l->us_state, sizeof(state));
	return length == len && state >> l->us_ascii_bit & 1 &&
	       !memcmp(data + l->us_ascii, text, len);
}

int pyobject_text(const struct pyobject_reader *r, uint64_t str, size_t max, struct buf *out)
{
	_free_ void *data = NULL;
	struct text t;

	if (!find_text(r, str, &t))
		return -EFAULT;
	if (t.len > max)
		t.len = max;
	data = malloc(t.len * t.kind + 1);
	if (!data)
		return -ENOMEM;
	if (!read_at(r, t.at, data, t.len * t.kind))
		return -EFAULT;
	pystr_utf8(out, data, t.len, t.kind);
	return 0;
}

uint64_t pyobject_int(const struct pyobject_reader *r, uint64_t object)
{
	struct {
		uint64_t size; /* 3.12+: number of digits << 3, then flags and sign */
		uint32_t digits[2];
	} v;
	uint64_t n, sign;

	if (!object || !read_at(r, object + head(r->l), &v, sizeof(v)))
		return 0;
	n = r->l->version >= V3_12 ? v.size >> 3 : v.size;
	sign = r->l->version >= V3_12 ? v.size & 3 : 0;
	if (sign || n < 1 || n > 2)
		return 0;
	return v.digits[0] | (n == 2 ? (uint64_t)v.digits[1] << 30 : 0);
}

/* --- dict ------------------------------------------------------------------------------------- */

/* Where the entries of a PyDictKeysObject are. */
struct table {
	uint64_t at;
	uint32_t n;     /* entries, some of them without a value */
	uint32_t words; /* of an entry; the key is the last but one */
};

static bool find_table_3_11(const struct pyobject_reader *r, uint64_t keys, struct table *ret)
{
	struct {
		uint64_t refcnt;
		uint8_t log2_size, log2_index_bytes, kind, mutex;
		uint32_t version;
		uint64_t usable, n;
	} k;

	if (!read_at(r, keys, &k, sizeof(k)) || k.log2_index_bytes > 24 || k.n > TABLE_MAX)
		return false;
	*ret = (struct table){ keys + sizeof(k) + (1ULL << k.log2_index_bytes), k.n,
			       k.kind ? 2 : 3 };
	return true;
}

static bool find_table(const struct pyobject_reader *r, uint64_t keys, struct table *ret)
{
	struct {
		uint64_t refcnt, size, lookup, usable, n;
	} k;
	uint64_t width;

	if (r->l->version >= V3_11)
		return find_table_3_11(r, keys, ret);
	if (!read_at(r, keys, &k, sizeof(k)) || k.size > 2 * TABLE_MAX || k.n > TABLE_MAX)
		return false;
	width = k.size <= 0xff ? 1 : k.size <= 0xffff ? 2 : 4;
	*ret = (struct table){ keys + sizeof(k) + k.size * width, k.n, 3 };
	return true;
}

/* @values: address of the array of values; 0: they stand in the entries. @cut: the first entries will do. */
static bool some_entries(const struct pyobject_reader *r, uint64_t keys, uint64_t values, bool cut,
			 bool (*fn)(void *ctx, uint64_t key, uint64_t value), void *ctx)
{
	_free_ uint64_t *words = NULL, *apart = NULL;
	struct table t;

	if (!find_table(r, keys, &t) || (t.n > *r->left && !cut))
		return false;
	if (t.n > *r->left)
		t.n = *r->left;
	*r->left -= t.n;
	words = malloc(8 * t.words * t.n + 8);
	apart = calloc(t.n + 1, 8);
	if (!words || !apart || !read_at(r, t.at, words, 8 * t.words * t.n) ||
	    (values && !read_at(r, values, apart, 8 * t.n)))
		return false;
	for (uint32_t i = 0; i < t.n; i++) {
		const uint64_t *entry = words + t.words * i + t.words - 2;
		uint64_t value = values ? apart[i] : entry[1];

		if (entry[0] && value && fn(ctx, entry[0], value))
			return true;
	}
	return false;
}

static bool each_entry(const struct pyobject_reader *r, uint64_t keys, uint64_t values,
		       bool (*fn)(void *ctx, uint64_t key, uint64_t value), void *ctx)
{
	return some_entries(r, keys, values, false, fn, ctx);
}

/* A dict's or an instance's PyDictValues begins with a head since 3.13. */
static uint64_t values_in(const struct pyobject_reader *r, uint64_t values)
{
	return values && r->l->version >= V3_13 ? values + 8 : values;
}

static bool in_dict(const struct pyobject_reader *r, uint64_t dict, bool cut,
		    bool (*fn)(void *ctx, uint64_t key, uint64_t value), void *ctx)
{
	struct {
		uint64_t used, version, keys, values;
	} d;

	return dict && read_at(r, dict + head(r->l), &d, sizeof(d)) &&
	       some_entries(r, d.keys, values_in(r, d.values), cut, fn, ctx);
}

bool pyobject_each(const struct pyobject_reader *r, uint64_t dict,
		   bool (*fn)(void *ctx, uint64_t key, uint64_t value), void *ctx)
{
	return in_dict(r, dict, false, fn, ctx);
}

bool pyobject_first(const struct pyobject_reader *r, uint64_t dict,
		    bool (*fn)(void *ctx, uint64_t key, uint64_t value), void *ctx)
{
	return in_dict(r, dict, true, fn, ctx);
}

/* --- set -------------------------------------------------------------------------------------- */

/* @n places of a table at @at. */
static bool some_members(const struct pyobject_reader *r, uint64_t at, uint32_t n,
			 bool (*fn)(void *ctx, uint64_t member), void *ctx)
{
	enum { PLACES = 256, WORDS = 2 }; /* key, hash */
	uint64_t words[WORDS * PLACES];

	for (uint32_t done = 0; done < n; done += PLACES) {
		uint32_t now = n - done < PLACES ? n - done : PLACES;

		if (!read_at(r, at + 8 * WORDS * (uint64_t)done, words, 8 * WORDS * now))
			return false;
		/* The hash of a deleted member is -1. */
		for (uint32_t i = 0; i < now; i++)
			if (words[WORDS * i] && words[WORDS * i + 1] != UINT64_MAX &&
			    fn(ctx, words[WORDS * i]))
				return true;
	}
	return false;
}

bool pyobject_members(const struct pyobject_reader *r, uint64_t set,
		      bool (*fn)(void *ctx, uint64_t member), void *ctx)
{
	struct {
		uint64_t fill, used, mask, table;
	} s;
	uint32_t n;

	if (!set || !read_at(r, set + head(r->l), &s, sizeof(s)))
		return false;
	n = s.mask < *r->left ? s.mask + 1 : *r->left;
	*r->left -= n;
	return some_members(r, s.table, n, fn, ctx);
}

/* --- names ------------------------------------------------------------------------------------ */

struct wanted {
	const struct pyobject_reader *r;
	const char *name;
	uint64_t value;
};

static bool is_wanted(void *ctx, uint64_t key, uint64_t value)
{
	struct wanted *w = ctx;

	if (!pyobject_is(w->r, key, w->name))
		return false;
	w->value = value;
	return true;
}

uint64_t pyobject_item(const struct pyobject_reader *r, uint64_t dict, const char *name)
{
	struct wanted w = { .r = r, .name = name };

	return pyobject_each(r, dict, is_wanted, &w) ? w.value : 0;
}

/* --- instances -------------------------------------------------------------------------------- */

/* Fields of a PyTypeObject, from its tp_name. */
enum { TYPE_BASICSIZE = 8, TYPE_FLAGS = 144, TYPE_DICTOFFSET = 264 };
enum { HAS_INLINE_VALUES = 1 << 2, HAS_MANAGED_DICT = 1 << 4 };

/* ht_cached_keys of a PyHeapTypeObject, from its tp_name. */
static uint32_t cached_keys(const struct py_layout *l)
{
	return l->version == V3_11 ? 848 : l->version <= 0x030e ? 856 : 864;
}

struct place {
	uint64_t dict;
	uint64_t values; /* with the keys of the class, if there is no dict */
};

static struct place place_of(const struct pyobject_reader *r, uint64_t object, uint64_t tp_name,
			     uint64_t flags)
{
	uint16_t version = r->l->version;
	bool free_threaded = r->l->flavour & PY_FREE_THREADED;
	uint64_t word = pyobject_word(r, object - (free_threaded ? 8 : 24));

	if (word && version == V3_12 && word & 1)
		return (struct place){ .values = word + 1 };
	if (word)
		return (struct place){ .dict = word };
	if (version == V3_11)
		return (struct place){ .values = pyobject_word(r, object - 32) };
	if (version >= V3_13 && flags & HAS_INLINE_VALUES)
		return (struct place){ .values = object +
						 pyobject_word(r, tp_name + TYPE_BASICSIZE) };
	return (struct place){};
}

uint64_t pyobject_attribute(const struct pyobject_reader *r, uint64_t object, const char *name)
{
	uint64_t type = object ? pyobject_word(r, object + r->l->ob_type) : 0, flags, offset;
	uint64_t tp_name = type ? type + head(r->l) + 8 : 0;
	struct wanted w = { .r = r, .name = name };
	struct place p;

	if (!type)
		return 0;
	flags = pyobject_word(r, tp_name + TYPE_FLAGS);
	if (r->l->version < V3_11 || !(flags & HAS_MANAGED_DICT)) {
		offset = pyobject_word(r, tp_name + TYPE_DICTOFFSET);
		return offset ? pyobject_item(r, pyobject_word(r, object + offset), name) : 0;
	}
	p = place_of(r, object, tp_name, flags);
	if (p.dict)
		return pyobject_item(r, p.dict, name);
	return p.values && each_entry(r, pyobject_word(r, tp_name + cached_keys(r->l)),
				      values_in(r, p.values), is_wanted, &w)
		       ? w.value
		       : 0;
}
