/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks of krait doctor: one row for each possible obstacle, with the function that judges it, what
 * does not work if it is present, and the command that removes it.
 *
 *	struct host ──┐                                ┌─► a finding for each row
 *	              ├─► rows: judge(host, trial) ────┤
 *	struct trial ─┘                                └─► the status of each mode, and of all
 *
 * Pure functions: nothing is read, loaded or printed here. The trial overrides the facts: if it succeeded,
 * no row says that recording is impossible.
 */
#ifndef KRAIT_CHECKS_H
#define KRAIT_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proc/host.h"

/* From good to bad; CHECK_UNKNOWN is neither. */
enum check_status { CHECK_OK, CHECK_UNKNOWN, CHECK_LIMITED, CHECK_MISSING };

/* The parts of recording that are judged separately. */
enum check_mode {
	CHECK_RECORD,    /* on-CPU stacks of processes that the caller may read anyway */
	CHECK_NAMES,     /* recognising and symbolizing processes of every user, in any container */
	CHECK_LIFECYCLE, /* following processes that start and end during the recording */
	CHECK_WALL,      /* off-CPU threads */
	CHECK_MODES
};

/* The BPF programs that the trial loads one by one. */
enum trial_program {
	TRIAL_SAMPLE,
	TRIAL_BOUNDED,
	TRIAL_FORK,
	TRIAL_EXEC,
	TRIAL_EXIT,
	TRIAL_LIST,
	TRIAL_PROGRAMS
};

/* The result of a trial recording that stops before the first sample. Zeroed: not tried. */
struct trial {
	bool ran;
	struct err err;              /* code 0: it works */
	bool loaded;                 /* program[] is filled in */
	int program[TRIAL_PROGRAMS]; /* 0 or -errno */
	bool visit_one, visit_all;   /* as in struct features */
	uint32_t python;             /* Python processes that would be recorded */
	uint32_t refused;            /* processes that krait is not permitted to read */
	uint32_t refused_example;    /* pid of one of them */
};

struct finding {
	enum check_status status;
	unsigned int fix; /* index into the row's fixes, CHECK_FIXES: none */
	char found[320];  /* what was found, as text */
	char object[256]; /* replaces '@' in a fix; "": the path of krait */
	long long number; /* replaces '%' in a fix */
};

enum { CHECK_FIXES = 4 };

struct check {
	const char *name;
	void (*judge)(const struct host *h, const struct trial *t, struct finding *ret);
	const char *means[CHECK_MODES]; /* what does not work if the check fails; NULL: nothing */
	const char *fix[CHECK_FIXES];   /* commands */
};

/* All rows, and how many there are. */
const struct check *checks(size_t *ret_n);

enum { CHECKS_MAX = 32 };

struct findings {
	struct finding at[CHECKS_MAX]; /* in the order of the rows */
	enum check_status mode[CHECK_MODES], all;
};

void checks_judge(const struct host *h, const struct trial *t, struct findings *ret);

/* The facts as root would have them here: with all capabilities of the bounding set. */
struct host checks_as_root(const struct host *h);

/* Writes the command that fixes a finding to @ret. @self: path of krait. False: there is no such command. */
bool check_fix(const struct check *c, const struct finding *f, const char *self, struct buf *ret);

#endif
