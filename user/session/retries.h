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
	bool unchosen;       /* the filters leave it out */
	const char *comm;
};

/* Numbers of looks. */
enum {
	EARLY_LOOK = -1, /* before the first sample, which asks for the first look */
	FIRST_LOOK = 0,
	LAST_LOOK = 5,     /* of one that does not link an interpreter */
	ONLY_LOOK = 10000, /* at what has long started: the first answer is as good as the next */
};

/* What a look found, as far as it matters for the next one. */
enum retry_why {
	RETRY_NONE,     /* no interpreter */
	RETRY_EXPECTED, /* none, but it links one */
	RETRY_DOUBT,    /* something that may be otherwise in a moment */
};

struct retry {
	struct subject who; /* without a comm */
	int64_t at;         /* CLOCK_MONOTONIC ns */
	int look;
	bool program; /* it is known; what it executes is to be learned */
	bool again;   /* it is settled, in doubt */
};

struct retries;

/* NULL: out of memory. */
struct retries *retries_new(void);
void retries_free(struct retries *r);

/*
 * After look number @look: the next one, soon and often if there is reason. 0, -ENOENT: that was the last
 * one, or -ENOMEM.
 */
int retries_add(struct retries *r, const struct subject *who, int look, enum retry_why why);
/* One that is settled, in doubt for the @doubts-th time, is looked at after retries_doubt_ms(). */
int retries_add_again(struct retries *r, const struct subject *who, uint32_t doubts);
/* The same delay for all of krait: it doubles from 50 ms to a minute. */
uint32_t retries_doubt_ms(uint32_t doubts);
/* Look number @look itself (@again: at one that is settled), @delay ns from now. 0 or -ENOMEM. */
int retries_add_later(struct retries *r, const struct subject *who, int look, bool again,
		      int64_t delay);
/* The same for one that is known, as long as its interpreter is not initialised; after the last look, none. */
int retries_add_program(struct retries *r, const struct subject *who, int look);

/* Takes one whose time has come at @now out. False: there is none. */
bool retries_due(struct retries *r, int64_t now, struct retry *ret);
/* ns from @now until the next one, 0: it is due, -1: there is none. */
int64_t retries_wait(const struct retries *r, int64_t now);

#endif
