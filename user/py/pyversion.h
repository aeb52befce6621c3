/* SPDX-License-Identifier: BSD-2-Clause */
/* The version of the interpreter in an ELF file, as PY_VERSION_HEX; 0: unknown. */
#ifndef KRAIT_PYVERSION_H
#define KRAIT_PYVERSION_H

#include <stdint.h>

#include "proc/elf.h"

/* "3.9.18" -> 0x030912f0; a suffix (a1, b2, rc1, +) makes it a pre-release. 0: not a version. */
uint32_t pyversion_parse(const char *s);
/* Up to 3.10 the version is found only among the format arguments of Py_GetVersion(), @fn. */
uint32_t pyversion_of_function(struct elf_file *e, const struct elf_sym *fn);
/*
 * Searches the constants of an interpreter without symbols for the text of a version from 3.10 to
 * 3.12; later ones say their version in _PyRuntime. 0 also if there are different ones.
 */
uint32_t pyversion_search(struct elf_file *e);

#endif
