/* SPDX-License-Identifier: BSD-2-Clause */
/* Guesses an interpreter from a file name. A hint, not a proof: files may have any name. */
#ifndef KRAIT_PYNAME_H
#define KRAIT_PYNAME_H

#include <stdbool.h>

/* Is it the name or path of a CPython program: "python", "python3.11", "python3.13t"? */
bool pyname_is_python(const char *path);
/* Is it the name or path of a CPython library: "libpython3.11.so.1.0"? */
bool pyname_is_library(const char *path);
/* The other Python implementation that uses such names, for example "PyPy"; NULL: none. */
const char *pyname_other(const char *path);

#endif
