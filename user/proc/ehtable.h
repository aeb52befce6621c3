/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds where a function begins and ends without its symbol: by the table .eh_frame_hdr, which
 * stripping leaves in place. It lists the first addresses of all functions in ascending order (LSB
 * Core, "Exception Frames"); a part that the compiler moved elsewhere (.cold) is a function here.
 */
#ifndef KRAIT_EHTABLE_H
#define KRAIT_EHTABLE_H

#include "base/cleanup.h"
#include "proc/elf.h"

struct ehtable;

/* The table of @e, which must outlive it. NULL: there is none, it is of another form, or out of memory. */
struct ehtable *ehtable_open(struct elf_file *e);
/* NULL is fine. */
void ehtable_close(struct ehtable *t);
static inline void ehtable_closep(struct ehtable **t)
{
	ehtable_close(*t);
}

/*
 * The function that holds the code at virtual address @at: its first address, and the distance to
 * the next function. False: nothing follows it, or it is not in the table.
 */
bool ehtable_function(const struct ehtable *t, uint64_t at, struct elf_sym *ret);
/*
 * Is what begins at @at a part of a function that begins elsewhere? Then the stack has been changed
 * before its first instruction, as its description tells. @at is a first address of the table.
 */
bool ehtable_is_part(const struct ehtable *t, uint64_t at);

#endif
