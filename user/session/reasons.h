/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why processes are not recorded: each reason once, with the number of processes and the pid of one of them
 * as an example.
 */
#ifndef KRAIT_REASONS_H
#define KRAIT_REASONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct reason {
	const char *text;
	uint32_t count;   /* processes; 0: all of them turned out to be something else */
	uint32_t example; /* pid of the first */
	bool refused;     /* krait lacks the permission to read it; false: it does not support it */
};

struct reasons;

/* NULL: out of memory. */
struct reasons *reasons_new(void);
void reasons_free(struct reasons *r);

/* Counts process @pid under this reason. Returns the number of the reason, from 1, or -ENOMEM. */
int reasons_add(struct reasons *r, uint32_t pid, const struct err *why);
/* Uncounts a process. True: it was the example and others remain, so call reasons_name() with another one. */
bool reasons_drop(struct reasons *r, uint32_t pid, uint32_t reason);
void reasons_name(struct reasons *r, uint32_t reason, uint32_t pid);

/* All reasons in the order in which they first occurred. */
const struct reason *reasons_all(const struct reasons *r, size_t *ret_n);

#endif
