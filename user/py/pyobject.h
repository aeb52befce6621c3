/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads objects of a running interpreter from outside: entries of a dict, attributes of an
 * instance, small ints and strs. The target runs meanwhile and may be hostile, so a result may be
 * one that never existed; the caller verifies it. All loops are bounded.
 */
#ifndef KRAIT_PYOBJECT_H
#define KRAIT_PYOBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "bpf/pylayout.h"

struct pyobject_reader {
	pid_t pid;
	const struct py_layout *l;
	uint32_t *left; /* entries of dicts that may still be read */
};

/* The word at @addr; 0 also if it cannot be read. */
uint64_t pyobject_word(const struct pyobject_reader *r, uint64_t addr);
/* Is the str @str equal to @text (ASCII)? */
bool pyobject_is(const struct pyobject_reader *r, uint64_t str, const char *text);
/* Appends @str as UTF-8, at most @max code points of it. 0 or -EFAULT. */
int pyobject_text(const struct pyobject_reader *r, uint64_t str, size_t max, struct buf *out);
/* The value of the int @object, if it is positive and below 2^60; else 0. */
uint64_t pyobject_int(const struct pyobject_reader *r, uint64_t object);
/*
 * Calls @fn for each entry of @dict until it returns true. True: it did. The values of an
 * instance's dict may stand elsewhere; @fn gets them all the same.
 */
bool pyobject_each(const struct pyobject_reader *r, uint64_t dict,
		   bool (*fn)(void *ctx, uint64_t key, uint64_t value), void *ctx);
/* The same for the first *r->left entries of @dict, however many it has. */
bool pyobject_first(const struct pyobject_reader *r, uint64_t dict,
		    bool (*fn)(void *ctx, uint64_t key, uint64_t value), void *ctx);
/* Calls @fn for each member of @set, of the first *r->left places of its table, until it returns true. */
bool pyobject_members(const struct pyobject_reader *r, uint64_t set,
		      bool (*fn)(void *ctx, uint64_t member), void *ctx);
/* The value of the key @name, a str. 0: there is none. */
uint64_t pyobject_item(const struct pyobject_reader *r, uint64_t dict, const char *name);
/* The attribute @name of an instance of a Python class. 0: there is none. */
uint64_t pyobject_attribute(const struct pyobject_reader *r, uint64_t object, const char *name);

#endif
