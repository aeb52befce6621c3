/* SPDX-License-Identifier: BSD-2-Clause */
#include "sym/sym.h"

#include <stdlib.h>
#include <string.h>

#include "bpf/native.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hmap.h"
#include "base/strpool.h"
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
	uint64_t code; /* PLACE_NATIVE: name of the function, PLACE_MARK: of the marker, in texts */
	int32_t lasti; /* PLACE_NATIVE: name of the file, in texts */
	/* FRAME_COMPILED, FRAME_LINE, enum place_flags; 32 bits: a hash key has no padding */
	uint32_t flags;
};

enum place_flags { PLACE_NATIVE = 1 << 16, PLACE_MARK = 1 << 17 };

#define NATIVE_MARKER(symbol, text) text,
static const char *const native_ends[NATIVE_END_KINDS] = { NATIVE_ENDS(NATIVE_MARKER) };

struct sym {
	const struct codes *codes;
	struct hmap *places;   /* struct place; its number is the frame's id, less WALK_ENDS */
	struct strpool *texts; /* names of C functions and their files */
};

struct sym *sym_new(const struct codes *codes)
{
	struct sym *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->codes = codes;
	s->places = hmap_new(sizeof(struct place), 0);
	s->texts = strpool_new();
	if (s->places && s->texts)
		return s;
	sym_free(s);
	return NULL;
}

void sym_free(struct sym *s)
{
	if (!s)
		return;
	hmap_free(s->places);
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

uint32_t sym_native(struct sym *s, const char *name, const char *module)
{
	const uint32_t text = strpool_add(s->texts, name, strlen(name)),
		       file = strpool_add(s->texts, module, strlen(module));
	const struct place p = { .code = text, .lasti = file, .flags = PLACE_NATIVE };

	return text == UINT32_MAX || file == UINT32_MAX ? SYM_NONE : place_id(s, &p);
}

uint32_t sym_native_marker(struct sym *s, uint32_t end)
{
	_cleanup_(buf_done) struct buf text = {};
	struct place p = { .flags = PLACE_MARK };

	buf_printf(&text, "[native: %s]", end < NATIVE_END_KINDS ? native_ends[end] : "?");
	p.code = text.err ? UINT32_MAX : strpool_add(s->texts, text.data, text.len);
	return p.code == UINT32_MAX ? SYM_NONE : place_id(s, &p);
}

size_t sym_bytes(const struct sym *s)
{
	return hmap_bytes(s->places) + strpool_bytes(s->texts);
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
	mark(ret, strpool_str(s->texts, p->code));
	if (!(p->flags & PLACE_NATIVE))
		return;
	ret->kind = FRAME_NATIVE;
	if (p->lasti)
		ret->file = strpool_str(s->texts, p->lasti);
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
