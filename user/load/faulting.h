/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the BPF program that lets a sampled task read its own memory that was not resident (kernel
 * 6.18 and later). It is a separate object because older kernels refuse it.
 */
#ifndef KRAIT_FAULTING_H
#define KRAIT_FAULTING_H

#include <stdbool.h>

struct bpf_object;
struct bpf_map;
struct faulting;

/* Does the program load on this kernel? */
bool faulting_works(void);

/*
 * Loads the program, with the maps that it shares with @main, and puts it into @after as the only
 * element. @main's maps must have been created, and outlive it. NULL with errno: cannot be loaded;
 * @main works without it.
 */
struct faulting *faulting_new(struct bpf_object *main, struct bpf_map *after);
void faulting_free(struct faulting *f);

#endif
