/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper process of native frames: reads mappings and files, compiles unwind rows into the maps of
 * the BPF programs, walks the stacks of copies, and finds names. Any of its reads may hang (base/aside.h);
 * the next helper begins anew, with other numbers for the files.
 */
#ifndef KRAIT_NATWORK_H
#define KRAIT_NATWORK_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/native.h"
#include "bpf/wire.h"
#include "base/aside.h"
#include "load/kern.h"

enum { NATWORK_ROOM = 256 << 10 }; /* bytes for one long question */

/* In memory that krait and its helpers share. */
struct natwork_shared {
	struct kern_native kern;
	uint32_t used_chunks, used_pools; /* by all helpers so far */
	uint8_t room[NATWORK_ROOM];
};

/* NULL: out of memory. */
struct natwork_shared *natwork_share(const struct kern_native *kern);
void natwork_unshare(struct natwork_shared *s);

enum natwork_op {
	/* struct natwork_ask; answer */
	NATWORK_MAPS,  /* struct native_map of the process, anew */
	NATWORK_COPY,  /* room: struct wire_copy and its stack; frames as in struct wire_native */
	NATWORK_NAMES, /* room: @n u64, native frames; for each struct natwork_name */
	NATWORK_OPS
};

struct natwork_ask {
	struct natwork_shared *shared;
	struct proc_key proc;
	size_t n;
};

/* Followed by the name, the path of the module and its build id (hexadecimal), without NULs. */
struct natwork_name {
	uint64_t function;             /* where its function begins; not known: the place itself */
	uint64_t address;              /* the same in the file */
	uint16_t known;                /* that is known */
	uint16_t astray;               /* as in struct naming_place */
	uint16_t name_len, module_len; /* name_len 0: not known */
	uint32_t id_len;               /* 0: none */
	uint32_t pad;
	uint64_t start, size, offset; /* as in struct module; size 0: not known */
};

extern const struct aside_ops natwork_ops;

#endif
