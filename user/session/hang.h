/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that hang: reading their memory or files blocks. What is missing, and which file system blocks? */
#ifndef KRAIT_HANG_H
#define KRAIT_HANG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

struct inspector;
struct reader;

struct hang {
	uint32_t pid;
	uint32_t codes; /* code objects without names; 0: no part of the process could be read */
	char comm[WIRE_COMM];
	char served[128]; /* the file system, "": unknown */
};

/* Process number @i that hangs; false: there is none. May block for a moment, as it asks the reading process. */
bool hang_find(struct reader *r, const struct inspector *inspector, size_t i, struct hang *ret);

#endif
