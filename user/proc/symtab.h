/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names in the tables of symbols of an ELF file. The file may be truncated, absurd, or change while it is read: a
 * damaged table is one without the name.
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
	bool tls;    /* value is an offset into the segment of thread-local storage, and may be 0 */
	bool data;   /* STT_OBJECT: a copy-relocated variable of an executable is one too */
	bool needed; /* not defined here, but asked for from another file */
};

struct range {
	uint64_t offset, size; /* in the file, bytes */
};

struct symtab {
	struct range syms, strs; /* size 0: the file has none */
};

/*
 * Looks up @n names in the tables, later ones for those still missing. Fills @ret[i] (value 0 where undefined). Names
 * are distinct and have 4 to 127 bytes. Returns how many were found, or -errno.
 */
int symtab_find(const struct elf_source *from, const struct symtab *tables, size_t ntables,
		const char *const *names, struct elf_sym *ret, size_t n);

#endif
