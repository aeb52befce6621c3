/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Searches the strings first: they stream through a window, and only if one of the names occurs in
 * them is the symbol table read, for symbols that refer to the place of the name. So most libraries
 * cost one sequential read of their strings, and no file costs more memory than a window.
 */
#include "proc/symtab.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hmap.h"

enum {
	MAX_NAME = 127,    /* of a symbol */
	MIN_NAME = 4,      /* bytes that the filter compares */
	MAX_PLACES = 4096, /* occurrences of names; normal files have one for each name */
	WINDOW = 64 << 10, /* bytes per read; below malloc()'s threshold for mmap() */
	FILTER_BITS = 1024,
};

struct search {
	const char *const *names;
	struct elf_sym *ret;
	size_t n, found;
	struct hmap *places; /* offset of a name in the strings (u32) -> index of the name (u32) */
	uint64_t filter[FILTER_BITS / 64]; /* hashes of the names' last four bytes */
	union {
		char text[MAX_NAME + 1 + WINDOW]; /* the end of the previous window, and this one */
		Elf64_Sym syms[WINDOW / sizeof(Elf64_Sym)];
	};
};

static void search_free(struct search **s)
{
	if (*s)
		hmap_free((*s)->places);
	free(*s);
}

static unsigned int tail_bit(const char *end)
{
	uint32_t tail;

	memcpy(&tail, end - MIN_NAME, sizeof(tail));
	return tail * 0x9e3779b1u >> 22;
}

/* A TLS symbol may have value 0. */
static bool sym_found(const struct elf_sym *sym)
{
	return sym->value || sym->tls;
}

/* Empties the places and fills the filter with the names that are still missing. */
static int search_start(struct search *s)
{
	unsigned int bit;
	size_t i;

	hmap_free(s->places);
	s->places = hmap_new(sizeof(uint32_t), sizeof(uint32_t));
	if (!s->places)
		return -ENOMEM;
	memset(s->filter, 0, sizeof(s->filter));
	for (i = 0; i < s->n; i++) {
		if (sym_found(&s->ret[i]))
			continue;
		bit = tail_bit(s->names[i] + strlen(s->names[i]));
		s->filter[bit / 64] |= 1ULL << bit % 64;
	}
	return 0;
}

/* Adds the place of the string that ends at @end (its NUL) if it is a wanted name. @base: offset of the text. */
static int place_add(struct search *s, const char *end, uint64_t base)
{
	size_t i, len, before = end - s->text;
	uint32_t place, *name;

	for (i = 0; i < s->n; i++) {
		len = strlen(s->names[i]);
		if (sym_found(&s->ret[i]) || len > before || memcmp(end - len, s->names[i], len))
			continue;
		if (hmap_count(s->places) >= MAX_PLACES)
			return -E2BIG;
		place = base + before - len;
		name = hmap_put(s->places, &place, NULL);
		if (!name)
			return -ENOMEM;
		*name = i;
	}
	return 0;
}

/* Checks all strings that end in text[@from, @to). */
static int places_in_window(struct search *s, size_t from, size_t to, uint64_t base)
{
	const char *end = s->text + from, *stop = s->text + to;
	unsigned int bit;
	int err;

	for (; (end = memchr(end, 0, stop - end)); end++) {
		if (end - s->text < MIN_NAME)
			continue;
		bit = tail_bit(end);
		if (!(s->filter[bit / 64] >> bit % 64 & 1))
			continue;
		err = place_add(s, end, base);
		if (err)
			return err;
	}
	return 0;
}

/* Fills s->places. */
static int find_places(const struct elf_source *from, const struct range *strs, struct search *s)
{
	size_t kept = 0, len, keep;
	uint64_t at;
	int err;

	for (at = 0; at < strs->size; at += len) {
		len = strs->size - at < WINDOW ? strs->size - at : WINDOW;
		err = elf_source_read(from, strs->offset + at, s->text + kept, len);
		if (!err)
			err = places_in_window(s, kept, kept + len, at - kept);
		if (err)
			return err;
		keep = kept + len < MAX_NAME ? kept + len : MAX_NAME;
		memmove(s->text, s->text + kept + len - keep, keep);
		kept = keep;
	}
	return 0;
}

static bool sym_is_definition(const Elf64_Sym *sym)
{
	unsigned int type = ELF64_ST_TYPE(sym->st_info);

	if (sym->st_shndx == SHN_UNDEF ||
	    (sym->st_shndx >= SHN_LORESERVE && sym->st_shndx != SHN_XINDEX))
		return false;
	return type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC || type == STT_TLS;
}

static void take_symbol(struct search *s, const Elf64_Sym *sym)
{
	uint32_t place = sym->st_name, *name = hmap_get(s->places, &place);

	if (!name || sym_found(&s->ret[*name]))
		return;
	s->ret[*name].needed |= sym->st_shndx == SHN_UNDEF;
	if (!sym_is_definition(sym))
		return;
	s->ret[*name] = (struct elf_sym){
		.value = sym->st_value,
		.size = sym->st_size,
		.tls = ELF64_ST_TYPE(sym->st_info) == STT_TLS,
		.data = ELF64_ST_TYPE(sym->st_info) == STT_OBJECT,
	};
	s->found += sym_found(&s->ret[*name]);
}

/* Reads backwards, so that a global symbol wins over a local one of the same name: locals come first. */
static int find_symbols(const struct elf_source *from, const struct range *syms, struct search *s)
{
	size_t i, n, left = syms->size / sizeof(Elf64_Sym),
		     max = sizeof(s->syms) / sizeof(*s->syms);
	int err;

	for (; left; left -= n) {
		n = left < max ? left : max;
		err = elf_source_read(from, syms->offset + (left - n) * sizeof(Elf64_Sym), s->syms,
				      n * sizeof(Elf64_Sym));
		if (err)
			return err;
		for (i = n; i-- > 0;)
			take_symbol(s, &s->syms[i]);
	}
	return 0;
}

static int search_table(const struct elf_source *from, const struct symtab *t, struct search *s)
{
	int err;

	if (!t->syms.size || s->found == s->n)
		return 0;
	err = search_start(s);
	if (!err)
		err = find_places(from, &t->strs, s);
	if (!err && hmap_count(s->places))
		err = find_symbols(from, &t->syms, s);
	/* A damaged table counts as one without the name; the next table may be intact. */
	return err == -ENOMEM ? err : 0;
}

int symtab_find(const struct elf_source *from, const struct symtab *tables, size_t ntables,
		const char *const *names, struct elf_sym *ret, size_t n)
{
	_cleanup_(search_free) struct search *s = NULL;
	size_t i, len;
	int err = 0;

	for (i = 0; i < n; i++) {
		len = strlen(names[i]);
		if (len < MIN_NAME || len > MAX_NAME)
			return -EINVAL;
	}
	memset(ret, 0, n * sizeof(*ret));
	s = malloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->names = names;
	s->ret = ret;
	s->n = n;
	s->found = 0;
	s->places = NULL;
	for (i = 0; i < ntables && !err; i++)
		err = search_table(from, &tables[i], s);
	return err ? err : (int)s->found;
}
