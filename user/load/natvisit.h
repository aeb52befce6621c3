/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the visitor that reads native frames (bpf/natvisit.bpf.c). It is a separate object because
 * libbpf 1.1 cannot link two files that call the same kernel functions.
 */
#ifndef KRAIT_NATVISIT_H
#define KRAIT_NATVISIT_H

#include "bpf/wire.h"

struct bpf_object;
struct bpf_program;
struct natvisit;

/*
 * It uses the maps of @main, which is loaded, and its wall clock's state, the map with the descriptor @state.
 * NULL with errno.
 */
struct natvisit *natvisit_new(const struct bpf_object *main, const struct wire_config *cfg,
			      int state);
struct bpf_program *natvisit_program(const struct natvisit *n);
void natvisit_free(struct natvisit *n);

#endif
