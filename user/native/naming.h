/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of native frames: from symbol tables, from debug files, and, for C functions that Python code
 * calls, from the tables of methods of a process (methods.h). Those of C++ and Rust are readable (demangle.h).
 */
#ifndef KRAIT_NAMING_H
#define KRAIT_NAMING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "native/natfiles.h"
#include "native/space.h"

/* A place in a file's code. */
struct naming_place {
	uint64_t where; /* in: bits 47..0 of a native frame */
	int is_return;  /* in: it is before a return address */
	int astray;     /* it is one, and there is no call before it: the file is not what it was */
	uint64_t start; /* of its function: address in the file, if @known */
	char *name;     /* free() it; NULL: not known */
	int file;       /* NATFILES_NONE: none */
	int known;      /* start is known */
};

/* A process that has the places' files mapped. */
struct naming_process {
	pid_t pid;
	const space_maps *maps;
};

/* Fills what is not marked "in". 0 or -ENOMEM. */
int naming_find(struct natfiles *nf, const struct naming_process *who, struct naming_place *p,
		size_t n);

#endif
