/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/retries.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/vec.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Pauses between looks, in ns; the last one of each list repeats. */
static const int64_t none_looks[LAST_LOOK] = { 5000000, 15000000, 40000000, 100000000, 300000000 };
/* The process will map its library, usually soon. */
static const int64_t expected_looks[] = { 500000, 500000, 1000000, 2000000, 5000000, 10000000 };
/* Probably the dynamic loader was still at work: look again for about half a second in all. */
static const int64_t doubt_looks[] = { 500000,   500000,   1000000,  2000000,  5000000,
				       10000000, 10000000, 20000000, 50000000, 100000000 };

static const struct schedule {
	const int64_t *ns;
	int steps, first, last; /* looks first..last are followed by another one */
} schedules[] = {
	[RETRY_NONE] = { none_looks, COUNT(none_looks), FIRST_LOOK, LAST_LOOK - 1 },
	[RETRY_EXPECTED] = { expected_looks, COUNT(expected_looks), EARLY_LOOK, 999 },
	[RETRY_DOUBT] = { doubt_looks, COUNT(doubt_looks), EARLY_LOOK, 11 },
};

enum { DOUBT_FIRST_MS = 50, DOUBT_LAST_MS = 60000, DOUBT_DOUBLINGS = 11 };

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

/* @how: the number of the look, and its flags. */
static int add(struct retries *r, const struct subject *who, int64_t delay, struct retry how)
{
	how.who = *who;
	how.who.comm = NULL; /* the caller's string does not live long enough */
	how.at = clock_ns() + delay;
	return vec_push(&r->waiting, how);
}

static int64_t delay_after(const struct schedule *s, int look)
{
	int step = look < s->first ? 0 : look - s->first;

	return s->ns[step < s->steps ? step : s->steps - 1];
}

int retries_add(struct retries *r, const struct subject *who, int look, enum retry_why why)
{
	const struct schedule *s = &schedules[why];

	if (look > s->last)
		return -ENOENT;
	return add(r, who, delay_after(s, look), (struct retry){ .look = look + 1 });
}

int retries_add_later(struct retries *r, const struct subject *who, int look, bool again,
		      int64_t delay)
{
	return add(r, who, delay, (struct retry){ .look = look, .again = again });
}

int retries_add_program(struct retries *r, const struct subject *who, int look)
{
	const struct schedule *s = &schedules[RETRY_NONE];

	if (look > s->last)
		return 0; /* the next process with this executable gets a chance */
	return add(r, who, delay_after(s, look),
		   (struct retry){ .look = look + 1, .program = true });
}

uint32_t retries_doubt_ms(uint32_t doubts)
{
	return doubts < DOUBT_DOUBLINGS ? DOUBT_FIRST_MS << doubts : DOUBT_LAST_MS;
}

int retries_add_again(struct retries *r, const struct subject *who, uint32_t doubts)
{
	if (doubts >= DOUBT_DOUBLINGS)
		return 0;
	return add(r, who, retries_doubt_ms(doubts) * 1000000LL, (struct retry){ .again = true });
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
