/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks up names in the symbol tables of an ELF file. The file may be truncated, absurd, or change
 * while it is read: a damaged table counts as one without the name.
 */
#ifndef KRAIT_SYMTAB_H
#define KRAIT_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/elfsource.h"

struct elf_sym {
	uint64_t value; /* virtual address in the file; 0: not defined here (unless tls) */
	uint64_t size;
	bool tls;    /* value is an offset into the TLS segment, and may be 0 */
	bool data;   /* STT_OBJECT; includes copy-relocated variables of an executable */
	bool needed; /* not defined here, but imported from another file */
};

struct range {
	uint64_t offset, size; /* in the file, bytes */
};

struct symtab {
	struct range syms, strs; /* size 0: the file has none */
};

/*
 * Looks up @n names in the first table, then the missing ones in the next. Fills @ret[i] (value 0:
 * undefined). Names must be distinct and have 4 to 127 bytes. Returns the number of names found, or
 * -errno.
 */
int symtab_find(const struct elf_source *from, const struct symtab *tables, size_t ntables,
		const char *const *names, struct elf_sym *ret, size_t n);

#endif
