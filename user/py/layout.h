/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds an interpreter's struct layout, from one of two sources: a table for 3.6 to 3.12, and the
 * interpreter's own _Py_DebugOffsets for 3.13 and later.
 */
#ifndef KRAIT_LAYOUT_H
#define KRAIT_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/pylayout.h"
#include "base/err.h"

enum { LAYOUT_OFFSETS_MAX = 1024 }; /* bytes of a _Py_DebugOffsets that are used at most */

/*
 * @hex is PY_VERSION_HEX, @flavour a set of enum py_flavour (PY_NEWER is added here). @offsets is
 * the start of _PyRuntime, LAYOUT_OFFSETS_MAX bytes or fewer; before 3.13 it is not used and may be
 * NULL. 0 or -ENOTSUP with the reason in @err.
 */
int layout_find(uint32_t hex, int flavour, const uint8_t *offsets, size_t len,
		struct py_layout *ret, struct err *err);

/*
 * Adapts a layout from layout_find() to aarch64 with glibc, where a pthread_mutex_t has 48 bytes
 * instead of 40. From 3.7 to 3.11 two of them come before the fields of _PyRuntime that the loader
 * needs.
 */
void layout_long_mutexes(struct py_layout *l);

/* Version and flavour of a _Py_DebugOffsets; 0 if the block does not start with its cookie. */
uint32_t layout_offsets_version(const uint8_t *offsets, size_t len, uint64_t *ret_free_threaded);

#endif
