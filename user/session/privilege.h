/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Least privilege: once everything is loaded and attached, krait keeps only the capabilities that a
 * running capture still uses. Dropped capabilities cannot be regained.
 */
#ifndef KRAIT_PRIVILEGE_H
#define KRAIT_PRIVILEGE_H

#include "base/err.h"

/* Affects the calling thread only, so the process must be single-threaded. 0, or -errno with @err. */
int privilege_drop(struct err *err);

#endif
