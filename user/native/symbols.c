/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table streams through a window. Each symbol that covers wanted addresses becomes a candidate:
 *
 *	wanted, sorted      a b     c   d   ...
 *	symbols            [main    )  [f  )  [f alias)
 *
 * The innermost symbol wins: the one that starts last, of these the shortest. Names are read once the
 * pass has ended, and only of the winners.
 */
#include "native/symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "proc/symtab.h"

enum {
	WINDOW = 2048,   /* symbols read at once */
	ALIASES = 6,     /* names of one function that are compared */
	MAX_NAME = 4096, /* bytes; C++ has names of 2,000 */
	BLOCK = 256,     /* bytes of a name read at once; most have 20 */
};

struct candidate {
	uint64_t start, size;
	size_t n; /* names; 0: no symbol covers the address */
	uint32_t name[ALIASES];
	uint8_t rank[ALIASES]; /* of the binding, the lower the better */
};

struct pass {
	const struct elf_source *from;
	const struct symtab *table;
	struct symbol *wanted;
	struct candidate *found;
	size_t n;
	Elf64_Sym window[WINDOW];
};

static int by_vaddr(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->vaddr > y->vaddr) - (x->vaddr < y->vaddr);
}

/* --- the pass ------------------------------------------------------------------------------------- */

static bool is_function(const Elf64_Sym *s)
{
	unsigned int type = ELF64_ST_TYPE(s->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE) && s->st_size &&
	       s->st_shndx != SHN_UNDEF && s->st_value + s->st_size > s->st_value;
}

static uint8_t rank(const Elf64_Sym *s)
{
	switch (ELF64_ST_BIND(s->st_info)) {
	case STB_GLOBAL:
		return 0;
	case STB_WEAK:
		return 1;
	default:
		return 2;
	}
}

/* The first wanted address that is not below @vaddr. */
static size_t first_from(const struct pass *p, uint64_t vaddr)
{
	size_t low = 0, high = p->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (p->wanted[middle].vaddr < vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_candidate(struct candidate *c, const Elf64_Sym *s)
{
	if (c->n && (s->st_value < c->start || (s->st_value == c->start && s->st_size > c->size)))
		return;
	if (s->st_value != c->start || s->st_size != c->size)
		c->n = 0; /* further inside than what was there */
	if (c->n == ALIASES)
		return;
	c->start = s->st_value;
	c->size = s->st_size;
	c->rank[c->n] = rank(s);
	c->name[c->n++] = s->st_name;
}

static void take_symbol(struct pass *p, const Elf64_Sym *s)
{
	if (!is_function(s))
		return;
	for (size_t i = first_from(p, s->st_value);
	     i < p->n && p->wanted[i].vaddr - s->st_value < s->st_size; i++)
		if (!p->wanted[i].name)
			add_candidate(&p->found[i], s);
}

/* A table that cannot be read to its end gives what it has. */
static void take_table(struct pass *p)
{
	size_t left = p->table->syms.size / sizeof(Elf64_Sym), n;
	uint64_t at = p->table->syms.offset;

	for (; left; left -= n, at += n * sizeof(Elf64_Sym)) {
		n = left < WINDOW ? left : WINDOW;
		if (elf_source_read(p->from, at, p->window, n * sizeof(Elf64_Sym)))
			return;
		for (size_t i = 0; i < n; i++)
			take_symbol(p, &p->window[i]);
	}
}

/* --- names ---------------------------------------------------------------------------------------- */

/* Reads the name at @offset of the strings into @ret. False: none, or one that is too long. */
static bool read_name(const struct pass *p, uint32_t offset, char ret[MAX_NAME])
{
	const struct range *strs = &p->table->strs;
	size_t len = 0, n;

	while (len < MAX_NAME && offset + len < strs->size) {
		n = strs->size - offset - len;
		n = n < BLOCK ? n : BLOCK;
		n = n < MAX_NAME - len ? n : MAX_NAME - len;
		if (elf_source_read(p->from, strs->offset + offset + len, ret + len, n))
			return false;
		if (memchr(ret + len, 0, n))
			return ret[0];
		len += n;
	}
	return false;
}

/* Is the name @a, with binding @rank_a, the better one to show? */
static bool is_better(const char *a, uint8_t rank_a, const char *b, uint8_t rank_b)
{
	size_t bars_a = strspn(a, "_"), bars_b = strspn(b, "_");

	if (bars_a != bars_b)
		return bars_a < bars_b;
	if (rank_a != rank_b)
		return rank_a < rank_b;
	return strcmp(a, b) < 0; /* the same on each run */
}

/* 1: @s has its name now, 0: it has none, -ENOMEM. */
static int take_name(const struct pass *p, const struct candidate *c, struct symbol *s)
{
	char name[MAX_NAME], best[MAX_NAME] = "";
	uint8_t best_rank = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (!read_name(p, c->name[i], name))
			continue;
		if (*best && !is_better(name, c->rank[i], best, best_rank))
			continue;
		strcpy(best, name);
		best_rank = c->rank[i];
	}
	if (!*best)
		return 0;
	s->name = strdup(best);
	s->start = c->start;
	s->size = c->size;
	return s->name ? 1 : -ENOMEM;
}

/* The number of names, or -ENOMEM. */
static int fill_from(struct pass *p)
{
	int found = 0, got;

	memset(p->found, 0, p->n * sizeof(*p->found));
	take_table(p);
	for (size_t i = 0; i < p->n; i++) {
		got = p->found[i].n ? take_name(p, &p->found[i], &p->wanted[i]) : 0;
		if (got < 0)
			return got;
		found += got;
	}
	return found;
}

int symbols_fill(struct elf_file *e, struct symbol *s, size_t n)
{
	_free_ struct candidate *found = calloc(n ? n : 1, sizeof(*found));
	_free_ struct pass *p = malloc(sizeof(*p));
	struct symtab table;
	int sum = 0, got;

	if (!found || !p)
		return -ENOMEM;
	if (n)
		qsort(s, n, sizeof(*s), by_vaddr);
	p->from = elf_from(e);
	p->table = &table;
	p->wanted = s;
	p->found = found;
	p->n = n;
	for (size_t i = 0; elf_symtab(e, i, &table); i++) {
		got = fill_from(p);
		if (got < 0)
			return got;
		sum += got;
	}
	return sum;
}

int symbols_find(struct elf_file *e, struct debugfiles *d, const char *path, const char *root,
		 struct symbol *s, size_t n)
{
	int sum = symbols_fill(e, s, n), got;

	if (sum < 0 || (size_t)sum == n)
		return sum;
	debugfiles_look(d, e, path, root);
	for (int i = 0; i < 2 && sum >= 0 && (size_t)sum < n; i++) {
		struct elf_file *more = i ? d->outside : d->inside;

		got = more ? symbols_fill(more, s, n) : 0;
		sum = got < 0 ? got : sum + got;
	}
	return sum;
}
