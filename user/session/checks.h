/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the facts of a host mean for krait: one row for each thing that can be in its way, with the
 * function that judges it, what is lost where it is not well, and the command that makes it well.
 *
 *	struct host ──┐                                ┌─► a finding for each row
 *	              ├─► rows: judge(host, trial) ────┤
 *	struct trial ─┘                                └─► the state of each mode, and of all
 *
 * Pure: nothing is read, loaded or printed here. What krait was seen to do beats what a fact lets one
 * expect: where the trial worked, no row says that recording is impossible.
 */
#ifndef KRAIT_CHECKS_H
#define KRAIT_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proc/host.h"

/* From well to bad; CHECK_UNKNOWN is neither. */
enum check_status { CHECK_OK, CHECK_UNKNOWN, CHECK_LIMITED, CHECK_MISSING };

/* What a host is wanted for. */
enum check_mode {
	CHECK_RECORD,    /* stacks on the CPUs of what the caller may read anyway */
	CHECK_NAMES,     /* recognising and naming the processes of every user, in any container */
	CHECK_LIFECYCLE, /* following processes that start and end meanwhile */
	CHECK_WALL,      /* threads that do not run */
	CHECK_MODES
};

/* The programs that are loaded one by one. */
enum trial_program {
	TRIAL_SAMPLE,
	TRIAL_BOUNDED,
	TRIAL_FORK,
	TRIAL_EXEC,
	TRIAL_EXIT,
	TRIAL_LIST,
	TRIAL_PROGRAMS
};

/* What happened when krait did what recording does, up to the first sample. Zeroed: not tried. */
struct trial {
	bool ran;
	struct err err;              /* code 0: it works */
	bool loaded;                 /* program[] was tried */
	int program[TRIAL_PROGRAMS]; /* 0 or -errno */
	bool visit_one, visit_all;   /* as in struct features */
	uint32_t python;             /* Python processes that would be recorded */
	uint32_t refused;            /* processes that may not be read */
	uint32_t refused_example;    /* pid of one of them */
};

struct finding {
	enum check_status status;
	unsigned int fix; /* index into the row's fixes, CHECK_FIXES: none */
	char found[320];  /* what is there */
	char object[256]; /* what '@' in a fix stands for; "": the program itself */
	long long number; /* what '%' in a fix stands for */
};

enum { CHECK_FIXES = 4 };

struct check {
	const char *name;
	void (*judge)(const struct host *h, const struct trial *t, struct finding *ret);
	const char *means[CHECK_MODES]; /* what is lost where it is not well; NULL: nothing */
	const char *fix[CHECK_FIXES];   /* commands */
};

/* The rows; *@ret_n of them. */
const struct check *checks(size_t *ret_n);

enum { CHECKS_MAX = 32 };

struct findings {
	struct finding at[CHECKS_MAX]; /* in the order of the rows */
	enum check_status mode[CHECK_MODES], all;
};

void checks_judge(const struct host *h, const struct trial *t, struct findings *ret);

/* The host as root would see it from here: root has what the bounding set still holds. */
struct host checks_as_root(const struct host *h);

/* The command for a finding that is not well, into @ret. @self: path of krait. False: there is none. */
bool check_fix(const struct check *c, const struct finding *f, const char *self, struct buf *ret);

#endif
