/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The books of a capture: every tick of every CPU has one fate, and every loss a name.
 *
 *	ticks due = idle + kernel threads + not Python + filtered out + shown + lost, by reason + not delivered
 */
#ifndef KRAIT_BOOKS_H
#define KRAIT_BOOKS_H

#include <stdint.h>

#include "bpf/wire.h"
#include "base/err.h"
#include "model/profile.h"

struct books;
struct events;
struct procs;
struct sampler;
struct samples;

/* Who knows what of it. */
struct books_sources {
	struct sampler *sampler;
	const struct procs *procs;
	const struct samples *samples;
	const struct events *events;
};

struct books_sums {
	double ticks;         /* due, all CPUs */
	double seconds;       /* of the clock on the wall */
	double cpu_seconds;   /* that CPUs were watched */
	int cpus;             /* online now */
	struct err unwatched; /* why one that came online is not watched, code 0: all are */
	uint64_t fate[FATES]; /* FATE_PENDING: only of Python processes; FATE_OTHER: and the rest */
	uint64_t end[WALK_ENDS];
	uint64_t note[NOTES];
	uint64_t not_delivered;
	uint64_t ended_unknown;  /* of processes that ended before it was known what they are */
	uint64_t waiting;        /* samples of threads that were not on a CPU */
	uint32_t stalled;        /* tid whose memory does not answer, 0: none */
	uint64_t parked;         /* left out: of threads that waited for work */
	uint64_t limited;        /* of fate shown: without their stacks, for --max-memory */
	uint64_t unknown_stacks; /* counted, but their stack never arrived */
	uint64_t touched;        /* pages that were brought in for the next sample */
	uint64_t refetched, unresolved_codes, malformed;
};

/* Losses, and what @meta has not yet, go to @profile; both it and the sources must outlive it. NULL: out of memory. */
struct books *books_new(const struct books_sources *from, struct profile *profile,
			const struct profile_meta *meta);
void books_free(struct books *b);

/* Now it begins. */
void books_begin(struct books *b);
/* Brings them up to date, @elapsed_ns after the beginning, once the counts were drained. 0 or -errno. */
int books_keep(struct books *b, int64_t elapsed_ns);
const struct books_sums *books_sums(const struct books *b);

#endif
