/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages about a recording on standard error: its progress, and at the end what was sampled, what was lost,
 * and why. Zeros are omitted, losses never.
 */
#include "cmd/record/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/utf8.h"

static uint64_t lost(const struct books_sums *sums)
{
	static const enum wire_fate losses[] = { FATE_PENDING,   FATE_UNSUPPORTED, FATE_PROCS_FULL,
						 FATE_RING_FULL, FATE_COUNTS_FULL, FATE_BROKEN };
	uint64_t n = sums->not_delivered + sums->ended_unknown + sums->unknown_stacks +
		     sums->note[NOTE_WALL_LOST] + sums->note[NOTE_WALL_UNSEEN] +
		     sums->note[NOTE_WALL_STALLED];

	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		n += sums->fate[losses[i]];
	return n;
}

void record_say_progress(const struct session *s)
{
	const struct books_sums *sums = session_sums(s);
	uint32_t n = procs_chosen(session_procs(s), NULL);

	fprintf(stderr,
		"\rkrait: %.0f s, %" PRIu64 " samples of %u Python process%s, %" PRIu64
		" lost\033[K",
		sums->seconds, sums->fate[FATE_SHOWN] + sums->waiting, n, n == 1 ? "" : "es",
		lost(sums));
}

/* All processes of one version and flavour. */
struct kind {
	uint16_t version;
	const char *flavour;
	uint64_t samples;
	uint32_t count;
};

static int by_version(const void *pa, const void *pb)
{
	const struct kind *a = pa, *b = pb;

	return a->version != b->version ? a->version - b->version : strcmp(a->flavour, b->flavour);
}

static struct kind *kind_of(struct kind *kinds, size_t *n, size_t max, const struct process *proc)
{
	struct kind fresh = { proc->version, proc->flavour, 0, 0 };

	for (size_t i = 0; i < *n; i++)
		if (!by_version(&kinds[i], &fresh))
			return &kinds[i];
	if (*n == max) /* more kinds than lines: the last line counts all others */
		return &kinds[max - 1];
	kinds[*n] = fresh;
	return &kinds[(*n)++];
}

static void say_versions(const struct profile *p)
{
	struct kind kinds[64], *k;
	size_t n = 0;

	for (uint32_t i = 0; i < profile_processes(p); i++) {
		const struct process *proc = profile_process(p, i);

		if (!proc->samples)
			continue;
		k = kind_of(kinds, &n, sizeof(kinds) / sizeof(kinds[0]), proc);
		k->count++;
		k->samples += proc->samples;
	}
	qsort(kinds, n, sizeof(kinds[0]), by_version);
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "  CPython %u.%u%-*s  %8" PRIu64 " sample%s of %u process%s\n",
			kinds[i].version >> 8, kinds[i].version & 0xff,
			(kinds[i].version & 0xff) < 10 ? 2 : 1, kinds[i].flavour, kinds[i].samples,
			kinds[i].samples == 1 ? "" : "s", kinds[i].count,
			kinds[i].count == 1 ? "" : "es");
}

static void say_unsupported(const struct procs *p)
{
	size_t n;
	const struct reason *reasons = procs_reasons(p, &n);

	for (size_t i = 0; i < n; i++)
		if (reasons[i].count)
			fprintf(stderr, "  not recorded: %u process%s (pid %u%s): %s\n",
				reasons[i].count, reasons[i].count == 1 ? "" : "es",
				reasons[i].example, reasons[i].count == 1 ? "" : ", ...",
				reasons[i].text);
}

/* With --pid alone nothing is printed here: the error that ends krait describes the processes. */
static void say_no_python(const struct record_opts *o)
{
	if (o->cmd)
		fputs("  no samples: CMD ran no Python, or too briefly; try a higher -F\n", stderr);
	else if (o->tids.len || o->comms.len || o->uids.len || o->containers.len || o->pods.len ||
		 o->units.len || o->cgroups.len)
		fputs("  no samples: no Python process matches the filters; 'krait list' shows the "
		      "processes of this host\n",
		      stderr);
	else if (!o->pids.len)
		fputs("  no samples: no Python process found; try 'krait list' for those of this "
		      "host, or 'krait record -- CMD'\n",
		      stderr);
}

static void say_idle(const struct session *s, uint32_t n, double cpu)
{
	fprintf(stderr,
		"  no samples: %u Python process%s found, using %.2f s of CPU time in %.1f s; add "
		"-m wall to see what %s threads wait for\n",
		n, n == 1 ? "" : "es", cpu, session_sums(s)->seconds, n == 1 ? "its" : "their");
}

static uint64_t samples_of(const struct profile *p)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < profile_processes(p); i++)
		n += profile_process(p, i)->samples;
	return n;
}

/* Samples of threads that --thread-name does not select. */
static uint64_t left_out(const struct session *s, const struct profile *p)
{
	const struct profile *all = session_profile(s);

	return p == all ? 0 : samples_of(all) - samples_of(p);
}

static void say_names(const struct session *s, const struct profile *p)
{
	uint64_t others = left_out(s, p), unnamed = session_sums(s)->unnamed;

	if (others)
		fprintf(stderr,
			"  left out: %" PRIu64
			" sample%s of threads with other names (--thread-name)\n",
			others, others == 1 ? "" : "s");
	if (unnamed)
		fprintf(stderr,
			"  %" PRIu64
			" thread%s ended before krait read %s (the kernel's stands instead)\n",
			unnamed, unnamed == 1 ? "" : "s",
			unnamed == 1 ? "its name" : "their names");
}

/* Says why a recording is empty and what to try. */
static void say_empty(const struct session *s, const struct profile *p, const struct record_opts *o)
{
	const struct books_sums *sums = session_sums(s);
	double cpu;
	uint32_t n;

	if (left_out(s, p) && !samples_of(p))
		fputs("  no samples: no thread's name matches --thread-name; 'krait dump' shows "
		      "the names\n",
		      stderr);
	if (sums->fate[FATE_SHOWN] + sums->waiting + sums->parked)
		return;
	n = procs_chosen(session_procs(s), &cpu);
	if (!n)
		say_no_python(o);
	else if (o->mode != MODE_WALL)
		say_idle(s, n, cpu);
}

/* All losses but "memory_limit": those samples are in the recording, with a marker for their stacks. */
static void say_losses(const struct profile *p)
{
	size_t n;
	const struct profile_loss *losses = profile_losses(p, &n);

	for (size_t i = 0; i < n; i++)
		if (losses[i].count && strcmp(losses[i].name, "memory_limit") != 0)
			fprintf(stderr, "  lost %" PRIu64 " sample%s: %s\n", losses[i].count,
				losses[i].count == 1 ? "" : "s", losses[i].text);
}

static const char *const end_texts[WALK_ENDS] = {
	[WALK_MEMORY] = "[memory limit]: new stacks after --max-memory was reached",
	[WALK_TRUNCATED] = "[truncated]: deeper than --max-depth; the leaf side is cut",
	[WALK_ENDLESS] = "[truncated]: too deep to reach the root",
	[WALK_UNREADABLE] = "[unreadable]: a frame was not in memory",
	[WALK_INCOMPLETE] = "[incomplete]: the interpreter was rearranging its frames",
	[WALK_ENTERING] = "[entering]: the interpreter was entering a function",
	[WALK_NO_STATE] = "[no Python state]: threads without a Python thread state",
	[WALK_NO_FRAME] = "[no Python frame]: Python threads outside Python code",
	[WALK_AMBIGUOUS] = "[ambiguous interpreter]: threads in several interpreters at once",
	[WALK_EXITING] = "[exiting]: exiting processes",
	[WALK_OTHER] = "[other interpreter]: callers in other sub-interpreters, order unknown",
};

static void say_ends(const struct books_sums *sums)
{
	for (int i = 0; i < WALK_ENDS; i++)
		if (end_texts[i] && sums->end[i])
			fprintf(stderr, "  %" PRIu64 " sample%s marked %s\n", sums->end[i],
				sums->end[i] == 1 ? "" : "s", end_texts[i]);
}

#define NATIVE_TEXT(symbol, text) text,
static const char *const native_texts[NATIVE_END_KINDS] = { NATIVE_ENDS(NATIVE_TEXT) };

/* Native frames that are missing, by reason. */
static void say_native(const struct session *s, bool verbose)
{
	const struct books_sums *sums = session_sums(s);
	struct natives_sums n;

	if (!session_natives(s, &n))
		return;
	for (int i = 0; i < NATIVE_END_KINDS; i++)
		if (native_texts[i] && sums->native[i])
			fprintf(stderr, "  %" PRIu64 " sample%s marked [native: %s]\n",
				sums->native[i], sums->native[i] == 1 ? "" : "s", native_texts[i]);
	if (sums->note[NOTE_NATIVE_RING])
		fprintf(stderr,
			"  %" PRIu64
			" samples without native frames: ring buffer full (use a larger "
			"--ring-size)\n",
			sums->note[NOTE_NATIVE_RING]);
	if (verbose)
		fprintf(stderr,
			"  native: %" PRIu64 " samples; mappings of %" PRIu64
			" processes read %" PRIu64 " times (%" PRIu64 " without room); %" PRIu64
			" stacks completed, %" PRIu64 " not; %u places named, %u without a name\n",
			sums->merged, n.processes, n.reads, n.refused, n.finished, n.unfinished,
			n.functions - n.unnamed, n.unnamed);
}

/* Kernel frames that are missing, or have no names. */
static void say_kernel(const struct session *s)
{
	const struct books_sums *sums = session_sums(s);
	int err = session_kernel_names(s);

	if (sums->note[NOTE_KERNEL_NONE])
		fprintf(stderr,
			"  %" PRIu64 " samples without kernel frames: the kernel gave none\n",
			sums->note[NOTE_KERNEL_NONE]);
	if (sums->note[NOTE_KERNEL_RING])
		fprintf(stderr,
			"  %" PRIu64
			" samples without kernel frames: ring buffer full (use a larger "
			"--ring-size)\n",
			sums->note[NOTE_KERNEL_RING]);
	if (err == -EPERM)
		fprintf(stderr,
			"krait: /proc/kallsyms hides addresses, so kernel functions have no "
			"names; see kernel.kptr_restrict (sysctl)\n");
	else if (err)
		fprintf(stderr, "krait: /proc/kallsyms: %s; kernel functions have no names\n",
			strerror(-err));
}

/* Why samples have no task, or not its name. */
static void say_tasks(const struct books_sums *s, bool verbose)
{
	static const struct {
		enum wire_note note;
		const char *text;
	} rows[] = {
		{ NOTE_TASK_OLD, "without a task: tasks are read from CPython 3.12 on" },
		{ NOTE_TASK_HIDDEN, "without a task: no section .AsyncioDebug in the files of the "
				    "process says where tasks are" },
		{ NOTE_TASK_RING, "without a task: ring buffer full (use a larger --ring-size)" },
		{ NOTE_TASK_EARLY,
		  "marked [task unknown]: taken before krait knew where the process keeps tasks" },
		{ NOTE_TASK_UNREAD, "marked [task unknown]: the task's name could not be read" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (s->note[rows[i].note])
			fprintf(stderr, "  %" PRIu64 " sample%s %s\n", s->note[rows[i].note],
				s->note[rows[i].note] == 1 ? "" : "s", rows[i].text);
	if (verbose && s->note[NOTE_TASKS])
		fprintf(stderr, "  tasks: %" PRIu64 " stacks read with one, by %" PRIu64 " reads\n",
			s->note[NOTE_TASKS], s->note[NOTE_TASK_READS]);
}

/* The fate of every tick of every CPU. */
static void say_books(const struct books_sums *s)
{
	static const struct {
		enum wire_fate fate;
		const char *text;
	} rows[] = {
		{ FATE_IDLE, "idle" },        { FATE_KERNEL, "kernel threads" },
		{ FATE_OTHER, "not Python" }, { FATE_FILTERED, "filtered out" },
		{ FATE_SHOWN, "shown" },
	};
	uint64_t sum = lost(s);

	fprintf(stderr, "  ticks: %.0f due on %d CPUs =", s->ticks, s->cpus);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fprintf(stderr, " %" PRIu64 " %s +", s->fate[rows[i].fate], rows[i].text);
		sum += s->fate[rows[i].fate];
	}
	fprintf(stderr, " %" PRIu64 " lost (sum %" PRIu64 ")\n", lost(s), sum);
	fprintf(stderr,
		"  sent: %" PRIu64 " stacks, %" PRIu64 " code objects (%" PRIu64
		" incomplete: %" PRIu64 " completed later, %" PRIu64 " unresolved; %" PRIu64
		" deferred, %" PRIu64 " because the ring was full)\n",
		s->note[NOTE_STACKS], s->note[NOTE_CODES] + s->note[NOTE_CODE_UNREADABLE],
		s->note[NOTE_CODE_UNREADABLE], s->refetched, s->unresolved_codes,
		s->note[NOTE_DEFERRED], s->note[NOTE_CODE_RING_FULL]);
	if (s->note[NOTE_FAULT_ASKED] + s->note[NOTE_FAULT_REFUSED])
		fprintf(stderr,
			"  read by the thread itself: %" PRIu64 " code objects (%" PRIu64
			" complete, %" PRIu64 " incomplete; %" PRIu64 " refused), %" PRIu64
			" pages\n",
			s->note[NOTE_FAULT_ASKED], s->note[NOTE_FAULT_WHOLE],
			s->note[NOTE_FAULT_FAILED], s->note[NOTE_FAULT_REFUSED],
			s->note[NOTE_FAULT_PAGES]);
	fprintf(stderr,
		"  pages touched: %" PRIu64 ", events lost: %" PRIu64
		", malformed records: %" PRIu64 "\n",
		s->touched, s->note[NOTE_EVENT_LOST], s->malformed);
}

/* The results of sampling off-CPU threads. */
static void say_visits(const struct books_sums *s)
{
	fprintf(stderr,
		"  off-CPU stacks: %" PRIu64 " read, %" PRIu64
		" read by the thread itself; not read: %" PRIu64 " ran again meanwhile, %" PRIu64
		" ring full; %" PRIu64 " switches missed\n",
		s->note[NOTE_WALL_READ], s->note[NOTE_WALL_SELF], s->note[NOTE_WALL_MOVED],
		s->note[NOTE_WALL_RING], s->note[NOTE_WALL_MISSED]);
}

static void say_stalls(const struct wall_stalls *stalls)
{
	for (size_t i = 0; i < stalls->len; i++)
		fprintf(stderr,
			"  left out: off-CPU threads of process %u: its memory did not answer "
			"for a second (thread %u; stalled file system?)\n",
			stalls->at[i].process, stalls->at[i].tid);
	if (stalls->more)
		fprintf(stderr, "  left out: off-CPU threads of %" PRIu64 " more such process%s\n",
			stalls->more, stalls->more == 1 ? "" : "es");
}

/* Off-CPU threads, in wall-clock mode. */
static void say_waiting(const struct session *s, bool verbose)
{
	const struct books_sums *sums = session_sums(s);
	struct wall_ticks t;

	if (!session_ticks(s, &t))
		return;
	fprintf(stderr,
		"  off-CPU: %" PRIu64 " sample%s (%" PRIu64 " ticks, %" PRIu64
		" late, %.2f %% of a core)\n",
		sums->waiting, sums->waiting == 1 ? "" : "s", t.due, t.late,
		t.cpu_ns / 1e7 / sums->seconds);
	say_stalls(session_stalls(s));
	if (sums->stalled)
		fprintf(stderr,
			"  off-CPU samples are incomplete: the memory of thread %u does not "
			"answer (stalled file system?); select other processes with -p\n",
			sums->stalled);
	if (sums->parked)
		fprintf(stderr, "  left out: %" PRIu64 " sample%s of idle threads (--idle=skip)\n",
			sums->parked, sums->parked == 1 ? "" : "s");
	if (t.polite)
		fputs("  ticks may be late: krait could not raise its priority (needs "
		      "CAP_SYS_NICE)\n",
		      stderr);
	if (verbose)
		say_visits(sums);
}

/* @text made safe for terminals, or @nothing if it is empty. */
static const char *shown(struct buf *b, const char *text, const char *nothing)
{
	if (!*text)
		return nothing;
	utf8_show(b, text, strlen(text));
	return b->err ? "?" : b->data;
}

static void say_hang(const struct hang *h)
{
	_cleanup_(buf_done) struct buf name = {}, where = {};
	const char *comm = shown(&name, h->comm, "ended");
	const char *served = shown(&where, h->served, "stalled file system?");

	if (h->codes)
		fprintf(stderr,
			"  unresolved: %u function%s of process %u (%s): its memory does not "
			"answer (%s)\n",
			h->codes, h->codes == 1 ? "" : "s", h->pid, comm, served);
	else
		fprintf(stderr,
			"  not recorded: process %u (%s): its memory or files do not answer "
			"(%s)\n",
			h->pid, comm, served);
}

/* Only the first few processes: finding the file system that each hangs in takes time. */
static void say_hangs(struct session *s)
{
	enum { MOST = 10 };
	struct hang h;
	size_t i;

	for (i = 0; i < MOST && session_hang(s, i, &h); i++)
		say_hang(&h);
	if (i == MOST && session_hang(s, i, &h))
		fputs("  and more processes that do not answer\n", stderr);
}

static void say_refused_names(const struct runtime_refused *refused)
{
	_cleanup_(buf_done) struct buf first = {};

	if (refused->texts)
		fprintf(stderr,
			"  container names may be missing: %u text%s from container engines "
			"invalid or too long (%s)\n",
			refused->texts, refused->texts == 1 ? "" : "s",
			shown(&first, refused->first, "?"));
}

void record_say_summary(struct session *s, const struct profile *p, const struct record_opts *o)
{
	const struct books_sums *sums = session_sums(s);
	const struct profile_meta *meta = profile_meta(p);
	uint64_t samples = sums->fate[FATE_SHOWN] + sums->waiting - left_out(s, p);

	fprintf(stderr,
		"krait: %" PRIu64
		" sample%s in %.1f s on %d CPU%s at %.1f Hz (%.1f Hz requested), %" PRIu64
		" lost\n",
		samples, samples == 1 ? "" : "s", sums->seconds, sums->cpus,
		sums->cpus == 1 ? "" : "s", meta->achieved_hz, meta->asked_hz, lost(sums));
	say_versions(p);
	say_empty(s, p, o);
	say_unsupported(session_procs(s));
	say_waiting(s, o->verbose);
	say_names(s, p);
	say_ends(sums);
	say_native(s, o->verbose);
	say_kernel(s);
	say_tasks(sums, o->verbose);
	if (sums->unresolved_codes)
		fprintf(stderr,
			"  unresolved: %" PRIu64
			" function%s whose name, file or line table could not be read\n",
			sums->unresolved_codes, sums->unresolved_codes == 1 ? "" : "s");
	say_hangs(s);
	say_losses(p);
	if (sums->unwatched.code)
		fprintf(stderr, "  not sampled: CPU that came online: %s\n", sums->unwatched.text);
	say_refused_names(session_refused_names(s));
	if (o->verbose)
		say_books(sums);
}
