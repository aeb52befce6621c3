/* SPDX-License-Identifier: BSD-2-Clause */
#include "sym/sym.h"

#include <stdlib.h>
#include <string.h>

#include "bpf/native.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/strpool.h"
#include "base/vec.h"
#include "py/linetable.h"

/* Frame ids below WALK_ENDS are markers. */
static const char *const markers[WALK_ENDS] = {
	[WALK_TRUNCATED] = "[truncated]",      [WALK_ENDLESS] = "[truncated]",
	[WALK_UNREADABLE] = "[unreadable]",    [WALK_INCOMPLETE] = "[incomplete]",
	[WALK_ENTERING] = "[entering]",        [WALK_NO_STATE] = "[no Python state]",
	[WALK_NO_FRAME] = "[no Python frame]", [WALK_AMBIGUOUS] = "[ambiguous interpreter]",
	[WALK_EXITING] = "[exiting]",          [WALK_OTHER] = "[other interpreter]",
	[WALK_MEMORY] = "[memory limit]",
};

struct place {
	uint64_t code; /* PLACE_NATIVE: number of the function, others: name, in texts */
	int32_t lasti;
	/* FRAME_COMPILED, FRAME_LINE, enum place_flags; 32 bits: a hash key has no padding */
	uint32_t flags;
};

enum place_flags { PLACE_NATIVE = 1 << 16, PLACE_MARK = 1 << 17, PLACE_KERNEL = 1 << 18 };

/* A C function; texts are numbers in struct sym.texts. */
struct native {
	uint64_t address;
	uint32_t name, module;
};

struct module_key {
	uint64_t start, size, offset;
	uint32_t path, build_id;
};

#define NATIVE_MARKER(symbol, text) text,
static const char *const native_ends[NATIVE_END_KINDS] = { NATIVE_ENDS(NATIVE_MARKER) };

struct sym {
	const struct codes *codes;
	struct hmap *places;  /* struct place; its number is the frame's id, less WALK_ENDS */
	struct hmap *natives; /* struct native, numbered */
	struct hmap *keys;    /* struct module_key, numbered */
	VEC(struct module *) modules; /* by that number */
	struct strpool *texts;        /* names of C functions and their files */
};

struct sym *sym_new(const struct codes *codes)
{
	struct sym *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->codes = codes;
	s->places = hmap_new(sizeof(struct place), 0);
	s->natives = hmap_new(sizeof(struct native), 0);
	s->keys = hmap_new(sizeof(struct module_key), 0);
	s->texts = strpool_new();
	if (s->places && s->natives && s->keys && s->texts)
		return s;
	sym_free(s);
	return NULL;
}

void sym_free(struct sym *s)
{
	struct module **m;

	if (!s)
		return;
	vec_each (&s->modules, m)
		free(*m);
	vec_done(&s->modules);
	hmap_free(s->keys);
	hmap_free(s->places);
	hmap_free(s->natives);
	strpool_free(s->texts);
	free(s);
}

static uint32_t place_id(struct sym *s, const struct place *p)
{
	uint32_t number = hmap_number(s->places, p);

	return number < SYM_NONE - WALK_ENDS ? WALK_ENDS + number : SYM_NONE;
}

uint32_t sym_frame(struct sym *s, const struct wire_frame *f)
{
	const struct place p = {
		.code = f->code,
		.lasti = f->lasti,
		.flags = f->flags & (FRAME_COMPILED | FRAME_LINE),
	};

	return place_id(s, &p);
}

static uint32_t add_text(struct sym *s, const char *text)
{
	return strpool_add(s->texts, text, strlen(text));
}

/* The number of a module. SYM_NONE: out of memory. */
static uint32_t module_number(struct sym *s, const struct module *m)
{
	const struct module_key key = { m->start, m->size, m->offset, add_text(s, m->path),
					add_text(s, m->build_id) };
	_free_ struct module *kept = NULL;
	uint32_t number;

	if (key.path == UINT32_MAX || key.build_id == UINT32_MAX)
		return SYM_NONE;
	number = hmap_number(s->keys, &key);
	if (number == HMAP_NONE || number < s->modules.len)
		return number;
	kept = malloc(sizeof(*kept));
	if (!kept || vec_push(&s->modules, kept))
		return SYM_NONE;
	*kept = *m;
	kept->path = strpool_str(s->texts, key.path);
	kept->build_id = strpool_str(s->texts, key.build_id);
	kept = NULL;
	return number;
}

uint32_t sym_native(struct sym *s, const char *name, uint64_t address, const struct module *module)
{
	const struct native n = { address, add_text(s, name), module_number(s, module) };
	struct place p = { .flags = PLACE_NATIVE };

	if (n.name == UINT32_MAX || n.module == SYM_NONE)
		return SYM_NONE;
	p.code = hmap_number(s->natives, &n);
	return p.code == UINT32_MAX ? SYM_NONE : place_id(s, &p);
}

uint32_t sym_kernel(struct sym *s, const char *name, const char *module)
{
	const uint32_t text = add_text(s, name), of = add_text(s, module ? module : "");
	const struct place p = { .code = text, .lasti = of, .flags = PLACE_KERNEL };

	return text == UINT32_MAX || of == UINT32_MAX ? SYM_NONE : place_id(s, &p);
}

uint32_t sym_native_marker(struct sym *s, uint32_t end)
{
	_cleanup_(buf_done) struct buf text = {};
	struct place p = { .flags = PLACE_MARK };

	buf_printf(&text, "[native: %s]", end < NATIVE_END_KINDS ? native_ends[end] : "?");
	p.code = text.err ? UINT32_MAX : strpool_add(s->texts, text.data, text.len);
	return p.code == UINT32_MAX ? SYM_NONE : place_id(s, &p);
}

bool sym_is_native(const struct sym *s, uint32_t id)
{
	const struct place *p;

	if (id < WALK_ENDS || id - WALK_ENDS >= hmap_count(s->places))
		return false;
	p = hmap_key(s->places, id - WALK_ENDS);
	return p->flags & (PLACE_NATIVE | PLACE_KERNEL | PLACE_MARK);
}

size_t sym_bytes(const struct sym *s)
{
	return hmap_bytes(s->places) + hmap_bytes(s->natives) + hmap_bytes(s->keys) +
	       strpool_bytes(s->texts);
}

uint32_t sym_marker(enum walk_end end)
{
	return end;
}

const char *sym_marker_name(enum walk_end end)
{
	return markers[end];
}

static void mark(struct frame *ret, const char *name)
{
	*ret = (struct frame){ .name = name, .line = LINE_NONE, .kind = FRAME_MARK };
}

/* Until its first call, the frame of a compiled function has the function's first line: it means unknown. */
static int line_of(const struct place *p, const struct code_text *text)
{
	if (!(p->flags & FRAME_LINE))
		return text->line;
	return p->lasti > 0 && p->lasti != text->first_line ? p->lasti : LINE_NONE;
}

static void resolve_native(const struct sym *s, const struct place *p, struct frame *ret)
{
	const struct native *n;
	const struct module *m;

	if (!(p->flags & PLACE_NATIVE)) {
		mark(ret, strpool_str(s->texts, p->code));
		return;
	}
	n = hmap_key(s->natives, p->code);
	m = s->modules.at[n->module];
	mark(ret, strpool_str(s->texts, n->name));
	ret->kind = FRAME_NATIVE;
	ret->file = *m->path ? m->path : NULL;
	if (!m->size)
		return;
	ret->address = n->address;
	ret->module = m;
}

static void resolve_kernel(const struct sym *s, const struct place *p, struct frame *ret)
{
	const char *module = strpool_str(s->texts, p->lasti);

	mark(ret, strpool_str(s->texts, p->code));
	ret->kind = FRAME_KERNEL;
	ret->file = *module ? module : NULL;
}

void sym_resolve(void *ctx, uint32_t id, struct frame *ret)
{
	const struct sym *s = ctx;
	const struct place *p;
	struct code_text text;

	if (id < WALK_ENDS) {
		mark(ret, markers[id]);
		return;
	}
	if (id - WALK_ENDS >= hmap_count(s->places)) {
		mark(ret, "[unresolved]");
		return;
	}
	p = hmap_key(s->places, id - WALK_ENDS);
	if (p->flags & PLACE_KERNEL) {
		resolve_kernel(s, p, ret);
		return;
	}
	if (p->flags & (PLACE_NATIVE | PLACE_MARK)) {
		resolve_native(s, p, ret);
		return;
	}
	if (!codes_text(s->codes, p->code, p->lasti, &text) || !text.name) {
		mark(ret, "[unresolved]");
		return;
	}
	*ret = (struct frame){ .name = text.name,
			       .file = text.file,
			       .line = line_of(p, &text),
			       .first = text.first_line,
			       .kind = FRAME_PYTHON,
			       .approximate = p->flags && line_of(p, &text) > 0 };
}
