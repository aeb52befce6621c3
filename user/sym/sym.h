/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames as numbers, and numbers as text. A number is a pair (code object, instruction) or a marker;
 * its text is looked up when somebody asks, because code objects may arrive after the stacks that
 * name them.
 */
#ifndef KRAIT_SYM_H
#define KRAIT_SYM_H

#include <stdint.h>

#include "bpf/wire.h"
#include "model/frame.h"
#include "py/code.h"

#define SYM_NONE UINT32_MAX /* out of memory */

struct sym;

/* @codes must outlive it. NULL: out of memory. */
struct sym *sym_new(const struct codes *codes);
void sym_free(struct sym *s);

uint32_t sym_frame(struct sym *s, const struct wire_frame *f);
/* Memory that it uses. */
size_t sym_bytes(const struct sym *s);
/* @end other than WALK_COMPLETE. */
uint32_t sym_marker(enum walk_end end);
/* What the marker says: "[unreadable]". */
const char *sym_marker_name(enum walk_end end);

/* A profile_resolver; @ctx is the struct sym. */
void sym_resolve(void *ctx, uint32_t id, struct frame *ret);

#endif
