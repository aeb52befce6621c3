/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names in the kernel's BTF: of its types, functions and constants. Only the strings are read;
 * libbpf would parse all of it.
 */
#ifndef KRAIT_BTFNAMES_H
#define KRAIT_BTFNAMES_H

#include <stdbool.h>

struct btfnames;

/* Reads the BTF file at @path. NULL with errno. */
struct btfnames *btfnames_read(const char *path);
void btfnames_free(struct btfnames *b);
static inline void btfnames_freep(struct btfnames **b)
{
	btfnames_free(*b);
}

bool btfnames_has(const struct btfnames *b, const char *name);

#endif
