/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record lacks parts whose pages were not resident when the sample was taken. A second read of
 * the live process (codefetch.c) faults them in with process_vm_readv(). That may hang, so the
 * caller may run it in another process and deliver the result later.
 */
#include "py/code.h"

#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "py/codefetch.h"
#include "py/linetable.h"
#include "py/pystr.h"

enum {
	TABLE_MAX = 16 << 20,
	/*
	 * Bytes of distinct tables (processes share most of them) and of strings from second reads.
	 * A program may create any number of code objects; beyond this limit their lines are
	 * missing.
	 */
	KEPT_MAX = 256 << 20,
	/* Total bytes of tables too long for a record: reading takes time, and their process may end. */
	LARGE_MAX = 256 << 20,
};

/* No string; strpool_add()'s error value. Not 0: that is the empty string, which may be a name. */
#define NO_STRING UINT32_MAX

struct code {
	uint32_t name, qualname, file; /* in the pool, or NO_STRING */
	uint32_t table;                /* in the pool of tables, or NO_STRING */
	int first_line;
	uint16_t line_format;
	bool unresolved; /* counted in codes.unresolved */
	bool asked;      /* its second read is under way */
};

struct codes {
	struct hmap *by_id; /* u64 -> struct code; only codes_add() moves them */
	struct strpool *strings, *tables;
	struct codefetch *fetch; /* NULL: not used so far, or fetcher reads */
	codes_fetcher *fetcher;
	void *fetcher_ctx;
	size_t kept, large;
	uint64_t refetched, unresolved;
};

static const struct code no_code = {
	.name = NO_STRING, .qualname = NO_STRING, .file = NO_STRING, .table = NO_STRING
};

struct codes *codes_new(void)
{
	struct codes *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->by_id = hmap_new(sizeof(uint64_t), sizeof(struct code));
	c->strings = strpool_new();
	c->tables = strpool_new();
	if (!c->by_id || !c->strings || !c->tables) {
		codes_free(c);
		return NULL;
	}
	return c;
}

void codes_on_missing(struct codes *c, codes_fetcher *fn, void *ctx)
{
	c->fetcher = fn;
	c->fetcher_ctx = ctx;
}

void codes_free(struct codes *c)
{
	if (!c)
		return;
	hmap_free(c->by_id);
	strpool_free(c->strings);
	strpool_free(c->tables);
	codefetch_free(c->fetch);
	free(c);
}

static uint32_t add_string(struct codes *c, const void *data, size_t bytes, unsigned int char_size)
{
	_cleanup_(buf_done) struct buf text = {};

	if (char_size != 1 && char_size != 2 && char_size != 4)
		return NO_STRING;
	pystr_utf8(&text, data, bytes / char_size, char_size);
	if (text.err)
		return NO_STRING;
	return strpool_add(c->strings, text.data, text.len);
}

static bool may_keep(const struct codes *c, size_t bytes)
{
	return c->kept <= KEPT_MAX && bytes <= KEPT_MAX - c->kept;
}

static int add_table(struct codes *c, struct code *code, const uint8_t *data, size_t len)
{
	uint32_t count = strpool_count(c->tables);
	uint32_t table = strpool_add(c->tables, (const char *)data, len);

	if (table == NO_STRING)
		return -ENOMEM;
	c->kept += table >= count ? len : 0;
	code->table = table;
	return 0;
}

/* --- the second read -------------------------------------------------------------------------- */

static bool is_whole(const struct code *code)
{
	return code->table != NO_STRING && code->file != NO_STRING &&
	       (code->name != NO_STRING || code->qualname != NO_STRING);
}

/* Counts a code object once, by its latest state: a record may complete it after a failed second read. */
static void keep_books(struct codes *c, struct code *code, bool resolved, bool late)
{
	c->refetched += resolved && (late || code->unresolved);
	c->unresolved -= code->unresolved;
	code->unresolved = !resolved;
	c->unresolved += code->unresolved;
}

static void take_string(struct codes *c, uint32_t *to, const uint8_t *data, size_t len,
			uint32_t char_size)
{
	uint32_t got = may_keep(c, len) ? add_string(c, data, len, char_size) : NO_STRING;

	if (got == NO_STRING)
		return;
	c->kept += len;
	*to = got;
}

/* Parts that were not found stay as the record had them. */
static void merge(struct codes *c, struct code *code, const struct code_found *found,
		  const uint8_t *data)
{
	uint32_t *strings[CODE_STRINGS] = { &code->name, &code->qualname, &code->file };

	code->first_line = found->first_line;
	for (int i = 0; i < CODE_STRINGS; i++) {
		if (found->len[i] == CODE_NOT_HAD)
			continue;
		take_string(c, strings[i], data, found->len[i], found->char_size[i]);
		data += found->len[i];
	}
	if (found->table_len == CODE_NOT_HAD || !may_keep(c, found->table_len))
		return;
	if (found->table_len > WIRE_MAX_TABLE)
		c->large += found->table_len;
	add_table(c, code, data, found->table_len);
}

/* Do its lengths add up to @len? The answer came from another process. */
static bool is_sound(const struct code_found *found, size_t len)
{
	uint64_t sum = 0;

	for (int i = 0; i < CODE_STRINGS; i++)
		if (found->len[i] != CODE_NOT_HAD &&
		    __builtin_add_overflow(sum, found->len[i], &sum))
			return false;
	if (found->table_len != CODE_NOT_HAD && __builtin_add_overflow(sum, found->table_len, &sum))
		return false;
	return sum == len;
}

void codes_found(struct codes *c, uint64_t id, const void *data, size_t len)
{
	struct code *code = hmap_get(c->by_id, &id);
	struct code_found found;

	if (!code)
		return;
	code->asked = false;
	if (len < sizeof(found))
		return;
	memcpy(&found, data, sizeof(found));
	if (!is_sound(&found, len - sizeof(found)))
		return;
	merge(c, code, &found, (const uint8_t *)data + sizeof(found));
	keep_books(c, code, is_whole(code), true);
}

static struct code_wanted wanted(const struct codes *c, const struct wire_code *r,
				 const struct py_layout *l, uint64_t code_type)
{
	return (struct code_wanted){
		.id = r->id,
		.addr = r->addr,
		.code_type = code_type,
		.room = c->kept <= KEPT_MAX ? KEPT_MAX - c->kept : 0,
		.table_max = c->large > LARGE_MAX ? WIRE_MAX_TABLE : TABLE_MAX,
		.proc = r->proc,
		.layout = *l,
	};
}

static int fetch_here(struct codes *c, const struct code_wanted *w)
{
	_cleanup_(buf_done) struct buf out = {};

	if (!c->fetch)
		c->fetch = codefetch_new();
	if (!c->fetch)
		return -ENOMEM;
	if (!codefetch_read(c->fetch, w, &out))
		codes_found(c, w->id, out.data, out.len);
	return 0;
}

static int complete(struct codes *c, struct code *code, const struct wire_code *r,
		    const struct py_layout *l, uint64_t code_type)
{
	const struct code_wanted w = wanted(c, r, l, code_type);

	if (!c->fetcher)
		return fetch_here(c, &w);
	if (code->asked)
		return 0;
	code->asked = true;
	return c->fetcher(c->fetcher_ctx, &w);
}

/* --- records ---------------------------------------------------------------------------------- */

static bool has_string(const struct wire_code *r, const struct py_layout *l, int which)
{
	static const uint32_t gone[CODE_STRINGS] = { CODE_NO_NAME, CODE_NO_QUALNAME, CODE_NO_FILE };

	if (r->len[which])
		return true; /* perhaps truncated */
	return !(r->missing & (gone[which] | CODE_NO_OBJECT)) &&
	       (which != CODE_QUALNAME || l->co_qualname);
}

static int take(struct codes *c, struct code *code, const struct wire_code *r, const uint8_t *data,
		const struct py_layout *l)
{
	uint32_t *strings[CODE_STRINGS] = { &code->name, &code->qualname, &code->file };

	code->first_line = r->first_line;
	for (int i = 0; i < CODE_STRINGS; i++) {
		if (has_string(r, l, i))
			*strings[i] = add_string(c, data, r->len[i], r->char_size[i]);
		data += r->len[i];
	}
	if (r->missing & (CODE_NO_OBJECT | CODE_NO_TABLE | CODE_CUT_TABLE) ||
	    !may_keep(c, r->table_len))
		return 0;
	return add_table(c, code, data, r->table_len);
}

/*
 * Fills an incomplete code object from a new record. It counts as unresolved until a second read
 * has completed it.
 */
static int fill(struct codes *c, struct code *code, const struct wire_code *r, const uint8_t *data,
		const struct py_layout *l, uint64_t code_type)
{
	int err;

	code->line_format = l->line_format;
	err = take(c, code, r, data, l);
	if (err)
		return err;
	keep_books(c, code, !r->missing && is_whole(code), false);
	return r->missing ? complete(c, code, r, l, code_type) : 0;
}

int codes_add(struct codes *c, const struct wire_code *record, const uint8_t *data,
	      const struct py_layout *l, uint64_t code_type)
{
	bool fresh;
	struct code *code = hmap_put(c->by_id, &record->id, &fresh);

	if (!code)
		return -ENOMEM;
	if (fresh)
		*code = no_code;
	else if (is_whole(code))
		return 0; /* the sampler forgot that it had sent this one */
	return fill(c, code, record, data, l, code_type);
}

size_t codes_bytes(const struct codes *c)
{
	return hmap_bytes(c->by_id) + strpool_bytes(c->strings) + strpool_bytes(c->tables);
}

bool codes_known(const struct codes *c, uint64_t id)
{
	return hmap_get(c->by_id, &id) != NULL;
}

static const char *text_of(const struct codes *c, uint32_t id)
{
	return id == NO_STRING ? NULL : strpool_str(c->strings, id);
}

/* The qualified name, unless it is empty or missing and the plain name is there. */
static const char *name_of(const struct codes *c, const struct code *code)
{
	const char *name = text_of(c, code->name), *qualname = text_of(c, code->qualname);

	return qualname && (*qualname || !name) ? qualname : name;
}

/*
 * The line of an instruction. A function's instructions before the first one with a line (they bind
 * free variables and make cells; a module's very first is on line 0) belong to its first line. Any
 * other instruction without a line has none.
 */
static int line_of(const struct codes *c, const struct code *code, int lasti)
{
	/* Bounds the search, in bytes of code and of table: hostile tables may have no lines at all. */
	enum { PROLOGUE_MAX = 512, PROLOGUE_TABLE = 4096 };
	const uint8_t *table = (const uint8_t *)strpool_str(c->tables, code->table);
	size_t len = strpool_len(c->tables, code->table);
	int line = linetable_line(code->line_format, table, len, code->first_line, lasti);

	if (line > 0)
		return line;
	if (lasti > PROLOGUE_MAX)
		return LINE_NONE;
	len = len < PROLOGUE_TABLE ? len : PROLOGUE_TABLE;
	for (int before = 0; before < lasti; before += 2)
		if (linetable_line(code->line_format, table, len, code->first_line, before) > 0)
			return LINE_NONE;
	return code->first_line < 0 ? LINE_NONE : code->first_line;
}

bool codes_text(const struct codes *c, uint64_t id, int lasti, struct code_text *ret)
{
	const struct code *code = hmap_get(c->by_id, &id);

	if (!code)
		return false;
	ret->name = name_of(c, code);
	ret->file = text_of(c, code->file);
	ret->first_line = code->first_line;
	ret->line = code->table != NO_STRING ? line_of(c, code, lasti) : LINE_NONE;
	return true;
}

uint64_t codes_refetched(const struct codes *c)
{
	return c->refetched;
}

uint64_t codes_unresolved(const struct codes *c)
{
	return c->unresolved;
}
