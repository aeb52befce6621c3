/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A memory image: the memory that the walker read from one stopped interpreter, and the stacks that
 * the interpreter itself reported. It is a text file, so that people can read it:
 *
 *	python 0x30b07f0                            PY_VERSION_HEX
 *	info current 0x... key 0x... ...            struct proc_info
 *	offsets HEX                                 the start of _PyRuntime (3.13+)
 *	thread NAME 0x...                           its thread pointer
 *	frame 0x... LINE<tab>NAME<tab>FILE          code object; leaf first, of the thread above
 *	bytes 0x... HEX                             memory; adjacent lines make one range
 *
 * Nothing but these bytes can be read from an image: a walk that reads more than the recorded one
 * fails. The tests and the recorder share this header; a program includes it once.
 */
#ifndef KRAIT_IMAGE_H
#define KRAIT_IMAGE_H

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/vec.h"
#include "py/layout.h"
#include "py/linetable.h"
#include "py/pystr.h"
#include "py/walk.h"

struct image_range {
	uint64_t addr;
	struct buf bytes;
};

struct image_frame {
	uint64_t code;
	int line;
	char *name, *file;
};

struct image_thread {
	char name[16];
	uint64_t pointer;
	VEC(struct image_frame) frames;
};

struct image {
	uint32_t hex;
	uint32_t flavour; /* set of enum py_flavour */
	struct py_layout layout;
	struct proc_info info;
	struct buf offsets;
	VEC(struct image_thread) threads;
	VEC(struct image_range) ranges; /* ascending, with gaps between them */
	unsigned long reads;
};

static const struct proc_key image_proc = { .start_ns = 1, .tgid = 1 };

static inline void image_thread_done(struct image_thread *t)
{
	struct image_frame *f;

	vec_each (&t->frames, f) {
		free(f->name);
		free(f->file);
	}
	vec_done(&t->frames);
}

static inline void image_done(struct image *im)
{
	struct image_thread *t;
	struct image_range *r;

	vec_each (&im->threads, t)
		image_thread_done(t);
	vec_each (&im->ranges, r)
		buf_done(&r->bytes);
	vec_done(&im->threads);
	vec_done(&im->ranges);
	buf_done(&im->offsets);
}

/* --- text ------------------------------------------------------------------------------------- */

static inline int image_hex(struct buf *to, const char *text)
{
	unsigned int byte;
	int used;

	for (; sscanf(text, "%2x%n", &byte, &used) == 1; text += used)
		buf_char(to, (char)byte);
	return to->err;
}

static inline int image_parse_info(struct image *im, const char *text)
{
	struct proc_info *p = &im->info;

	return sscanf(text,
		      "current %" SCNx64 " key %" SCNx64 " interps %" SCNx64 " code_type %" SCNx64
		      " tss %u base %x first %x second %x tls %lld",
		      (uint64_t *)&p->current, (uint64_t *)&p->key, (uint64_t *)&p->interps,
		      (uint64_t *)&p->code_type, &p->tss, &p->tss_base, &p->tss_first,
		      &p->tss_second, (long long *)&p->tls) >= 8 /* tls: matters from 3.15 on */
		       ? 0
		       : -EINVAL;
}

static inline int image_parse_thread(struct image *im, const char *text)
{
	struct image_thread t = {};

	if (sscanf(text, "%15s %" SCNx64, t.name, &t.pointer) != 2)
		return -EINVAL;
	return vec_push(&im->threads, t);
}

static inline int image_parse_frame(struct image *im, const char *text)
{
	struct image_frame f = {};

	if (!im->threads.len || sscanf(text, "%" SCNx64 " %d %m[^\t]%*1[\t]%m[^\n]", &f.code,
				       &f.line, &f.name, &f.file) != 4) {
		free(f.name);
		free(f.file);
		return -EINVAL;
	}
	return vec_push(&im->threads.at[im->threads.len - 1].frames, f);
}

static inline int image_parse_bytes(struct image *im, const char *text)
{
	struct image_range fresh = {}, *last = NULL;
	int used;

	if (sscanf(text, "%" SCNx64 " %n", &fresh.addr, &used) != 1)
		return -EINVAL;
	if (im->ranges.len)
		last = &im->ranges.at[im->ranges.len - 1];
	if (last && last->addr + last->bytes.len > fresh.addr)
		return -EINVAL;
	if (!last || last->addr + last->bytes.len != fresh.addr) {
		if (vec_push(&im->ranges, fresh))
			return -ENOMEM;
		last = &im->ranges.at[im->ranges.len - 1];
	}
	return image_hex(&last->bytes, text + used);
}

static inline int image_parse_line(struct image *im, const char *line)
{
	char key[8];
	int at = 0;

	if (sscanf(line, "%7s %n", key, &at) != 1)
		return -EINVAL;
	if (!strcmp(key, "python"))
		return sscanf(line + at, "%x %u", &im->hex, &im->flavour) >= 1 ? 0 : -EINVAL;
	if (!strcmp(key, "info"))
		return image_parse_info(im, line + at);
	if (!strcmp(key, "offsets"))
		return image_hex(&im->offsets, line + at);
	if (!strcmp(key, "thread"))
		return image_parse_thread(im, line + at);
	if (!strcmp(key, "frame"))
		return image_parse_frame(im, line + at);
	return strcmp(key, "bytes") ? -EINVAL : image_parse_bytes(im, line + at);
}

/* Returns 0, -ENOMEM or -EINVAL. */
static inline int image_parse(struct image *im, FILE *from)
{
	_free_ char *line = NULL;
	size_t size = 0;
	int err = 0;

	while (!err && getline(&line, &size, from) > 0)
		err = image_parse_line(im, line);
	return err;
}

/* Reads an image and finds its layout. Call image_done() even if this fails. */
static inline int image_load(struct image *im, const char *path)
{
	_fclose_ FILE *file = fopen(path, "re");
	int err;

	if (!file)
		return -errno;
	err = image_parse(im, file);
	if (err)
		return err;
	return layout_find(im->hex, im->flavour, (const uint8_t *)im->offsets.data, im->offsets.len,
			   &im->layout, NULL);
}

/* --- memory ----------------------------------------------------------------------------------- */

/* Returns the byte at @addr and the length of its range from there; NULL: not in the image. */
static inline uint8_t *image_at(const struct image *im, uint64_t addr, size_t *ret_len)
{
	size_t low = 0, high = im->ranges.len;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct image_range *r = &im->ranges.at[mid];

		if (addr < r->addr) {
			high = mid;
		} else if (addr - r->addr >= r->bytes.len) {
			low = mid + 1;
		} else {
			*ret_len = r->bytes.len - (addr - r->addr);
			return (uint8_t *)r->bytes.data + (addr - r->addr);
		}
	}
	return NULL;
}

/* A walk_reader whose @ctx is a struct image. */
static inline int image_read(void *ctx, void *to, size_t len, uint64_t addr)
{
	struct image *im = ctx;
	size_t had = 0;
	const uint8_t *from = image_at(im, addr, &had);

	im->reads++;
	if (!len)
		return 0;
	if (!from || had < len)
		return -EFAULT;
	memcpy(to, from, len);
	return 0;
}

/* --- names and lines -------------------------------------------------------------------------- */

struct image_memory {
	walk_reader *read;
	void *ctx;
};

struct image_text {
	struct buf name, file;
	int line;
};

static inline void image_text_done(struct image_text *t)
{
	buf_done(&t->name);
	buf_done(&t->file);
}

static inline uint64_t image_word(const struct image_memory *m, uint64_t addr)
{
	uint64_t v;

	return m->read(m->ctx, &v, sizeof(v), addr) ? 0 : v;
}

static inline void image_string(const struct image_memory *m, const struct py_layout *l,
				uint64_t str, struct buf *ret)
{
	uint64_t len = image_word(m, str + l->us_length), from;
	_free_ uint8_t *data = NULL;
	uint32_t state, kind;

	if (len > 65536 || m->read(m->ctx, &state, sizeof(state), str + l->us_state))
		return;
	kind = state >> l->us_kind & 7;
	from = str + (state >> l->us_ascii_bit & 1 ? l->us_ascii : l->us_compact);
	data = malloc(len * kind + 1);
	if (data && !m->read(m->ctx, data, len * kind, from))
		pystr_utf8(ret, data, len, kind);
}

static inline int image_line(const struct image_memory *m, const struct py_layout *l,
			     const struct wire_frame *f)
{
	uint64_t table = image_word(m, f->addr + l->co_table);
	uint64_t len = image_word(m, table + l->by_size);
	_free_ uint8_t *data = NULL;
	int first;

	if (len > 65536 || m->read(m->ctx, &first, sizeof(first), f->addr + l->co_firstline))
		return LINE_NONE;
	data = malloc(len + 1);
	if (!data || m->read(m->ctx, data, len, table + l->by_data))
		return LINE_NONE;
	return linetable_line(l->line_format, data, len, first, f->lasti);
}

/* Reads a frame's names and line from the memory that was walked. */
static inline void image_resolve(const struct image_memory *m, const struct py_layout *l,
				 const struct wire_frame *f, struct image_text *ret)
{
	uint16_t name = l->co_qualname ? l->co_qualname : l->co_name;

	image_string(m, l, image_word(m, f->addr + name), &ret->name);
	image_string(m, l, image_word(m, f->addr + l->co_file), &ret->file);
	ret->line = image_line(m, l, f);
}

static inline struct walk_thread image_walk_thread(const struct image_thread *t)
{
	return (struct walk_thread){ .proc = image_proc, .thread_pointer = t->pointer };
}

/* --- comparison ------------------------------------------------------------------------------- */

static inline bool image_same(const char *a, const struct buf *b)
{
	return !strcmp(a, b->data ? b->data : "");
}

static inline int image_check_frame(struct image *im, const struct image_frame *want,
				    const struct wire_frame *got, FILE *log)
{
	const struct image_memory m = { image_read, im };
	_cleanup_(image_text_done) struct image_text text = {};

	image_resolve(&m, &im->layout, got, &text);
	if (got->addr == want->code && text.line == want->line && !got->flags &&
	    image_same(want->name, &text.name) && image_same(want->file, &text.file))
		return 0;
	fprintf(log,
		"# want %#" PRIx64 " %s (%s:%d)\n"
		"# got  %#" PRIx64 " %s (%s:%d) flags %#x lasti %d\n",
		want->code, want->name, want->file, want->line, (uint64_t)got->addr, text.name.data,
		text.file.data, text.line, got->flags, got->lasti);
	return 1;
}

/* Frames of one code object must have equal ids, frames of different ones different ids. */
static inline int image_check_ids(const struct wire_frame *frames, size_t n, FILE *log)
{
	int wrong = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			wrong += (frames[i].code == frames[j].code) !=
				 (frames[i].addr == frames[j].addr);
	if (wrong)
		fprintf(log, "# %d pairs of frames with wrong identities\n", wrong);
	return wrong;
}

static inline int image_check_thread(struct image *im, struct walk *w, const struct image_thread *t,
				     FILE *log)
{
	const struct walk_thread thread = image_walk_thread(t);
	const struct wire_frame *frames;
	const struct wire_stack *s = walk_stack(w, &im->layout, &im->info, &thread, &frames);
	int wrong = 0;

	if (s->end != WALK_COMPLETE || s->count != t->frames.len || s->first || !s->count) {
		fprintf(log, "# thread %s: end %u, %u frames, want %zu\n", t->name, s->end,
			s->count, t->frames.len);
		wrong++;
	}
	for (size_t i = 0; i < s->count && i < t->frames.len; i++)
		wrong += image_check_frame(im, &t->frames.at[i], &frames[i], log);
	return wrong + image_check_ids(frames, s->count, log);
}

/* Walks every thread and compares; logs differences to @log. Returns their number. */
static inline int image_check(struct image *im, FILE *log)
{
	struct walk *w = walk_new(image_read, im);
	struct image_thread *t;
	int wrong = !w || !im->threads.len;

	if (w)
		vec_each (&im->threads, t)
			wrong += image_check_thread(im, w, t, log);
	walk_free(w);
	return wrong;
}

#endif
