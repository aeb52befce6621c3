/* SPDX-License-Identifier: BSD-2-Clause */
/* The arguments and local variables of a Python frame, read from outside of the process. */
#ifndef KRAIT_LOCALS_H
#define KRAIT_LOCALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "py/value.h"

enum {
	LOCAL_ARGUMENT = 1,
	LOCAL_CHANGED = 2, /* two readings differ: there is no value */
	LOCAL_REST = 4,    /* stands for further variables, which were not read; there is no name */
};

/*
 * A variable; its name, the name of its type and its value follow: printable UTF-8, without NULs. Records are
 * padded to a multiple of 4 bytes; a buffer of them begins aligned.
 */
struct local {
	uint32_t frame; /* its number, from the leaf */
	uint32_t flags;
	uint32_t name_len, type_len, value_len;
};

/*
 * Appends a struct local for each variable that is bound in the frame at @frame, whose code object is at @code;
 * none for the code of a module or a class.
 */
void locals_read(struct value_reader *r, uint32_t number, uint64_t frame, uint64_t code,
		 struct buf *out);
/*
 * Two readings of the same frames as one: variables that differ are LOCAL_CHANGED, and so are all of a frame for
 * which @moved is true.
 */
void locals_merge(const struct buf *first, const struct buf *second, const bool *moved,
		  uint32_t frames, struct buf *out);
/* The variable at *@at in @len bytes, and moves *@at behind it. NULL: there is none, or the rest is malformed. */
const struct local *locals_next(const char *data, size_t len, size_t *at);

#endif
