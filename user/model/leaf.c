/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of each kind, as a table. */
#include "model/leaf.h"

static const struct {
	const char *name;
	enum leaf_class class;
} words[LEAF_KINDS] = {
	[LEAF_UNKNOWN] = { "unknown", LEAF_CLASSES },
	[LEAF_PYTHON] = { "python", LEAF_CLASS_PY },
	[LEAF_INTERPRETER] = { "interpreter", LEAF_CLASS_C },
	[LEAF_NATIVE] = { "native", LEAF_CLASS_C },
	[LEAF_KERNEL] = { "kernel", LEAF_CLASS_SYS },
	[LEAF_GC] = { "gc", LEAF_CLASS_C },
};

const char *leaf_name(enum leaf_kind kind)
{
	return words[kind < LEAF_KINDS ? kind : LEAF_UNKNOWN].name;
}

enum leaf_class leaf_class(enum leaf_kind kind)
{
	return words[kind < LEAF_KINDS ? kind : LEAF_UNKNOWN].class;
}
