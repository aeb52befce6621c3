/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the parts of a code object that its record lacks from the live process. Reading faults
 * pages in and may hang, so question and answer are plain bytes that can be exchanged with another
 * process.
 */
#ifndef KRAIT_CODEFETCH_H
#define KRAIT_CODEFETCH_H

#include <stdint.h>

#include "base/buf.h"
#include "bpf/pylayout.h"

/* The code object to read. */
struct code_wanted {
	uint64_t id, addr, code_type;
	uint64_t room;      /* bytes for its strings and table together */
	uint64_t table_max; /* bytes for the table */
	struct proc_key proc;
	struct py_layout layout;
};

/* A length: the part could not be read. */
#define CODE_NOT_HAD UINT64_MAX

/* The answer; the bytes of strings and table follow in this order. */
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

/* Appends a struct code_found and its bytes to @out. 0, -ENOENT (gone or replaced) or -ENOMEM. */
int codefetch_read(struct codefetch *f, const struct code_wanted *w, struct buf *out);

#endif
