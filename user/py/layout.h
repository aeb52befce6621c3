/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which layout does an interpreter have? One interface over two sources: rows of a table for 3.6 to
 * 3.12, the interpreter's own _Py_DebugOffsets for 3.13 and later.
 */
#ifndef KRAIT_LAYOUT_H
#define KRAIT_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/pylayout.h"
#include "base/err.h"

enum { LAYOUT_OFFSETS_MAX = 1024 }; /* bytes of a _Py_DebugOffsets that may be asked for */

/*
 * For PY_VERSION_HEX @hex and a set of enum py_flavour (PY_NEWER is found here). @offsets is what _PyRuntime starts with
 * (LAYOUT_OFFSETS_MAX bytes or fewer), used from 3.13 on; may be NULL before. 0 or -ENOTSUP with
 * the reason in @err.
 */
int layout_find(uint32_t hex, int flavour, const uint8_t *offsets, size_t len,
		struct py_layout *ret, struct err *err);

/*
 * glibc's pthread_mutex_t has 48 bytes on aarch64, elsewhere 40; from 3.7 to 3.11 two of them stand in
 * _PyRuntime before what the loader needs of it. For a layout that layout_find() gave.
 */
void layout_long_mutexes(struct py_layout *l);

/* Version and flavour of a block that starts with the cookie; 0 if it is none. */
uint32_t layout_offsets_version(const uint8_t *offsets, size_t len, uint64_t *ret_free_threaded);

#endif
