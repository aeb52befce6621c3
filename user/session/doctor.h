/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Can krait record here? Reads the facts of the host, tries a recording up to its first sample, undoes it,
 * and lets the checks judge both.
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
	bool privileged;      /* the caller holds every capability that root could hold here */
	struct findings root; /* what root would find, as far as facts tell it without a trial */
};

/* Takes about as long as starting a recording and, like that, raises the limit of open files. */
void doctor_examine(struct doctor *ret);

#endif
