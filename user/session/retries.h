/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedules repeated looks at processes. Right after exec a process has no interpreter mapped yet, so "not
 * Python" is final only after the last look.
 */
#ifndef KRAIT_RETRIES_H
#define KRAIT_RETRIES_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"

/* A process to look at. */
struct subject {
	struct proc_key key;
	uint32_t tid;        /* a live thread, 0: the first one */
	struct wire_exe exe; /* all 0: unknown */
	bool unchosen;       /* excluded by the filters */
	const char *comm;
};

/* Numbers of looks. */
enum {
	EARLY_LOOK = -1, /* at exec; the first sample then triggers the first look */
	FIRST_LOOK = 0,
	LAST_LOOK = 5,     /* of a process that does not link an interpreter */
	ONLY_LOOK = 10000, /* at a process that started long ago: looking again tells no more */
};

/* The result of a look, which determines when the next one is due. */
enum retry_why {
	RETRY_NONE,     /* no interpreter */
	RETRY_EXPECTED, /* no interpreter, but the executable links one */
	RETRY_DOUBT,    /* a result that may be temporary */
};

struct retry {
	struct subject who; /* without a comm */
	int64_t at;         /* CLOCK_MONOTONIC ns */
	int look;
	bool program; /* the process is known; its executable is still to be learned */
	bool again;   /* the process is settled, in doubt */
};

struct retries;

/* NULL: out of memory. */
struct retries *retries_new(void);
void retries_free(struct retries *r);

/*
 * After look number @look: schedules the next one, sooner if @why gives reason to. 0, -ENOENT: that was the
 * last look, or -ENOMEM.
 */
int retries_add(struct retries *r, const struct subject *who, int look, enum retry_why why);
/* Schedules a look at a settled process, in doubt for the @doubts-th time, after retries_doubt_ms(). */
int retries_add_again(struct retries *r, const struct subject *who, uint32_t doubts);
/* The delay after a doubtful result, used throughout krait: it doubles from 50 ms to a minute. */
uint32_t retries_doubt_ms(uint32_t doubts);
/* Schedules look number @look itself, @delay ns from now. @again: the process is settled. 0 or -ENOMEM. */
int retries_add_later(struct retries *r, const struct subject *who, int look, bool again,
		      int64_t delay);
/*
 * Schedules another look at the executable of a known process whose interpreter is not initialised yet; none
 * after the last look. 0 or -ENOMEM.
 */
int retries_add_program(struct retries *r, const struct subject *who, int look);

/* Removes and returns a look that is due at @now. False: there is none. */
bool retries_due(struct retries *r, int64_t now, struct retry *ret);
/* ns from @now until the next look, 0: it is due, -1: there is none. */
int64_t retries_wait(const struct retries *r, int64_t now);

#endif
