/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accounting of a capture: every tick of every CPU has exactly one fate, and every kind of loss has a name.
 *
 *	ticks due = idle + kernel threads + not Python + filtered out + shown + lost, by reason + not delivered
 */
#ifndef KRAIT_BOOKS_H
#define KRAIT_BOOKS_H

#include <stdint.h>

#include "bpf/native.h"
#include "bpf/wire.h"
#include "base/err.h"
#include "model/profile.h"

struct books;
struct events;
struct procs;
struct sampler;
struct samples;

/* The modules that the figures come from. */
struct books_sources {
	struct sampler *sampler;
	const struct procs *procs;
	const struct samples *samples;
	const struct events *events;
};

struct books_sums {
	double ticks;         /* timer ticks due on all CPUs */
	double seconds;       /* wall-clock time */
	double cpu_seconds;   /* sampled time, summed over CPUs */
	int cpus;             /* online now */
	struct err unwatched; /* why a CPU that came online is not sampled; code 0: all are */
	uint64_t fate[FATES]; /* pending ticks of non-Python processes are moved to FATE_OTHER */
	uint64_t end[WALK_ENDS];
	uint64_t note[NOTES];
	uint64_t not_delivered;
	uint64_t ended_unknown;  /* samples of processes that ended before krait identified them */
	uint64_t waiting;        /* samples of off-CPU threads */
	uint32_t stalled;        /* tid of a thread whose memory does not respond, 0: none */
	uint64_t parked;         /* samples left out because the thread was parked */
	uint64_t unnamed;        /* threads that ended, or hung, before their name was read */
	uint64_t limited;        /* part of FATE_SHOWN: stack dropped because of --max-memory */
	uint64_t unknown_stacks; /* samples whose stack never arrived */
	uint64_t touched;        /* pages faulted in so that the next sample can read them */
	uint64_t refetched, unresolved_codes, malformed;
	uint64_t merged;                   /* samples with native frames */
	uint64_t native[NATIVE_END_KINDS]; /* of these, those without some of them, by reason */
};

/*
 * Sets the losses and the meta of @profile: @meta, completed by what is measured. @profile and the sources must
 * outlive it. NULL: out of memory.
 */
struct books *books_new(const struct books_sources *from, struct profile *profile,
			const struct profile_meta *meta);
void books_free(struct books *b);

/* To be called when sampling starts. */
void books_begin(struct books *b);
/* Updates all sums, @elapsed_ns after the start; call it after the counts were drained. 0 or -errno. */
int books_keep(struct books *b, int64_t elapsed_ns);
const struct books_sums *books_sums(const struct books *b);

#endif
