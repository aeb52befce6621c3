/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds where a function begins and ends without its symbol: by the table .eh_frame_hdr, which
 * stripping leaves in place. It lists the first addresses of all functions in ascending order (LSB
 * Core, "Exception Frames"); a part that the compiler moved elsewhere (.cold) is a function here.
 */
#ifndef KRAIT_EHTABLE_H
#define KRAIT_EHTABLE_H

#include "proc/elf.h"

/*
 * The function that holds the code at virtual address @at: its first address, and the distance to
 * the next function. False: there is no such table, it is of another form, or nothing follows.
 */
bool ehtable_function(struct elf_file *e, uint64_t at, struct elf_sym *ret);

#endif
