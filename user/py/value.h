/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows objects of a running interpreter as text, like repr() does for built-in types, without running anything in
 * it. The target changes its objects meanwhile and may be hostile: every loop, every read and the text are
 * bounded, and what was read may never have existed; the caller reads twice.
 */
#ifndef KRAIT_VALUE_H
#define KRAIT_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "bpf/pylayout.h"

enum {
	VALUE_MAX = 400, /* bytes of text for one object, not counting the closing brackets */
	VALUE_TYPE = 64, /* bytes of a type's name, its NUL among them */
};

/* A type that was read already. */
struct value_type {
	uint64_t addr;
	uint64_t flags; /* tp_flags */
	char name[VALUE_TYPE];
};

enum { VALUE_TYPES = 64 };

struct value_reader {
	pid_t pid;
	const struct py_layout *l;
	uint32_t left; /* reads that are still allowed */
	struct value_type types[VALUE_TYPES];
};

/*
 * Appends the object: 'text', b'\x00', -7, 2.5, [1, 2, ... 98 more], {'a': 1}, <Cart at 0x7f01>. All invisible
 * characters are escaped, so it can be printed. Unreadable parts are [unreadable].
 */
void value_show(struct value_reader *r, uint64_t object, struct buf *out);
/* Its type; NULL: unreadable. Valid until the next call. */
const struct value_type *value_type(struct value_reader *r, uint64_t object);
/* The name of its type; "?": unreadable. Hostile bytes, valid until the next call. */
const char *value_type_name(struct value_reader *r, uint64_t object);
/* Reads @len bytes at @addr, against the same allowance. */
bool value_read(struct value_reader *r, uint64_t addr, void *to, size_t len);
/* The word at @addr; 0 also if it cannot be read. */
uint64_t value_word(struct value_reader *r, uint64_t addr);
/* Item @i of the tuple @tuple; 0: none. */
uint64_t value_tuple_item(struct value_reader *r, uint64_t tuple, uint32_t i);
/* Bytes of PyObject. */
uint32_t value_head(const struct py_layout *l);

#endif
