/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Least privilege: once everything is loaded and attached, krait keeps only the capabilities that a
 * running capture still uses. What is dropped cannot be had again.
 */
#ifndef KRAIT_PRIVILEGE_H
#define KRAIT_PRIVILEGE_H

#include "base/err.h"

/* Of this thread, which must be the only one of the process. 0, or -errno with the reason. */
int privilege_drop(struct err *err);

#endif
