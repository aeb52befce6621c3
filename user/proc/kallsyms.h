/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of the kernel's functions, from /proc/kallsyms. It has some 200,000 lines, so it is read when the
 * first name is asked for. But it is opened at once: the kernel shows addresses to who may see them when
 * they open it, and krait gives privileges up later.
 */
#ifndef KRAIT_KALLSYMS_H
#define KRAIT_KALLSYMS_H

#include <stdint.h>

struct kallsyms;

/* @path: NULL stands for /proc/kallsyms. NULL: out of memory; a file that cannot be read has no names. */
struct kallsyms *kallsyms_new(const char *path);
void kallsyms_free(struct kallsyms *k);

/*
 * The name of the function at @address, and in *@ret_module the module that it belongs to (NULL: the kernel
 * itself), both valid as long as @k. NULL: not known.
 */
const char *kallsyms_name(struct kallsyms *k, uint64_t address, const char **ret_module);

/* After a question: 0, -errno of reading the file, or -EPERM: it hides all addresses (kptr_restrict). */
int kallsyms_error(const struct kallsyms *k);

#endif
