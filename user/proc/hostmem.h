/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KRAIT_HOSTMEM_H
#define KRAIT_HOSTMEM_H

#include <stdint.h>

/* Bytes of memory that krait could have: the host's, or less if one of its cgroups (of either version) says so. */
uint64_t hostmem_bytes(void);

#endif
