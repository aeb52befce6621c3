/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Symbolizes frames. Each frame gets a number, which stands for a pair (code object, instruction), a C
 * function or a marker. Its text is looked up on demand, because code objects may arrive after the stacks
 * that refer to them.
 */
#ifndef KRAIT_SYM_H
#define KRAIT_SYM_H

#include <stdbool.h>
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
/*
 * A C function called @name, at @address in the file of @module (path "": unknown; size 0: only the path is
 * known). The texts are copied. SYM_NONE: out of memory.
 */
uint32_t sym_native(struct sym *s, const char *name, uint64_t address, const struct module *module);
/* A function of the kernel, or of its module @module; NULL: of none. SYM_NONE: out of memory. */
uint32_t sym_kernel(struct sym *s, const char *name, const char *module);
/* The marker for native frames that are missing; @end: enum native_end. */
uint32_t sym_native_marker(struct sym *s, uint32_t end);
/* Is the frame a C function, of the kernel or not, or the marker for missing ones? */
bool sym_is_native(const struct sym *s, uint32_t id);
/* Memory used. */
size_t sym_bytes(const struct sym *s);
/* The number of the marker for @end, which must not be WALK_COMPLETE. */
uint32_t sym_marker(enum walk_end end);
/* The text of the marker: "[unreadable]". */
const char *sym_marker_name(enum walk_end end);

/* A profile_resolver; @ctx is the struct sym. */
void sym_resolve(void *ctx, uint32_t id, struct frame *ret);

#endif
