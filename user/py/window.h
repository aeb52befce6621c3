/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in the interpreter's prologue there is no valid chain of frames (3.11, 3.12): between the
 * store that publishes a new _PyCFrame, which lies uninitialised on the C stack, and the last store
 * that fills it. The compiler decides where that is, so it is read from its code.
 */
#ifndef KRAIT_WINDOW_H
#define KRAIT_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/pylayout.h"

enum { WINDOW_CODE = 0x200 }; /* bytes of code worth giving */

/*
 * For the first @len bytes of _PyEval_EvalFrameDefault. *@ret_start is an offset into it: a program
 * counter in [start, start + ret->len) has no chain. Code that is not understood gives all of it, and
 * of the caller only what was understood. @machine is the code's: EM_X86_64, EM_AARCH64.
 */
void window_find(uint16_t machine, const struct py_layout *l, const uint8_t *code, size_t len,
		 uint32_t *ret_start, struct proc_entry *ret);

#endif
