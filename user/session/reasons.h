/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why processes are not recorded: each reason once, with the number of processes that have it, and one of
 * them to name.
 */
#ifndef KRAIT_REASONS_H
#define KRAIT_REASONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct reason {
	const char *text;
	uint32_t count;   /* processes; 0: of all of them something else is known by now */
	uint32_t example; /* pid of the first */
	bool refused;     /* it may not be read; else krait cannot */
};

struct reasons;

/* NULL: out of memory. */
struct reasons *reasons_new(void);
void reasons_free(struct reasons *r);

/* Process @pid has this one. Its number, from 1, or -ENOMEM. */
int reasons_add(struct reasons *r, uint32_t pid, const struct err *why);
/* It has another answer by now. True: it was the example, and others have the reason: call reasons_name(). */
bool reasons_drop(struct reasons *r, uint32_t pid, uint32_t reason);
void reasons_name(struct reasons *r, uint32_t reason, uint32_t pid);

/* In order of first sight. */
const struct reason *reasons_all(const struct reasons *r, size_t *ret_n);

#endif
