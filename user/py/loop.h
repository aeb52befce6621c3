/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the interpreter's code in its file: all of it, and the parts of the loop that runs bytecode.
 * Compilers divide that function: GCC keeps as little as 844 of 84,000 bytes under its symbol and
 * moves the others to a part named ".cold", whose symbol a stripped file does not have.
 */
#ifndef KRAIT_LOOP_H
#define KRAIT_LOOP_H

#include "bpf/wire.h"
#include "proc/elf.h"

/*
 * Fills @ret with addresses in the file, without load bias. @loop is the symbol of
 * _PyEval_EvalFrameDefault, with value 0 if it is unknown. ret->parts is 0 if the loop is not found
 * whole, such as in an interpreter whose loop consists of many functions that call each other.
 */
void loop_find(struct elf_file *e, const struct elf_sym *loop, struct proc_code *ret);

#endif
