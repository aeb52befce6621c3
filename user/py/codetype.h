/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds PyCode_Type in a running process whose interpreter has no symbols. */
#ifndef KRAIT_CODETYPE_H
#define KRAIT_CODETYPE_H

#include <stdint.h>
#include <sys/types.h>

#include "bpf/pylayout.h"

/*
 * Address of the type of the code objects that the threads of @pid run. @interps: address of the
 * list of interpreters. 0: no thread runs Python code now, or the memory is not as @l says.
 */
uint64_t codetype_find(pid_t pid, const struct py_layout *l, uint64_t interps);

#endif
