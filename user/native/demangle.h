/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of C++ and Rust functions as programmers write them. Parameters are left out: a flame graph has no
 * room for them, and template arguments tell most overloads apart.
 *
 *	_ZN4shop4cart5orderILi3EEEvi          shop::cart::order<3>
 *	_ZN4shop5order17h0123456789abcdefE    shop::order
 *	_RNvC4shop5order                      shop::order
 */
#ifndef KRAIT_DEMANGLE_H
#define KRAIT_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

enum { DEMANGLE_MAX = 4096 }; /* bytes of a readable name, its NUL among them */

/*
 * Writes the readable form of @name into @ret. False: it is no mangled name, or @ret would need more than
 * DEMANGLE_MAX bytes or a few milliseconds; then *@costly counts up. The process must have one thread.
 */
bool demangle(const char *name, char ret[DEMANGLE_MAX], unsigned int *costly);

#endif
