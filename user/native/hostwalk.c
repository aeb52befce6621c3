/* SPDX-License-Identifier: BSD-2-Clause */
#include "native/hostwalk.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

typedef const struct hostwalk natwalk_source;
static int read_user(natwalk_source *src, void *to, uint32_t len, uint64_t addr);
static const struct native_map *native_map_at(natwalk_source *src, uint32_t i);
static const struct native_chunk *native_chunk_at(natwalk_source *src, uint32_t number);
static const struct native_pool *native_pool_at(natwalk_source *src, uint32_t i);
static int natwalk_a64(natwalk_source *src);

#include "bpf/natstack.h"

_Static_assert((int)HOSTWALK_REGS == (int)NATWALK_REGS, "registers");

struct hostwalk {
	struct natfiles *files;
	struct natfiles_memory memory;
	uint16_t machine;
	struct hostwalk_target target;
	struct natstack stack;
};

static int read_user(natwalk_source *src, void *to, uint32_t len, uint64_t addr)
{
	return src->target.read(src->target.ctx, to, len, addr);
}

static const struct native_map *native_map_at(natwalk_source *src, uint32_t i)
{
	static const struct native_map none;

	return i < src->target.n_maps ? &src->target.maps[i] : &none;
}

static const struct native_chunk *native_chunk_at(natwalk_source *src, uint32_t number)
{
	struct native_chunk *c;

	if (number >= src->memory.n_chunks)
		return NULL;
	c = &src->memory.chunks[number];
	if (c->state != NATIVE_READY && c->state != NATIVE_REFUSED)
		natfiles_compile(src->files, number);
	return c;
}

static const struct native_pool *native_pool_at(natwalk_source *src, uint32_t i)
{
	return src->memory.pool(src->memory.ctx, i);
}

static int natwalk_a64(natwalk_source *src)
{
	return src->machine == EM_AARCH64;
}

struct hostwalk *hostwalk_new(struct natfiles *nf, const struct natfiles_memory *memory,
			      uint16_t machine)
{
	struct hostwalk *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->files = nf;
	h->memory = *memory;
	h->machine = machine;
	return h;
}

void hostwalk_free(struct hostwalk *h)
{
	free(h);
}

static void start(struct hostwalk *h, const struct hostwalk_regs *regs)
{
	struct natwalk *w = &h->stack.walk;

	natwalk_start(w, regs->pc, regs->sp, regs->fp);
	w->lr = regs->lr;
	w->has_regs = regs->has_all;
	memcpy(w->regs, regs->all, sizeof(w->regs));
	w->first_map = 0;
	w->maps = h->target.n_maps;
}

size_t hostwalk_stack(struct hostwalk *h, const struct hostwalk_target *t,
		      const struct hostwalk_regs *regs, struct hostwalk_frame *frames, size_t max,
		      uint32_t *ret_end)
{
	struct natwalk *w = &h->stack.walk;
	int go = NATWALK_MORE;
	size_t n = 0;

	h->target = *t;
	start(h, regs);
	for (; n < max && go == NATWALK_MORE; n++) {
		frames[n].pc = w->pc;
		go = natwalk_step(h, w);
		frames[n].where = w->frame;
		frames[n].low = w->low;
		frames[n].high = w->high;
	}
	*ret_end = go == NATWALK_END ? w->end : NATIVE_DEEP;
	return n;
}

/* --- copies ----------------------------------------------------------------------------------- */

static void start_copy(struct hostwalk *h, const struct wire_copy *c)
{
	struct natstack *s = &h->stack;
	struct hostwalk_regs regs = { .pc = c->pc, .sp = c->sp, .fp = c->fp, .has_all = true };

	memcpy(regs.all, c->regs, sizeof(c->regs));
	start(h, &regs);
	s->seats = c->seats < WIRE_COPY_SEATS ? c->seats : WIRE_COPY_SEATS;
	memcpy(s->seat, c->seat, s->seats * sizeof(*s->seat));
	s->by_code = c->by_code;
	s->code = c->code;
	s->delta = c->delta;
	s->fp_saved = c->fp_saved;
	natstack_start(s);
}

size_t hostwalk_copy(struct hostwalk *h, const struct hostwalk_target *t,
		     const struct wire_copy *copy, uint64_t frames[WIRE_MAX_NATIVE])
{
	struct natstack *s = &h->stack;

	h->target = *t;
	start_copy(h, copy);
	while (natstack_step(h, s) == NATWALK_MORE)
		;
	if (s->unfinished)
		natstack_add(s, NATIVE_FRAME_ABSOLUTE | s->walk.end);
	memcpy(frames, s->frame, s->count * sizeof(*frames));
	return s->count;
}
