/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kind of code a thread ran when it was sampled on a CPU: its leaf, below all Python frames. It is told by the
 * program counter, without native frames. A thread that was off-CPU has no kind; its state says why.
 */
#ifndef KRAIT_LEAF_H
#define KRAIT_LEAF_H

enum leaf_kind {
	LEAF_UNKNOWN,     /* or none: off-CPU, or recorded by a version without kinds */
	LEAF_PYTHON,      /* bytecode: the interpreter's loop */
	LEAF_INTERPRETER, /* other code of the interpreter's file */
	LEAF_NATIVE,      /* code of any other file, or of none */
	LEAF_KERNEL, /* struct state has the system call; without one: a page fault, an interrupt */
	LEAF_GC,     /* garbage collection, and what it calls, finalizers' bytecode aside */
	LEAF_KINDS,
};

/* Kinds grouped for the columns of a table. */
enum leaf_class {
	LEAF_CLASS_PY,  /* bytecode */
	LEAF_CLASS_C,   /* native code: the interpreter's, other, garbage collection */
	LEAF_CLASS_SYS, /* the kernel */
	LEAF_CLASSES,   /* unknown: in no column */
};

/* "python", "kernel": as options, labels and messages spell it. */
const char *leaf_name(enum leaf_kind kind);
enum leaf_class leaf_class(enum leaf_kind kind);

#endif
