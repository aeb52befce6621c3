/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the part of the interpreter's prologue without a valid chain of frames (3.11, 3.12):
 * between the store that publishes a new, uninitialized _PyCFrame on the C stack, and the last
 * store that fills it. The compiler decides where these are, so they are found in the machine code.
 */
#ifndef KRAIT_WINDOW_H
#define KRAIT_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/pylayout.h"

enum {
	WINDOW_CODE = 0x200, /* bytes of code that are enough */
	WINDOW_BEFORE = 64,  /* bytes of the prologue up to its first store, or fewer */
};

/*
 * @code is the first @len bytes of _PyEval_EvalFrameDefault, @machine EM_X86_64 or EM_AARCH64. At a
 * program counter in [*@ret_start, *@ret_start + ret->len), an offset into the function, there is
 * no chain. Code that is not understood gives the whole prologue; fields about the caller are set
 * as far as understood.
 */
void window_find(uint16_t machine, const struct py_layout *l, const uint8_t *code, size_t len,
		 uint32_t *ret_start, struct proc_entry *ret);

/*
 * Searches @text, the code of an interpreter without symbols, for that prologue. True: it was found
 * once, and *@ret is the offset after its first store. If nothing tells where the function begins,
 * window_find() understands the code from WINDOW_BEFORE bytes before. Only on x86-64.
 */
bool window_search(uint16_t machine, const struct py_layout *l, const uint8_t *text, size_t len,
		   size_t *ret);

#endif
