/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/retries.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/vec.h"

/* ns between looks at a process that shows no interpreter. */
static const int64_t looks[LAST_LOOK] = { 5000000, 15000000, 40000000, 100000000, 300000000 };

/* One that links libpython will map it, most at once: ns between looks; the last one repeats. */
static const int64_t expected_looks[] = { 500000, 500000, 1000000, 2000000, 5000000, 10000000 };
enum {
	EXPECTED_STEPS = sizeof(expected_looks) / sizeof(expected_looks[0]),
	EXPECTED_LOOKS = 1000,
};

struct retries {
	VEC(struct retry) waiting;
};

struct retries *retries_new(void)
{
	return calloc(1, sizeof(struct retries));
}

void retries_free(struct retries *r)
{
	if (!r)
		return;
	vec_done(&r->waiting);
	free(r);
}

static int64_t expected_delay(int look)
{
	int step = look - EARLY_LOOK;

	return expected_looks[step < EXPECTED_STEPS ? step : EXPECTED_STEPS - 1];
}

static int add(struct retries *r, const struct subject *who, int look, int64_t delay, bool program)
{
	struct retry new = {
		.who = *who, .at = clock_ns() + delay, .look = look + 1, .program = program
	};

	new.who.comm = NULL; /* it was the caller's */
	return vec_push(&r->waiting, new);
}

int retries_add(struct retries *r, const struct subject *who, int look, bool expected)
{
	if (look >= (expected ? EXPECTED_LOOKS : LAST_LOOK))
		return -ENOENT;
	return add(r, who, look, expected ? expected_delay(look) : looks[look], false);
}

int retries_add_program(struct retries *r, const struct subject *who, int look)
{
	if (look >= LAST_LOOK)
		return 0; /* the next process with this program may tell */
	return add(r, who, look, looks[look < FIRST_LOOK ? FIRST_LOOK : look], true);
}

bool retries_due(struct retries *r, int64_t now, struct retry *ret)
{
	for (size_t i = 0; i < r->waiting.len; i++) {
		if (r->waiting.at[i].at > now)
			continue;
		*ret = r->waiting.at[i];
		r->waiting.at[i] = r->waiting.at[--r->waiting.len];
		return true;
	}
	return false;
}

int64_t retries_wait(const struct retries *r, int64_t now)
{
	const struct retry *one;
	int64_t next = -1;

	vec_each (&r->waiting, one)
		if (next < 0 || one->at - now < next)
			next = one->at > now ? one->at - now : 0;
	return next;
}
