/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files with the symbols that were stripped from an ELF file: the compressed one that it contains
 * (.gnu_debugdata, of Fedora and its relatives), and the one that a debug package installs under the
 * file's build id.
 */
#ifndef KRAIT_DEBUGFILE_H
#define KRAIT_DEBUGFILE_H

#include "proc/elf.h"

/* The file inside of @e, which the caller closes. NULL: none, or a damaged one. */
struct elf_file *debugfile_inside(struct elf_file *e);
/*
 * The file with the build id of @e below the folder @root ("/", or the root of a process), which the
 * caller closes. NULL: none, or one of another build.
 */
struct elf_file *debugfile_by_id(struct elf_file *e, const char *root);

#endif
