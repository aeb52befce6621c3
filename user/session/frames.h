/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that were read from a live process, as numbers for sym_resolve(). */
#ifndef KRAIT_FRAMES_H
#define KRAIT_FRAMES_H

#include <stdint.h>

#include "py/code.h"
#include "py/detect.h"
#include "sym/sym.h"

struct frames {
	struct codes *codes; /* its missing code objects are read in the background */
	struct sym *sym;
	struct proc_key key; /* of the process */
};

/* The number of @f, a frame of the interpreter @py. SYM_NONE: out of memory. */
uint32_t frames_add(const struct frames *fs, const struct wire_frame *f, const struct python *py);

#endif
