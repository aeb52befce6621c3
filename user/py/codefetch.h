/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The second look at a code object: what its record lacks is read from the live process. Reading brings
 * pages in and so may hang; what is asked and what is answered are bytes, for another process to read.
 */
#ifndef KRAIT_CODEFETCH_H
#define KRAIT_CODEFETCH_H

#include <stdint.h>

#include "base/buf.h"
#include "bpf/pylayout.h"

/* Which one. */
struct code_wanted {
	uint64_t id, addr, code_type;
	uint64_t room;      /* bytes of its strings, and of its table, that may be kept */
	uint64_t table_max; /* bytes of a table */
	struct proc_key proc;
	struct py_layout layout;
};

/* A length: it could not be had. */
#define CODE_NOT_HAD UINT64_MAX

/* What it has; the bytes follow in this order. */
struct code_found {
	uint64_t len[CODE_STRINGS]; /* bytes, or CODE_NOT_HAD */
	uint64_t table_len;
	uint32_t char_size[CODE_STRINGS];
	int32_t first_line;
};

struct codefetch;

/* NULL: out of memory. */
struct codefetch *codefetch_new(void);
void codefetch_free(struct codefetch *f);

/* Adds a struct code_found and its bytes to @out. 0, -ENOENT: there is none, or another one by now, or -ENOMEM. */
int codefetch_read(struct codefetch *f, const struct code_wanted *w, struct buf *out);

#endif
