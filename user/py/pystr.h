/* SPDX-License-Identifier: BSD-2-Clause */
/* Converts CPython's str data to UTF-8. */
#ifndef KRAIT_PYSTR_H
#define KRAIT_PYSTR_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Appends @len code points of @kind bytes each (1: Latin-1, 2: UCS-2, 4: UCS-4) as valid UTF-8:
 * lone surrogates (surrogateescape in file names) and values over U+10FFFF become U+FFFD. A kind
 * that is not 1, 2 or 4 appends nothing.
 */
void pystr_utf8(struct buf *out, const void *data, size_t len, unsigned int kind);

#endif
