/* SPDX-License-Identifier: BSD-2-Clause */
/* What the name of a file says of the interpreter in it. It is no proof: files are named as one likes. */
#ifndef KRAIT_PYNAME_H
#define KRAIT_PYNAME_H

#include <stdbool.h>

/* Is a program of that name or path called as CPython's are: "python", "python3.11", "python3.13t"? */
bool pyname_is_python(const char *path);
/* Or a library, as "libpython3.11.so.1.0" is? */
bool pyname_is_library(const char *path);
/* Which other Python is a program or library of that name, such as "PyPy"; NULL: none. */
const char *pyname_other(const char *path);

#endif
