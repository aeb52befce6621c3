/* SPDX-License-Identifier: BSD-2-Clause */
#include "sym/sym.h"

#include <stdlib.h>

#include "base/hmap.h"
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
	uint64_t code;
	int32_t lasti;
	uint32_t flags; /* FRAME_COMPILED, FRAME_LINE; 32 bits: a hash key has no padding */
};

struct sym {
	const struct codes *codes;
	struct hmap *places; /* struct place; its number is the frame's id, less WALK_ENDS */
};

struct sym *sym_new(const struct codes *codes)
{
	struct sym *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->codes = codes;
	s->places = hmap_new(sizeof(struct place), 0);
	if (!s->places) {
		free(s);
		return NULL;
	}
	return s;
}

void sym_free(struct sym *s)
{
	if (!s)
		return;
	hmap_free(s->places);
	free(s);
}

uint32_t sym_frame(struct sym *s, const struct wire_frame *f)
{
	struct place p = {
		.code = f->code,
		.lasti = f->lasti,
		.flags = f->flags & (FRAME_COMPILED | FRAME_LINE),
	};
	uint32_t number = hmap_number(s->places, &p);

	return number < SYM_NONE - WALK_ENDS ? WALK_ENDS + number : SYM_NONE;
}

size_t sym_bytes(const struct sym *s)
{
	return hmap_bytes(s->places);
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
