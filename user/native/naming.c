/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	places ─► by file ─► symbols_find() ─► methods_fill() ─► demangle() ─► places
 *
 * All places of a file are looked up in one pass over its tables.
 */
#include "native/naming.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "native/demangle.h"
#include "native/methods.h"
#include "native/symbols.h"
#include "proc/rmem.h"

/* Hostile names whose time was up, of one question: then all names of the question stay as they are. */
enum { COSTLY_MAX = 8 };

static int read_process(void *ctx, void *to, size_t len, uint64_t addr)
{
	const struct naming_process *who = ctx;

	return rmem_read(who->pid, addr, to, len);
}

static uint64_t vaddr_of(const struct natfiles *nf, const struct naming_place *p)
{
	uint64_t base;

	if (natfiles_of(nf, p->where >> NATIVE_CHUNK_BITS, &base) < 0)
		return 0;
	return base + (p->where & (NATIVE_CHUNK - 1));
}

static int by_vaddr(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->vaddr > y->vaddr) - (x->vaddr < y->vaddr);
}

/* The process's bias of the file. False: it has no mapping of it. */
static bool find_bias(const struct natfiles *nf, const struct naming_process *who, int file,
		      uint64_t *ret)
{
	const struct native_map *m;

	vec_each (who->maps, m) {
		if (m->flags || m->chunk != natfiles_chunk(nf, file))
			continue;
		*ret = m->bias;
		return true;
	}
	return false;
}

/*
 * Is there neither a call before the return address @ra, nor a signal handler's return there? Only known of
 * x86-64.
 */
static bool is_astray(struct elf_file *elf, uint64_t ra)
{
	static const uint8_t restorer[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };
	uint8_t before[8], after[sizeof(restorer)];

	if (elf_machine(elf) != EM_X86_64 || elf_read(elf, ra - 8, before, sizeof(before)))
		return false;
	for (int n = 2; n <= 7; n++) /* call *ADDRESS: ff /2 */
		if (before[8 - n] == 0xff && (before[9 - n] & 0x38) == 0x10)
			return false;
	if (before[3] == 0xe8)
		return false;
	return elf_read(elf, ra, after, sizeof(after)) || memcmp(after, restorer, sizeof(after));
}

/* The name to show, a copy. NULL: out of memory. */
static char *readable(const char *name, unsigned int *costly)
{
	char text[DEMANGLE_MAX];

	return strdup(*costly < COSTLY_MAX && demangle(name, text, costly) ? text : name);
}

/* Gives one place what was found for its address. */
static int take(struct natfiles *nf, struct naming_place *p, const struct symbol *all, size_t n,
		unsigned int *costly)
{
	const struct symbol key = { .vaddr = vaddr_of(nf, p) },
			    *s = bsearch(&key, all, n, sizeof(*all), by_vaddr);
	struct ehframe *functions = natfiles_functions(nf, p->file);
	struct fde fde;

	p->astray = p->is_return && is_astray(natfiles_elf(nf, p->file), key.vaddr + 1);
	if (functions && ehframe_function(functions, key.vaddr, &fde)) {
		p->start = fde.start;
		p->known = 1;
	}
	if (!s || !s->name)
		return 0;
	if (!p->known && s->start) {
		p->start = s->start;
		p->known = 1;
	}
	p->name = readable(s->name, costly);
	return p->name ? 0 : -ENOMEM;
}

static int look_up(struct natfiles *nf, const struct naming_process *who, int file,
		   struct symbol *all, size_t n)
{
	struct elf_file *elf = natfiles_elf(nf, file);
	struct ehframe *functions = natfiles_functions(nf, file);
	char root[32];
	uint64_t bias;
	int found;

	snprintf(root, sizeof(root), "/proc/%d/root", (int)who->pid);
	found = symbols_find(elf, natfiles_debug(nf, file), natfiles_path(nf, file), root, all, n);
	if (found >= 0 && (size_t)found < n && functions && find_bias(nf, who, file, &bias))
		found = methods_fill(elf, functions, bias, read_process, (void *)who, all, n);
	return found < 0 ? found : 0;
}

/* All places of one file. */
static int name_file(struct natfiles *nf, const struct naming_process *who, int file,
		     struct naming_place *p, size_t n, unsigned int *costly)
{
	_free_ struct symbol *all = calloc(n, sizeof(*all));
	size_t count = 0;
	int err;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (p[i].file == file)
			all[count++].vaddr = vaddr_of(nf, &p[i]);
	err = look_up(nf, who, file, all, count);
	for (size_t i = 0; !err && i < n; i++)
		if (p[i].file == file)
			err = take(nf, &p[i], all, count, costly);
	for (size_t i = 0; i < count; i++)
		free(all[i].name);
	return err;
}

/* Is the place's file one of those before it? */
static bool was_named(const struct naming_place *p, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (p[k].file == p[i].file)
			return true;
	return false;
}

int naming_find(struct natfiles *nf, const struct naming_process *who, struct naming_place *p,
		size_t n)
{
	unsigned int costly = 0;
	uint64_t base;
	int err = 0;

	for (size_t i = 0; i < n; i++)
		p[i].file = natfiles_of(nf, p[i].where >> NATIVE_CHUNK_BITS, &base);
	for (size_t i = 0; i < n && !err; i++)
		if (p[i].file >= 0 && !was_named(p, i))
			err = name_file(nf, who, p[i].file, p, n, &costly);
	return err;
}
