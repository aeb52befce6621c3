/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record's missing parts are fetched at once: the pages were not resident when the interrupt came,
 * and process_vm_readv() brings them in. The identity is computed again from the live code object
 * after the fetch; if it differs, the address is another code object's by now and nothing is taken.
 */
#include "py/code.h"

#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "proc/rmem.h"
#include "py/linetable.h"
#include "py/pystr.h"
#include "py/walk.h"

enum {
	TABLE_MAX = 16 << 20,
	/*
	 * Bytes of all tables that differ (each process has the same ones again), and of strings from
	 * second looks: a program may make any number of code objects. Beyond it lines are missing.
	 */
	KEPT_MAX = 256 << 20,
	/* Bytes of tables that no record holds, read so far; while they are, their owner may vanish. */
	LARGE_MAX = 256 << 20,
};

/* Not had; what the pool says when it is full. Its 0 is the empty string, which a name may be. */
#define NO_STRING UINT32_MAX

struct code {
	uint32_t name, qualname, file; /* in the pool, or NO_STRING */
	uint32_t table;                /* in the pool of tables, or NO_STRING */
	int first_line;
	uint16_t line_format;
	bool unresolved; /* counted as such */
};

struct codes {
	struct hmap *by_id; /* u64 -> struct code * */
	struct strpool *strings, *tables;
	struct walk *walk;
	pid_t pid; /* whom walk reads */
	size_t kept, large;
	uint64_t refetched, unresolved;
};

static const struct code no_code = {
	.name = NO_STRING, .qualname = NO_STRING, .file = NO_STRING, .table = NO_STRING
};

static int read_process(void *ctx, void *to, size_t len, uint64_t addr)
{
	const struct codes *c = ctx;

	return rmem_read(c->pid, addr, to, len);
}

struct codes *codes_new(void)
{
	struct codes *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->by_id = hmap_new(sizeof(uint64_t), sizeof(struct code *));
	c->strings = strpool_new();
	c->tables = strpool_new();
	c->walk = walk_new(read_process, c);
	if (!c->by_id || !c->strings || !c->tables || !c->walk) {
		codes_free(c);
		return NULL;
	}
	return c;
}

void codes_free(struct codes *c)
{
	size_t pos = 0;
	void *val;

	if (!c)
		return;
	while (c->by_id && hmap_each(c->by_id, &pos, NULL, &val))
		free(*(struct code **)val);
	hmap_free(c->by_id);
	strpool_free(c->strings);
	strpool_free(c->tables);
	walk_free(c->walk);
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

/* --- the second look ---------------------------------------------------------------------------- */

static uint64_t remote_u64(const struct codes *c, uint64_t addr)
{
	uint64_t v = 0;

	return rmem_read(c->pid, addr, &v, sizeof(v)) ? 0 : v;
}

static uint32_t fetch_string(struct codes *c, const struct py_layout *l, uint64_t str)
{
	enum { CHARS_MAX = 1 << 20 };
	_free_ uint8_t *data = NULL;
	uint64_t len, from;
	uint32_t state, size;

	if (!str || rmem_read(c->pid, str + l->us_length, &len, sizeof(len)) ||
	    rmem_read(c->pid, str + l->us_state, &state, sizeof(state)))
		return NO_STRING;
	size = state >> l->us_kind & 7;
	if (len > CHARS_MAX || (size != 1 && size != 2 && size != 4) || !may_keep(c, len * size))
		return NO_STRING;
	from = str + (state >> l->us_ascii_bit & 1 ? l->us_ascii : l->us_compact);
	data = malloc(len * size + 1);
	if (!data || rmem_read(c->pid, from, data, len * size))
		return NO_STRING;
	c->kept += len * size;
	return add_string(c, data, len * size, size);
}

static void fetch_table(struct codes *c, const struct py_layout *l, uint64_t table,
			struct code *code)
{
	_free_ uint8_t *data = NULL;
	uint64_t len;

	if (!table || rmem_read(c->pid, table + l->by_size, &len, sizeof(len)) || len > TABLE_MAX ||
	    !may_keep(c, len))
		return;
	if (len > WIRE_MAX_TABLE) {
		if (c->large > LARGE_MAX)
			return;
		c->large += len;
	}
	data = malloc(len + 1);
	if (data && !rmem_read(c->pid, table + l->by_data, data, len))
		add_table(c, code, data, len);
}

/* Is it still the record's? A frame whose code object was not resident knows only its address. */
static bool is_there(struct codes *c, const struct wire_code *r, const struct py_layout *l,
		     uint64_t code_type)
{
	uint64_t id;

	if (walk_code_id(c->walk, l, code_type, &r->proc, r->addr, &id))
		return false;
	return id == r->id || walk_address_id(&r->proc, r->addr) == r->id;
}

/*
 * Everything anew into @ret; its identity says afterwards whether it was the right one, and before
 * whether it is worth the while: what has another's address by now may have a table of megabytes.
 */
static int fetch(struct codes *c, const struct wire_code *r, const struct py_layout *l,
		 uint64_t code_type, struct code *ret)
{
	struct code got = no_code;

	c->pid = r->proc.tgid;
	if (!is_there(c, r, l, code_type))
		return -ENOENT;
	got.qualname = l->co_qualname ? fetch_string(c, l, remote_u64(c, r->addr + l->co_qualname))
				      : NO_STRING;
	got.name = fetch_string(c, l, remote_u64(c, r->addr + l->co_name));
	got.file = fetch_string(c, l, remote_u64(c, r->addr + l->co_file));
	fetch_table(c, l, remote_u64(c, r->addr + l->co_table), &got);
	if (rmem_read(c->pid, r->addr + l->co_firstline, &got.first_line, sizeof(got.first_line)) ||
	    !is_there(c, r, l, code_type))
		return -ENOENT;
	*ret = got;
	return 0;
}

static bool is_whole(const struct code *code)
{
	return code->table != NO_STRING && code->file != NO_STRING &&
	       (code->name != NO_STRING || code->qualname != NO_STRING);
}

static void take_if_had(uint32_t *to, uint32_t got)
{
	*to = got != NO_STRING ? got : *to;
}

/* What the second look did not find stays as the record had it. */
static void merge(struct code *code, const struct code *got)
{
	code->first_line = got->first_line;
	take_if_had(&code->name, got->name);
	take_if_had(&code->qualname, got->qualname);
	take_if_had(&code->file, got->file);
	take_if_had(&code->table, got->table);
}

/* False: it is not there any more. */
static bool complete(struct codes *c, const struct wire_code *r, const struct py_layout *l,
		     uint64_t code_type, struct code *code)
{
	struct code got = no_code;

	if (fetch(c, r, l, code_type, &got))
		return false;
	merge(code, &got);
	return true;
}

/* --- records ------------------------------------------------------------------------------------ */

static struct code *code_new(void)
{
	struct code *code = malloc(sizeof(*code));

	if (code)
		*code = no_code;
	return code;
}

static bool has_string(const struct wire_code *r, const struct py_layout *l, int which)
{
	static const uint32_t gone[CODE_STRINGS] = { CODE_NO_NAME, CODE_NO_QUALNAME, CODE_NO_FILE };

	if (r->len[which])
		return true; /* maybe cut */
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

/* A code object counts once, as what became of it: the task itself may tell after the loader has failed. */
static void keep_books(struct codes *c, struct code *code, bool resolved, bool late)
{
	c->refetched += resolved && (late || code->unresolved);
	c->unresolved -= code->unresolved;
	code->unresolved = !resolved;
	c->unresolved += code->unresolved;
}

/* The one that is known, if it is not whole, is filled with what is new. */
static int fill(struct codes *c, struct code *code, const struct wire_code *r, const uint8_t *data,
		const struct py_layout *l, uint64_t code_type)
{
	bool there = true;
	int err;

	code->line_format = l->line_format;
	err = take(c, code, r, data, l);
	if (!err && r->missing)
		there = complete(c, r, l, code_type, code);
	if (!err)
		keep_books(c, code, there && is_whole(code), r->missing);
	return err;
}

int codes_add(struct codes *c, const struct wire_code *record, const uint8_t *data,
	      const struct py_layout *l, uint64_t code_type)
{
	struct code **slot = hmap_put(c->by_id, &record->id, NULL);

	if (!slot)
		return -ENOMEM;
	if (*slot && is_whole(*slot))
		return 0; /* the kernel forgot that it had sent it */
	if (!*slot)
		*slot = code_new();
	if (!*slot)
		return -ENOMEM;
	return fill(c, *slot, record, data, l, code_type);
}

bool codes_known(const struct codes *c, uint64_t id)
{
	return hmap_get(c->by_id, &id) != NULL;
}

static const char *text_of(const struct codes *c, uint32_t id)
{
	return id == NO_STRING ? NULL : strpool_str(c->strings, id);
}

/* A function may be made with either name empty; the other one says more then. */
static const char *name_of(const struct codes *c, const struct code *code)
{
	const char *name = text_of(c, code->name), *qualname = text_of(c, code->qualname);

	return qualname && (*qualname || !name) ? qualname : name;
}

/*
 * The line of an instruction. What a function does before its first instruction with a line (it binds
 * free variables, makes cells; a module's very first is on line 0) counts for its first line; an
 * instruction without a line anywhere else has none.
 */
static int line_of(const struct codes *c, const struct code *code, int lasti)
{
	/* Bytes of code, and of what a table says of them; hostile tables have no lines at all. */
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
	struct code *const *slot = hmap_get(c->by_id, &id);
	const struct code *code = slot ? *slot : NULL;

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
