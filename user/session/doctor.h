/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Can krait record here? The facts are read, then everything that recording does is tried up to the
 * first sample and taken back, and the checks judge both.
 */
#ifndef KRAIT_DOCTOR_H
#define KRAIT_DOCTOR_H

#include <stdbool.h>

#include "session/checks.h"

struct doctor {
	char self[4096]; /* path of this program */
	struct host host;
	struct trial trial;
	struct findings found;
	bool privileged;      /* the caller holds all that root could hold here */
	struct findings root; /* what root would find, as far as it can be seen without trying */
};

/* Takes about as long as the start of a recording, and raises the limit of open files as it does. */
void doctor_examine(struct doctor *ret);

#endif
