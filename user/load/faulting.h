/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program by which a task reads itself what was not resident when it was sampled (kernel 6.18 and
 * later): an object of its own, because other kernels refuse it.
 */
#ifndef KRAIT_FAULTING_H
#define KRAIT_FAULTING_H

#include <stdbool.h>

struct bpf_object;
struct bpf_map;
struct faulting;

/* Does it load on this kernel? */
bool faulting_works(void);

/*
 * Loads it with those maps of @main that both have, and makes it the only element of @after. NULL: it
 * does not load; @main works without it. @main's maps must exist, and outlive it.
 */
struct faulting *faulting_new(struct bpf_object *main, struct bpf_map *after);
void faulting_free(struct faulting *f);

#endif
