/* SPDX-License-Identifier: BSD-2-Clause */
/* A process whose memory or files do not answer, or did not: what of it was not read, and what it hangs in. */
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
	uint32_t codes; /* whose names and lines are missing; 0: it could not be looked at at all */
	char comm[WIRE_COMM];
	char served[128]; /* the file system, "": not known */
};

/* Number @i of them; false: there is none. It may ask other processes. */
bool hang_find(struct reader *r, const struct inspector *inspector, size_t i, struct hang *ret);

#endif
