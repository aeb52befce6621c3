/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a process has code: its executable mappings, as the native walker searches them. */
#ifndef KRAIT_SPACE_H
#define KRAIT_SPACE_H

#include <sys/types.h>

#include "base/vec.h"
#include "native/natfiles.h"

typedef VEC(struct native_map) space_maps;

/*
 * Replaces the content of @ret by the executable mappings of @pid, at most NATIVE_MAX_MAPS, sorted and
 * disjoint. Files that are new are added to @nf. Code of no file (compiled at run time) is
 * NATIVE_MAP_ANON, of a file that cannot be read or has no form that is known NATIVE_MAP_OPAQUE. 0 or
 * -errno: -ESRCH (the process is gone), -E2BIG (there are more mappings; @ret has the first ones).
 */
int space_read(struct natfiles *nf, pid_t pid, space_maps *ret);

#endif
