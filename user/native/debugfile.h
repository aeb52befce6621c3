/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files with the symbols that were stripped from an ELF file: the compressed one that it contains
 * (.gnu_debugdata, of Fedora and its relatives), and a separate one, under the file's build id as debug packages
 * install it, or under the name that the file has a link to (.gnu_debuglink).
 */
#ifndef KRAIT_DEBUGFILE_H
#define KRAIT_DEBUGFILE_H

#include "proc/elf.h"

/* The file inside of @e, which the caller closes. NULL: none, or a damaged one. */
struct elf_file *debugfile_inside(struct elf_file *e);
/*
 * The separate debug file of @e, which the caller closes, below the folder @root ("/", or the root of a process).
 * @path is that of @e below the same root; "": unknown. NULL: none, or only one of another build.
 */
struct elf_file *debugfile_find(struct elf_file *e, const char *path, const char *root);

enum { DEBUGFILES_TRIES = 3 }; /* roots in which a separate debug file is looked for */

/* Debug files of one file; all 0 at first. */
struct debugfiles {
	struct elf_file *inside, *outside; /* NULL: none, or not looked for */
	unsigned int tries;
};

/* Looks for those that are not there yet, in @root and on the host, unless that was tried often enough. */
void debugfiles_look(struct debugfiles *d, struct elf_file *e, const char *path, const char *root);
void debugfiles_done(struct debugfiles *d);

#endif
