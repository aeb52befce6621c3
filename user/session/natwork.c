/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A helper is forked with the pointer to the shared memory in its first question. Everything else here
 * belongs to that helper alone and is lost with it:
 *
 *	natfiles ─► chunks and pools, in maps of the kernel that all helpers and programs see
 *	spaces   ─► mappings of processes, as read last
 */
#include "session/natwork.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "native/hostwalk.h"
#include "native/naming.h"
#include "native/natfiles.h"
#include "native/space.h"

enum { SPACES = 1024, POOLS = 64, PATH_MAX_SHOWN = 1024 };

struct natwork {
	struct natwork_shared *shared;
	struct natfiles *files;
	struct hostwalk *walk;
	struct hmap *spaces; /* struct proc_key -> space_maps */
	struct native_pool *pools[POOLS];
};

/* --- shared memory ---------------------------------------------------------------------------- */

struct natwork_shared *natwork_share(const struct kern_native *kern)
{
	struct natwork_shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	s->kern = *kern;
	return s;
}

void natwork_unshare(struct natwork_shared *s)
{
	if (s)
		munmap(s, sizeof(*s));
}

static struct native_pool *pool_at(void *ctx, uint32_t i)
{
	struct natwork *w = ctx;

	if (i >= POOLS)
		return NULL;
	if (!w->pools[i])
		w->pools[i] = kern_native_pool(&w->shared->kern, i);
	return w->pools[i];
}

/* --- state ------------------------------------------------------------------------------------ */

static void drop_spaces(struct natwork *w)
{
	size_t pos = 0;
	void *val;

	while (w->spaces && hmap_each(w->spaces, &pos, NULL, &val))
		vec_done((space_maps *)val);
	hmap_free(w->spaces);
	w->spaces = NULL;
}

static void natwork_close(void *state)
{
	struct natwork *w = state;

	drop_spaces(w);
	hostwalk_free(w->walk);
	natfiles_free(w->files);
	free(w);
}

static void *natwork_open(void)
{
	return calloc(1, sizeof(struct natwork));
}

/* The first question has come. */
static int begin(struct natwork *w, struct natwork_shared *shared)
{
	struct natfiles_memory memory = {
		.chunks = shared->kern.chunks,
		.n_chunks = shared->kern.n_chunks,
		.pool = pool_at,
		.ctx = w,
		.used_chunks = shared->used_chunks,
		.used_pools = shared->used_pools,
	};

	if (w->files)
		return 0;
	w->shared = shared;
	w->files = natfiles_new(&memory);
	w->walk = w->files ? hostwalk_new(w->files, &memory, EM_X86_64) : NULL;
	return w->walk ? 0 : -ENOMEM;
}

/* --- mappings --------------------------------------------------------------------------------- */

/* The process's mappings, read now if @anew, or if they never were. NULL: *@ret_err says why. */
static space_maps *space_of(struct natwork *w, const struct proc_key *proc, bool anew, int *ret_err)
{
	space_maps *maps, fresh = {};
	bool is_new;
	int err;

	if (w->spaces && hmap_count(w->spaces) >= SPACES)
		drop_spaces(w);
	if (!w->spaces)
		w->spaces = hmap_new(sizeof(struct proc_key), sizeof(space_maps));
	*ret_err = -ENOMEM;
	maps = w->spaces ? hmap_get(w->spaces, proc) : NULL;
	if (maps && !anew)
		return maps;
	err = space_read(w->files, proc->tgid, &fresh);
	if ((err && err != -E2BIG) || !fresh.len) {
		vec_done(&fresh);
		*ret_err = err ? err : -ESRCH;
		return maps; /* it has ended: what was read last is still right */
	}
	maps = w->spaces ? hmap_put(w->spaces, proc, &is_new) : NULL;
	if (!maps) {
		vec_done(&fresh);
		return NULL;
	}
	if (!is_new)
		vec_done(maps);
	memcpy(maps, &fresh, sizeof(fresh));
	return maps;
}

static int read_maps(struct natwork *w, const struct natwork_ask *ask, struct buf *out)
{
	int err;
	const space_maps *maps = space_of(w, &ask->proc, true, &err);

	if (!maps)
		return err;
	buf_add(out, maps->at, maps->len * sizeof(*maps->at));
	return out->err;
}

/* --- copies ----------------------------------------------------------------------------------- */

/* What the kernel has sent of a thread; the process's own memory has changed since. */
struct copied {
	const struct wire_copy *copy;
	bool beyond; /* the stack goes on behind its end */
};

static int read_copy(void *ctx, void *to, size_t len, uint64_t addr)
{
	struct copied *c = ctx;
	uint64_t off = addr - c->copy->stack;

	if (off > c->copy->len || len > c->copy->len - off) {
		c->beyond |= off >= c->copy->len && off < 1 << 23;
		return -EFAULT;
	}
	memcpy(to, (const uint8_t *)(c->copy + 1) + off, len);
	return 0;
}

/* What lies behind the end of the copy was not read, but may be readable. */
static void say_beyond(uint64_t *frames, size_t n)
{
	const uint64_t bits = NATIVE_FRAME_ABSOLUTE | NATIVE_FRAME_LOOP | NATIVE_FRAME_WHERE,
		       unreadable = NATIVE_FRAME_ABSOLUTE | NATIVE_UNREADABLE;

	for (size_t i = 0; i < n; i++)
		if ((frames[i] & bits) == unreadable)
			frames[i] += NATIVE_NO_CHUNK - NATIVE_UNREADABLE;
}

static int walk_copy(struct natwork *w, const struct natwork_ask *ask, struct buf *out)
{
	struct copied from = { (const void *)w->shared->room, false };
	_free_ uint64_t *frames = calloc(WIRE_MAX_NATIVE, sizeof(*frames));
	int err;
	const space_maps *maps = space_of(w, &ask->proc, false, &err);
	struct hostwalk_target t = { .read = read_copy, .ctx = &from };
	size_t n;

	if (!maps || !frames)
		return maps ? -ENOMEM : err;
	t.maps = maps->at;
	t.n_maps = maps->len;
	n = hostwalk_copy(w->walk, &t, from.copy, frames);
	if (from.beyond)
		say_beyond(frames, n);
	buf_add(out, frames, n * sizeof(*frames));
	return out->err;
}

/* --- names ------------------------------------------------------------------------------------ */

/* Describes the segment of the file with the code at @n->address, and the file's build id. */
static void describe(struct natwork *w, int file, struct natwork_name *n, struct buf *id)
{
	struct elf_file *elf = natfiles_elf(w->files, file);
	uint8_t bytes[32];
	uint64_t address;
	struct elf_segment s;
	size_t len;

	for (size_t i = 0; !n->size && elf_segment(elf, i, &s); i++) {
		if (!s.exec || n->address - s.vaddr >= s.size)
			continue;
		n->start = s.vaddr;
		n->size = s.size;
		n->offset = s.offset;
	}
	len = elf_build_id(elf, bytes, sizeof(bytes), &address);
	for (size_t i = 0; i < len; i++)
		buf_printf(id, "%02x", bytes[i]);
	n->id_len = id->err ? 0 : id->len;
}

static void add_name(struct natwork *w, const struct naming_place *p, struct buf *out)
{
	const char *module = p->file >= 0 ? natfiles_path(w->files, p->file) : "";
	size_t name_len = p->name ? strlen(p->name) : 0;
	struct natwork_name n = { .function = p->where, .known = p->known, .astray = p->astray };
	_cleanup_(buf_done) struct buf id = {};

	if (p->file >= 0 && natfiles_of(w->files, p->where >> NATIVE_CHUNK_BITS, &n.address) >= 0)
		n.address += p->where & (NATIVE_CHUNK - 1);
	if (p->known) { /* places count like addresses in the file */
		n.function -= n.address - p->start;
		n.address = p->start;
	}
	if (p->file >= 0)
		describe(w, p->file, &n, &id);
	n.name_len = name_len < UINT16_MAX ? name_len : UINT16_MAX;
	n.module_len = strnlen(module, PATH_MAX_SHOWN);
	buf_add(out, &n, sizeof(n));
	buf_add(out, p->name ? p->name : "", n.name_len);
	buf_add(out, module, n.module_len);
	buf_add(out, id.data, n.id_len);
}

static int find_names(struct natwork *w, const struct natwork_ask *ask, struct buf *out)
{
	const uint64_t *frames = (const void *)w->shared->room;
	_free_ struct naming_place *places = NULL;
	struct naming_process who = { .pid = ask->proc.tgid };
	space_maps none = {};
	int err;

	if (ask->n > NATWORK_ROOM / sizeof(*frames))
		return -EINVAL;
	places = calloc(ask->n + 1, sizeof(*places));
	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < ask->n; i++) {
		places[i].where = frames[i] & NATIVE_FRAME_WHERE;
		places[i].is_return = !!(frames[i] & NATIVE_FRAME_RETURN);
	}
	who.maps = space_of(w, &ask->proc, false, &err);
	if (!who.maps)
		who.maps = &none;
	err = naming_find(w->files, &who, places, ask->n);
	for (size_t i = 0; i < ask->n; i++) {
		add_name(w, &places[i], out);
		free(places[i].name);
	}
	return err ? err : out->err;
}

/* --- questions -------------------------------------------------------------------------------- */

static int serve(void *state, uint32_t op, const void *data, size_t len, struct buf *out)
{
	static int (*const ops[NATWORK_OPS])(struct natwork * w, const struct natwork_ask *ask,
					     struct buf *out) = {
		[NATWORK_MAPS] = read_maps,
		[NATWORK_COPY] = walk_copy,
		[NATWORK_NAMES] = find_names,
	};
	const struct natwork_ask *ask = data;
	struct natwork *w = state;
	int err;

	if (op >= NATWORK_OPS || len != sizeof(*ask))
		return -EINVAL;
	err = begin(w, ask->shared);
	if (!err)
		err = ops[op](w, ask, out);
	if (w->files)
		natfiles_used(w->files, &w->shared->used_chunks, &w->shared->used_pools);
	return err;
}

const struct aside_ops natwork_ops = { natwork_open, natwork_close, serve, "krait-native" };
