/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	programs: fates, ends, notes of each CPU ─┐
 *	clocks: ticks due ────────────────────────┤
 *	procs: whose the pending ones were ───────┼─► sums ─► losses and meta of the profile
 *	samples: what has no stack, no room ──────┤
 *	/proc/stat: idle time ────────────────────┘
 *
 * The BPF programs can only count ticks on which they ran. The other ticks are a difference: ticks due, minus
 * ticks with a fate. Some of them fell into idle time (idle_unseen()), the kernel did not deliver the rest.
 */
#include "session/books.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "load/events.h"
#include "proc/host.h"
#include "session/procs.h"
#include "session/sampler.h"
#include "session/samples.h"

struct books {
	struct books_sources from;
	struct profile *profile;
	struct profile_meta meta;
	struct wire_stats *per_cpu;
	unsigned long long idle_before; /* ns, all CPUs, when sampling began */
	struct books_sums sums;
};

struct books *books_new(const struct books_sources *from, struct profile *profile,
			const struct profile_meta *meta)
{
	struct books *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->from = *from;
	b->profile = profile;
	b->meta = *meta;
	b->per_cpu = calloc(kern_cpus(sampler_kern(from->sampler)), sizeof(*b->per_cpu));
	if (b->per_cpu)
		return b;
	books_free(b);
	return NULL;
}

void books_free(struct books *b)
{
	if (!b)
		return;
	free(b->per_cpu);
	free(b);
}

void books_begin(struct books *b)
{
	clock_gettime(CLOCK_REALTIME, &b->meta.started);
	if (host_idle_ns(&b->idle_before))
		b->idle_before = ULLONG_MAX; /* idle time unknown: missing ticks count as lost */
}

const struct books_sums *books_sums(const struct books *b)
{
	return &b->sums;
}

/* --- counts of the BPF programs --------------------------------------------------------------- */

static void add_stats(struct books_sums *to, const struct wire_stats *from)
{
	for (int i = 0; i < FATES; i++)
		to->fate[i] += from->fate[i];
	for (int i = 0; i < WALK_ENDS; i++)
		to->end[i] += from->end[i];
	for (int i = 0; i < NOTES; i++)
		to->note[i] += from->note[i];
}

static int read_stats(struct books *b)
{
	struct kern *k = sampler_kern(b->from.sampler);
	struct books_sums *sums = &b->sums;
	int err = kern_stats(k, b->per_cpu);

	if (err)
		return err;
	memset(sums->fate, 0, sizeof(sums->fate));
	memset(sums->end, 0, sizeof(sums->end));
	memset(sums->note, 0, sizeof(sums->note));
	for (int i = 0; i < kern_cpus(k); i++)
		add_stats(sums, &b->per_cpu[i]);
	return 0;
}

/* --- ticks that they did not see -------------------------------------------------------------- */

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Not every kernel delivers timer ticks to an idle CPU: a CPU in deep sleep (above all a virtual one) merges
 * them into one, late, and some get none. Missing ticks are counted as idle, not as lost, up to the idle
 * time that the kernel reports.
 */
static uint64_t idle_unseen(const struct books *b, uint64_t missing)
{
	const struct books_sums *sums = &b->sums;
	unsigned long long now;
	double ticks;

	if (sums->cpu_seconds <= 0 || host_idle_ns(&now) || now < b->idle_before)
		return 0;
	ticks = (now - b->idle_before) / 1e9 * sums->ticks / sums->cpu_seconds;
	ticks -= sums->fate[FATE_IDLE];
	return ticks > 0 ? smaller(ticks, missing) : 0;
}

static void find_undelivered(struct books *b)
{
	struct books_sums *sums = &b->sums;
	uint64_t idle, runs = 0;

	for (int i = 0; i < FATES; i++)
		runs += sums->fate[i];
	sums->not_delivered = sums->ticks > runs ? sums->ticks - runs : 0;
	idle = idle_unseen(b, sums->not_delivered);
	sums->not_delivered -= idle;
	sums->fate[FATE_IDLE] += idle;
}

/* Assigns the pending ticks to the kind of process that they turned out to be of. */
static void divide_pending(struct books *b)
{
	struct books_sums *sums = &b->sums;
	struct procs_pending p = procs_pending(b->from.procs);
	uint64_t other = smaller(p.other, sums->fate[FATE_PENDING]);

	sums->fate[FATE_PENDING] -= other;
	sums->fate[FATE_OTHER] += other;
	sums->ended_unknown = smaller(p.ended, sums->fate[FATE_PENDING]);
	sums->fate[FATE_PENDING] -= sums->ended_unknown;
}

/* --- figures of other modules ----------------------------------------------------------------- */

static void ask_samples(struct books *b)
{
	const struct samples_sums known = samples_sums(b->from.samples);
	struct books_sums *sums = &b->sums;

	sums->waiting = known.waiting;
	sums->parked = known.parked;
	sums->unnamed = known.unnamed;
	sums->limited = known.limited;
	sums->unknown_stacks = known.unknown_stacks;
	sums->touched = known.touched;
	sums->refetched = known.refetched;
	sums->unresolved_codes = known.unresolved_codes;
	sums->merged = known.merged;
	memcpy(sums->native, known.native, sizeof(sums->native));
	sums->fate[FATE_SHOWN] -= known.unknown_stacks;
	sums->end[WALK_MEMORY] = known.limited;
}

static void ask_sampler(struct books *b)
{
	struct sampler *from = b->from.sampler;
	struct books_sums *sums = &b->sums;

	sampler_elapsed(from, &sums->ticks, &sums->cpu_seconds);
	sums->cpus = sampler_cpus(from);
	sums->unwatched = *sampler_unwatched(from);
	sums->stalled = sampler_stalled(from);
}

/* --- losses and meta of the profile ----------------------------------------------------------- */

#define FATE_ROW(symbol, name, text) { name, text },
static const struct {
	const char *name, *text;
} fates[] = { WIRE_FATES(FATE_ROW) };

static int set_losses(struct books *b)
{
	const struct books_sums *sums = &b->sums;
	const bool wall = sampler_wall(b->from.sampler);
	const struct {
		bool kept;
		uint64_t count;
		const char *name, *text;
	} rows[] = {
		{ true, sums->not_delivered, "not_delivered",
		  "not delivered by the kernel (try a lower -F)" },
		{ true, sums->ended_unknown, "ended_unknown",
		  "process ended before it was examined" },
		{ wall, sums->note[NOTE_WALL_LOST], "waiting_lost",
		  "of off-CPU threads: count table full (use a larger --max-counts)" },
		{ wall, sums->note[NOTE_WALL_UNSEEN], "unseen_thread",
		  "of off-CPU threads that ended before they were read" },
		{ wall, sums->note[NOTE_WALL_STALLED], "stalled",
		  "of off-CPU threads whose memory does not answer" },
		{ true, sums->unknown_stacks, "unknown_stack", "stack not received" },
		{ true, sums->limited, "memory_limit",
		  "stack only: --max-memory was reached; the samples count as [memory limit] of "
		  "their threads" },
	};
	int err = 0;

	for (int i = 0; i < FATES && !err; i++)
		if (fates[i].text)
			err = profile_set_loss(b->profile, fates[i].name, fates[i].text,
					       sums->fate[i]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !err; i++)
		if (rows[i].kept)
			err = profile_set_loss(b->profile, rows[i].name, rows[i].text,
					       rows[i].count);
	return err;
}

static void set_meta(struct books *b)
{
	struct books_sums *sums = &b->sums;

	b->meta.seconds = sums->seconds;
	if (sums->cpu_seconds > 0)
		b->meta.achieved_hz = (sums->ticks - sums->not_delivered) / sums->cpu_seconds;
	profile_set_meta(b->profile, &b->meta);
}

int books_keep(struct books *b, int64_t elapsed_ns)
{
	int err = read_stats(b);

	if (err)
		return err;
	b->sums.seconds = elapsed_ns / 1e9;
	b->sums.malformed = events_malformed(b->from.events);
	ask_sampler(b);
	find_undelivered(b);
	divide_pending(b);
	ask_samples(b);
	set_meta(b);
	return set_losses(b);
}
