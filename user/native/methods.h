/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for C functions of stripped interpreters and extension modules. A process that runs Python has
 * tables of PyMethodDef in its data: { name, function, flags, documentation }. So the function behind
 * sorted() is found although no symbol is left, and gets the name that a Python programmer knows.
 */
#ifndef KRAIT_METHODS_H
#define KRAIT_METHODS_H

#include <stddef.h>
#include <stdint.h>

#include "native/ehframe.h"
#include "native/symbols.h"

/* Memory of the process. Reads exactly @len bytes; 0 or -errno. */
typedef int methods_reader(void *ctx, void *to, size_t len, uint64_t addr);

/*
 * Fills symbols without a name: "sorted()". @e, @f: their file, which the process has loaded with
 * @bias. Returns how many names were found, or -ENOMEM. Sorts @s by address.
 */
int methods_fill(struct elf_file *e, struct ehframe *f, uint64_t bias, methods_reader *read,
		 void *ctx, struct symbol *s, size_t n);

#endif
