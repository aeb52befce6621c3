/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of functions, by addresses in an ELF file: one pass over its symbol tables for all addresses
 * that are wanted, so that nothing of a table with half a million symbols is kept. An address that no
 * symbol covers has no name: the nearest symbol would be a guess.
 */
#ifndef KRAIT_SYMBOLS_H
#define KRAIT_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "native/debugfile.h"
#include "proc/elf.h"

struct symbol {
	uint64_t vaddr;       /* in: an address of code in the file */
	uint64_t start, size; /* of the function */
	char *name;           /* free() it; NULL: not known */
};

/*
 * Fills the symbols without a name from the tables of @e, and sorts them by address. Of several names
 * of one function it takes the one with the fewest leading underscores, of these a global one. Returns
 * how many names were found, or -ENOMEM.
 */
int symbols_fill(struct elf_file *e, struct symbol *s, size_t n);
/*
 * The same, then for those still without a name from the debug files of @e, which are looked for below
 * the folder @root and kept in @d (debugfile.h). @path is that of @e below @root.
 */
int symbols_find(struct elf_file *e, struct debugfiles *d, const char *path, const char *root,
		 struct symbol *s, size_t n);
#endif
