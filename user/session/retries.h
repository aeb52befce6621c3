/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that are to be looked at again, and when: one that was just executed has mapped no interpreter
 * yet, so a "no" is final only after the last look.
 */
#ifndef KRAIT_RETRIES_H
#define KRAIT_RETRIES_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"

/* A process to look at. */
struct subject {
	struct proc_key key;
	uint32_t tid;        /* a thread that lives, 0: the first one */
	struct wire_exe exe; /* all 0: not known */
	const char *comm;
};

/* Numbers of looks. */
enum {
	EARLY_LOOK = -1, /* before the first sample, which asks for the first look */
	FIRST_LOOK = 0,
	LAST_LOOK = 5, /* of one that does not link an interpreter */
};

struct retry {
	struct subject who; /* without a comm */
	int64_t at;         /* CLOCK_MONOTONIC ns */
	int look;
	bool program; /* it is known; what it executes is to be learned */
};

struct retries;

/* NULL: out of memory. */
struct retries *retries_new(void);
void retries_free(struct retries *r);

/*
 * After look number @look: the next one, soon and often if an interpreter is @expected. 0, -ENOENT: that
 * was the last one, or -ENOMEM.
 */
int retries_add(struct retries *r, const struct subject *who, int look, bool expected);
/* The same for one that is known, as long as its interpreter is not initialised; after the last look, none. */
int retries_add_program(struct retries *r, const struct subject *who, int look);

/* Takes one whose time has come at @now out. False: there is none. */
bool retries_due(struct retries *r, int64_t now, struct retry *ret);
/* ns from @now until the next one, 0: it is due, -1: there is none. */
int64_t retries_wait(const struct retries *r, int64_t now);

#endif
