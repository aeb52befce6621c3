/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C functions of the interpreter that only pass a call on: vectorcall helpers, wrappers of the loop,
 * functions that start a program or a thread. They say nothing about the program, and a stack has two
 * or three of them for each call.
 */
#ifndef KRAIT_PLUMBING_H
#define KRAIT_PLUMBING_H

#include <stdbool.h>

bool plumbing_is(const char *name);
/* Is it the interpreter's loop, or one of its parts? */
bool plumbing_is_loop(const char *name);

#endif
