/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	every 100 ms   ring ─► code objects, stacks, threads ─► model
 *	every second   swap count sets ─► ring once more ─► drain the quiet set ─► model; move the period
 *	at once        process events, the owner's descriptor
 *
 * A count names a stack that was sent before it was counted: after the swap, which waits for running
 * programs, the ring holds every stack that the quiet set knows.
 */
#include "session/session.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hmap.h"
#include "load/events.h"
#include "load/kern.h"
#include "load/perf.h"
#include "load/probe.h"
#include "load/rate.h"
#include "load/wall.h"
#include "proc/hostmem.h"
#include "proc/procfs.h"
#include "py/code.h"
#include "session/reader.h"
#include "sym/parked.h"
#include "sym/sym.h"
#include "sym/syscall.h"

enum {
	RING_EVERY = 100000000,    /* ns */
	COUNTS_EVERY = 1000000000, /* ns */
	/* For the rings: honest ones are empty long before; a full one takes some 100 ms. */
	TURN_MS = 100,
	COLLECT_MS = 1000,
	SETTLE_MS = 500,  /* for the last names of containers */
	CODE_BUDGET = 64, /* new code objects of one sample: some 100 us */
};

struct session {
	struct kern *kern;
	struct perf *perf;
	struct wall *wall; /* NULL: threads on a CPU are counted alone */
	struct events *events;
	struct procs *procs;
	struct reader *reader;
	struct containers *containers;
	struct chosen *chosen;
	struct codes *codes;
	struct sym *sym;
	struct profile *profile;
	struct stacks *stacks;
	struct hmap *nodes;  /* wire_stack.id -> u32 node */
	struct hmap *parked; /* frame id -> bool: a place to wait for work; NULL: nobody asks */
	struct hmap *states; /* count_key.state -> u32, of the profile */
	struct wire_stats *per_cpu;
	size_t room;     /* bytes that the model may take; 0: any number */
	bool journal;    /* somebody keeps most of it a second time */
	bool full;       /* no more stacks, for ever */
	bool crowded;    /* nor threads */
	uint32_t others; /* the thread that those are, then; PROFILE_NONE: none yet */
	struct session_sums sums;
	struct profile_meta meta;
	uint64_t events_lost;           /* that a resync made up for */
	unsigned long long idle_before; /* ns, all CPUs, when sampling began */
	int64_t counted;                /* ns after the beginning: where the last counts begin */
	int64_t collected; /* ns after the beginning: what is counted since then is not in the model */
	int64_t began, ended; /* CLOCK_MONOTONIC ns of the sampling, 0: not yet */
};

/* --- memory ------------------------------------------------------------------------------------- */

/*
 * A target can make new functions, threads and processes without end. What is known is counted exactly for
 * ever; when seven eighths of the room are taken no stack is added any more: the sample is counted under
 * its thread. With all of it, new threads are one. Nothing of the model is ever freed, so both are final.
 */
static size_t model_bytes(const struct session *s)
{
	size_t twice = codes_bytes(s->codes) + sym_bytes(s->sym) + profile_bytes(s->profile);

	return (s->journal ? 2 : 1) * twice + stacks_bytes(s->stacks) + hmap_bytes(s->nodes);
}

static bool is_full(struct session *s)
{
	size_t bytes;

	if (!s->room || s->crowded)
		return s->full;
	bytes = model_bytes(s);
	s->crowded = bytes > s->room;
	if (!s->full && bytes > s->room / 8 * 7) {
		s->full = true;
		profile_freeze(s->profile);
	}
	return s->full;
}

/* A process of its own for all that have no place. */
static uint32_t other_threads(struct session *s)
{
	uint32_t process;

	if (s->others != PROFILE_NONE)
		return s->others;
	process = profile_add_process(s->profile, 0, sym_marker_name(WALK_MEMORY));
	if (process != PROFILE_NONE)
		s->others =
			profile_add_thread(s->profile, process, 0, sym_marker_name(WALK_MEMORY));
	return s->others;
}

static uint32_t thread_index(struct session *s, const struct count_key *key)
{
	if (is_full(s) && s->crowded &&
	    !procs_has_thread(s->procs, &key->proc, key->tid, key->life))
		return other_threads(s);
	return procs_thread_index(s->procs, &key->proc, key->tid, key->life);
}

/* --- records ------------------------------------------------------------------------------------ */

static uint32_t push_marker(struct session *s, uint32_t node, const struct wire_stack *stack,
			    bool leaf)
{
	if (stack->end == WALK_COMPLETE)
		return node;
	if (leaf ? stack->end != WALK_TRUNCATED && stack->end != WALK_ENDLESS
		 : stack->end == WALK_TRUNCATED)
		return node;
	return stacks_push(s->stacks, node, sym_marker(stack->end));
}

static int on_stack(void *ctx, const struct wire_stack *stack, const struct wire_frame *frames)
{
	struct session *s = ctx;
	uint32_t node = STACKS_ROOT, *slot;
	bool fresh;

	if (is_full(s) && !hmap_get(s->nodes, &stack->id))
		return 0;
	slot = hmap_put(s->nodes, &stack->id, &fresh);
	if (!slot)
		return -ENOMEM;
	/* The page comes in, so that the next sample is whole: NUMA balancing and reclaim hit cold frames. */
	if (stack->fault &&
	    reader_touch(s->reader, stack->proc.tgid, stack->fault, &s->sums.touched))
		return -ENOMEM;
	if (!fresh)
		return 0; /* the kernel forgot that it had sent it */
	node = push_marker(s, node, stack, false);
	for (uint32_t i = stack->count; i-- > 0;)
		node = stacks_push(s->stacks, node,
				   sym_frame(s->sym, &frames[(stack->first + i) % stack->count]));
	node = push_marker(s, node, stack, true);
	if (node == STACKS_NONE)
		return -ENOMEM;
	*slot = node;
	return 0;
}

static int on_code(void *ctx, const struct wire_code *code, const uint8_t *data)
{
	struct session *s = ctx;
	const struct py_layout *l;
	uint64_t code_type;

	if (is_full(s) && !codes_known(s->codes, code->id))
		return 0;
	if (!procs_layout(s->procs, &code->proc, code->layout, &l, &code_type))
		return -EBADMSG;
	return codes_add(s->codes, code, data, l, code_type);
}

static int on_thread(void *ctx, const struct wire_thread *thread)
{
	struct session *s = ctx;
	uint32_t place, index;
	int err;

	if (is_full(s) && s->crowded &&
	    !procs_has_thread(s->procs, &thread->proc, thread->tid, thread->life))
		return 0;
	err = procs_thread(s->procs, thread);
	if (err)
		return err;
	index = procs_thread_index(s->procs, &thread->proc, thread->tid, thread->life);
	place = containers_of(s->containers, thread->cgroup, thread->proc.tgid);
	if (index == PROFILE_NONE || place == PROFILE_NONE)
		return -ENOMEM;
	profile_set_process_container(s->profile, profile_thread(s->profile, index)->process,
				      place);
	return 0;
}

static int on_cgroup(void *ctx, const struct wire_cgroup *cgroup)
{
	struct session *s = ctx;
	int err = containers_made(s->containers, cgroup);

	return err ? err : chosen_made(s->chosen, cgroup);
}

static int on_event(void *ctx, const struct wire_event *event)
{
	struct session *s = ctx;

	return procs_event(s->procs, event);
}

static const struct events_ops ops = { on_stack, on_code, on_thread, on_event, on_cgroup };

/* The contract's words and the model's are the same numbers. */
_Static_assert((int)THREAD_RUNNING == STATE_RUNNING && (int)THREAD_RUNNABLE == STATE_RUNNABLE &&
		       (int)THREAD_THROTTLED == STATE_THROTTLED &&
		       (int)THREAD_GIL_WAIT == STATE_GIL_WAIT && (int)THREAD_FUTEX == STATE_FUTEX &&
		       (int)THREAD_SLEEPING == STATE_SLEEPING && (int)THREAD_DISK == STATE_DISK &&
		       (int)THREAD_STOPPED == STATE_STOPPED && (int)THREAD_UNKNOWN == STATE_UNKNOWN,
	       "states");

static uint32_t add_state(struct session *s, uint32_t state)
{
	uint32_t call = state >> THREAD_CALL_SHIFT;
	const struct state words = {
		.kind = (enum state_kind)(state & THREAD_STATE_MASK),
		.holds_gil = state & THREAD_HOLDS_GIL,
		.call = call ? syscall_name(call - 1) : NULL,
	};

	return profile_add_state(s->profile, &words);
}

/* PROFILE_NONE: out of memory. */
static uint32_t state_index(struct session *s, uint32_t state)
{
	uint32_t *known = hmap_get(s->states, &state), index;

	if (known)
		return *known;
	index = add_state(s, state);
	known = hmap_put(s->states, &state, NULL);
	return known ? *known = index : PROFILE_NONE;
}

/* A frame whose code is not there yet is asked about again. */
static bool is_parked_in(struct session *s, uint32_t frame_id)
{
	const bool *known = hmap_get(s->parked, &frame_id);
	struct frame frame;
	bool parked, *slot;

	if (known)
		return *known;
	profile_frame(s->profile, frame_id, &frame);
	parked = parked_in(&frame);
	slot = frame.file ? hmap_put(s->parked, &frame_id, NULL) : NULL;
	if (slot)
		*slot = parked;
	return parked;
}

static bool is_parked(struct session *s, uint32_t node, uint32_t state)
{
	uint32_t kind = state & THREAD_STATE_MASK;

	return s->parked && (kind == THREAD_SLEEPING || kind == THREAD_FUTEX) &&
	       node != STACKS_ROOT && is_parked_in(s, stacks_frame(s->stacks, node));
}

static int on_count(void *ctx, const struct count_key *key, uint64_t n)
{
	struct session *s = ctx;
	const uint32_t *node = hmap_get(s->nodes, &key->stack);
	uint32_t thread, state, limited;

	if (!node && s->full) {
		limited = stacks_push(s->stacks, STACKS_ROOT, sym_marker(WALK_MEMORY));
		if (limited == STACKS_NONE)
			return -ENOMEM;
		node = &limited;
		s->sums.limited += n;
	}
	if (!node) {
		s->sums.unknown_stacks += n;
		return 0;
	}
	if (is_parked(s, *node, key->state)) {
		s->sums.parked += n;
		return 0;
	}
	thread = thread_index(s, key);
	state = state_index(s, key->state);
	if (thread == PROFILE_NONE || state == PROFILE_NONE)
		return -ENOMEM;
	if (key->state & THREAD_STATE_MASK)
		s->sums.waiting += n;
	return profile_count(s->profile, thread, *node, state, n);
}

/* --- books -------------------------------------------------------------------------------------- */

static void add_stats(struct session_sums *to, const struct wire_stats *from)
{
	for (int i = 0; i < FATES; i++)
		to->fate[i] += from->fate[i];
	for (int i = 0; i < WALK_ENDS; i++)
		to->end[i] += from->end[i];
	for (int i = 0; i < NOTES; i++)
		to->note[i] += from->note[i];
}

#define FATE_ROW(symbol, name, text) { name, text },
static const struct {
	const char *name, *text;
} fates[] = { WIRE_FATES(FATE_ROW) };

static int set_losses(struct session *s)
{
	const struct session_sums *sums = &s->sums;
	int err = 0;

	for (int i = 0; i < FATES && !err; i++)
		if (fates[i].text)
			err = profile_set_loss(s->profile, fates[i].name, fates[i].text,
					       sums->fate[i]);
	if (!err)
		err = profile_set_loss(s->profile, "not_delivered",
				       "not delivered by the kernel; a lower -F may lose fewer",
				       sums->not_delivered);
	if (!err)
		err = profile_set_loss(s->profile, "ended_unknown",
				       "of processes that ended before anybody looked at them",
				       sums->ended_unknown);
	if (!err && s->wall)
		err = profile_set_loss(s->profile, "waiting_lost",
				       "of waiting threads; count table full, use a larger "
				       "--max-counts",
				       sums->note[NOTE_WALL_LOST]);
	if (!err && s->wall)
		err = profile_set_loss(s->profile, "unseen_thread",
				       "of waiting threads that ended before they were looked at",
				       sums->note[NOTE_WALL_UNSEEN]);
	if (!err && s->wall)
		err = profile_set_loss(s->profile, "stalled",
				       "of waiting threads whose memory does not answer",
				       sums->note[NOTE_WALL_STALLED]);
	if (!err)
		err = profile_set_loss(s->profile, "unknown_stack", "counted without their stack",
				       sums->unknown_stacks);
	if (!err)
		err = profile_set_loss(s->profile, "memory_limit",
				       "stacks: --max-memory was reached; the samples are there, "
				       "as [memory limit] of their threads",
				       sums->limited);
	return err;
}

static void set_meta(struct session *s)
{
	struct session_sums *sums = &s->sums;

	s->meta.seconds = sums->seconds;
	if (sums->cpu_seconds > 0)
		s->meta.achieved_hz = (sums->ticks - sums->not_delivered) / sums->cpu_seconds;
	profile_set_meta(s->profile, &s->meta);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Not every kernel gives an idle CPU its ticks: one that sleeps deeply takes them late and once (above
 * all a virtual one), some never. What is missing was idle, not lost, as far as the kernel's own
 * account of idle time says so.
 */
static uint64_t idle_unseen(const struct session *s, uint64_t missing)
{
	const struct session_sums *sums = &s->sums;
	unsigned long long now;
	double ticks;

	if (sums->cpu_seconds <= 0 || procfs_idle_ns(&now) || now < s->idle_before)
		return 0;
	ticks = (now - s->idle_before) / 1e9 * sums->ticks / sums->cpu_seconds;
	ticks -= sums->fate[FATE_IDLE];
	return ticks > 0 ? smaller(ticks, missing) : 0;
}

/* What waited for an answer goes to whom it was of. */
static void divide_pending(struct session *s)
{
	struct session_sums *sums = &s->sums;
	struct procs_pending p = procs_pending(s->procs);
	uint64_t other = smaller(p.other, sums->fate[FATE_PENDING]);

	sums->fate[FATE_PENDING] -= other;
	sums->fate[FATE_OTHER] += other;
	sums->ended_unknown = smaller(p.ended, sums->fate[FATE_PENDING]);
	sums->fate[FATE_PENDING] -= sums->ended_unknown;
}

static int keep_books(struct session *s)
{
	struct session_sums *sums = &s->sums;
	uint64_t idle, runs = 0;
	int err = kern_stats(s->kern, s->per_cpu);

	if (err)
		return err;
	perf_elapsed(s->perf, &sums->ticks, &sums->cpu_seconds);
	memset(sums->fate, 0, sizeof(sums->fate));
	memset(sums->end, 0, sizeof(sums->end));
	memset(sums->note, 0, sizeof(sums->note));
	for (int i = 0; i < kern_cpus(s->kern); i++)
		add_stats(sums, &s->per_cpu[i]);
	for (int i = 0; i < FATES; i++)
		runs += sums->fate[i];
	sums->cpus = perf_cpus(s->perf);
	sums->seconds = ((s->ended ? s->ended : clock_ns()) - s->began) / 1e9;
	sums->not_delivered = sums->ticks > runs ? sums->ticks - runs : 0;
	idle = idle_unseen(s, sums->not_delivered);
	sums->not_delivered -= idle;
	sums->fate[FATE_IDLE] += idle;
	divide_pending(s);
	sums->fate[FATE_SHOWN] -= sums->unknown_stacks;
	sums->end[WALK_MEMORY] = sums->limited;
	sums->refetched = codes_refetched(s->codes);
	sums->unresolved_codes = codes_unresolved(s->codes);
	sums->malformed = events_malformed(s->events);
	set_meta(s);
	return set_losses(s);
}

/* Swaps the count sets; when it returns the quiet one has what threads have done until now. */
static int swap(struct session *s)
{
	int err = s->wall ? wall_drain(s->wall) : 0;

	s->sums.stalled = err == -ETIMEDOUT ? wall_stalled(s->wall) : 0;
	if (err && err != -ETIMEDOUT)
		return err;
	err = kern_swap(s->kern);
	if (s->wall && !s->sums.stalled)
		wall_sync(s->wall);
	return err;
}

int session_collect(struct session *s)
{
	int err = swap(s);
	bool lost;

	if (!err)
		err = events_read_processes(s->events, COLLECT_MS);
	if (!err)
		err = events_read_samples(s->events, COLLECT_MS);
	if (s->ended)
		reader_settle(s->reader);
	s->counted = s->collected;
	profile_set_time(s->profile, s->counted);
	if (!err)
		err = kern_drain(s->kern, on_count, s);
	s->collected = (s->ended ? s->ended : clock_ns()) - s->began;
	if (err)
		return err;
	procs_reap(s->procs);
	err = keep_books(s);
	lost = s->sums.note[NOTE_EVENT_LOST] > s->events_lost;
	if (!err)
		err = containers_second(s->containers, lost);
	if (!err)
		err = chosen_second(s->chosen, lost);
	if (!err && lost) {
		s->events_lost = s->sums.note[NOTE_EVENT_LOST];
		err = procs_resync(s->procs);
	}
	return err;
}

/* --- opening ------------------------------------------------------------------------------------ */

static uint32_t power_of_two(double at_least, uint32_t min, uint32_t max)
{
	uint32_t n = min;

	while (n < at_least && n < max)
		n *= 2;
	return n;
}

/* A loader that sleeps for a second at the highest rate must lose nothing. */
static void choose_sizes(struct kern_opts *k, const struct session_opts *o, int cpus)
{
	enum { WALL_THREADS = 50000 };       /* that may sleep, each with a stack of its own */
	double samples = o->hz * cpus * 2.5; /* between two drains, one of them a second late */

	k->max_procs = o->max_procs;
	if (o->wall)
		samples += WALL_THREADS;
	k->max_counts = o->max_counts ? o->max_counts : power_of_two(samples, 16384, 4194304);
	k->config.sent_stacks = power_of_two(o->max_stacks ? o->max_stacks : 4 * samples,
					     o->max_stacks ? 2 : 262144, 1 << 24);
	k->config.sent_codes = power_of_two(o->max_codes ? o->max_codes : 131072, 2, 1 << 24);
	k->max_threads = 32768;
	k->ring_bytes = power_of_two(o->ring_bytes ? o->ring_bytes : samples * 512,
				     o->ring_bytes ? 4096 : 16 << 20, 1 << 30);
}

/* One descriptor a CPU and per map: more than the usual soft limit on large hosts. */
static void raise_files(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int check_wall(const struct session_opts *o, const struct features *f, struct err *err)
{
	if (!o->wall || (f->modern && (f->visit_one || f->visit_all)))
		return 0;
	return err_set(err, -EOPNOTSUPP,
		       "--mode: this kernel cannot read the stack of a thread that does not run "
		       "(bpf_copy_from_user_task, Linux 5.18); use --mode=cpu");
}

static int open_kernel(struct session *s, const struct session_opts *o, struct err *err)
{
	struct kern_opts k = {
		.config = { .filters = o->filters,
			    .max_depth = o->max_depth,
			    .code_budget = CODE_BUDGET,
			    .wall = o->wall },
		.chosen = o->chosen,
		.debug = o->debug,
	};
	struct features features;
	int code = features_probe(&features, err);

	if (code)
		return code;
	if (procfs_in_host_pidns() == 0)
		return err_set(
			err, -EPERM,
			"krait: started in a child pid namespace: the kernel counts all of the "
			"host's "
			"processes, of which those outside have no names here, and those inside "
			"other ids; run it on the host, or with the host's pid namespace "
			"(--pid=host); krait list shows what can be seen here");
	features.visit_one &= !o->visit_all;
	code = check_wall(o, &features, err);
	if (code)
		return code;
	raise_files();
	s->profile = profile_new();
	s->containers = s->profile ? containers_new(s->profile, s->reader) : NULL;
	if (!s->containers)
		return -ENOMEM;
	containers_configure(s->containers, &k.config);
	choose_sizes(&k, o, sysconf(_SC_NPROCESSORS_CONF));
	s->kern = kern_new(&k, &features, err);
	if (!s->kern)
		return err->code;
	s->perf = perf_new(kern_sampler(s->kern), s->meta.asked_hz, err);
	if (s->perf && o->wall)
		s->wall = wall_new(s->kern, perf_period(s->perf), err);
	return s->perf && (s->wall || !o->wall) ? 0 : err->code;
}

/* A process that is known from now on: all its threads are counted. */
static void adopt(void *ctx, uint32_t tgid)
{
	struct session *s = ctx;
	procfs_pids tids = {};
	const pid_t *tid;

	if (!s->began)
		return; /* they are all looked at when it begins */
	procfs_list_threads(tgid, &tids);
	vec_each (&tids, tid)
		wall_adopt(s->wall, *tid);
	vec_done(&tids);
}

static int open_model(struct session *s, const struct session_opts *opts)
{
	s->others = PROFILE_NONE;
	s->journal = opts->journal;
	s->stacks = stacks_new();
	s->codes = codes_new();
	s->nodes = hmap_new(sizeof(uint64_t), sizeof(uint32_t));
	s->states = hmap_new(sizeof(uint32_t), sizeof(uint32_t));
	if (opts->skip_parked)
		s->parked = hmap_new(sizeof(uint32_t), sizeof(bool));
	s->per_cpu = calloc(kern_cpus(s->kern), sizeof(*s->per_cpu));
	if (!s->stacks || !s->codes || !s->nodes || !s->states ||
	    (opts->skip_parked && !s->parked) || !s->per_cpu)
		return -ENOMEM;
	reader_complete(s->reader, s->codes);
	s->sym = sym_new(s->codes);
	s->procs = procs_new(s->kern, s->reader, s->profile);
	s->events = events_new(s->kern, &ops, s);
	if (!s->sym || !s->procs || !s->events)
		return -ENOMEM;
	procs_set_filters(s->procs, opts->filters);
	profile_set_resolver(s->profile, sym_resolve, s->sym);
	if (s->wall)
		procs_on_python(s->procs, adopt, s);
	if (opts->wall & WALL_GIL)
		procs_need_gil(s->procs);
	return 0;
}

static int open_places(struct session *s, const struct session_opts *o, struct err *err)
{
	int code = containers_open(s->containers);

	s->chosen = chosen_new(&o->places, s->containers, s->kern);
	if (!s->chosen)
		return -ENOMEM;
	return code ? code : chosen_open(s->chosen, err);
}

static void open_meta(struct session *s, const struct session_opts *o)
{
	s->meta = (struct profile_meta){
		.event = "cpu-clock",
		.unit = "samples",
		.asked_hz = o->wall ? rate_steady(o->hz) : o->hz,
		.krait = KRAIT_VERSION,
	};
	strcpy(s->meta.mode, !o->wall ? "cpu" : o->wall & WALL_GIL ? "gil" : "wall");
	gethostname(s->meta.host, sizeof(s->meta.host) - 1);
	s->meta.boot = procfs_boot();
}

/* What of --max-memory is left for the model: krait itself, with its rings, is there by now. */
static size_t model_room(const struct session_opts *o)
{
	enum { SHARE = 16, LEAST_PART = 4 };
	const uint64_t low = 128 << 20, high = 2ULL << 30;
	uint64_t own = procfs_resident(), max = o->max_memory;

	if (!max) {
		max = hostmem_bytes() / SHARE;
		max = max < low ? low : max > high ? high : max;
	}
	return max > own + max / LEAST_PART ? max - own : max / LEAST_PART;
}

struct session *session_new(const struct session_opts *opts, struct err *err)
{
	struct session *s = calloc(1, sizeof(*s));
	int code = -ENOMEM;

	if (s) {
		open_meta(s, opts);
		/* First, while there is one thread and little memory. */
		s->reader = reader_new();
		code = s->reader ? open_kernel(s, opts, err) : -ENOMEM;
		if (!code)
			code = open_model(s, opts);
		if (!code)
			code = open_places(s, opts, err);
		if (!code && (opts->filters & BY_CHILDREN))
			code = procs_follow(s->procs, opts->chosen.pids, opts->chosen.npids);
		if (!code)
			code = procs_fill(s->procs);
		s->room = model_room(opts);
	}
	if (!code)
		return s;
	if (!err->code)
		err_set(err, code, "session: cannot start: %s", strerror(-code));
	session_free(s);
	return NULL;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	wall_free(s->wall);
	perf_free(s->perf);
	events_free(s->events);
	reader_free(s->reader);
	procs_free(s->procs);
	chosen_free(s->chosen);
	containers_free(s->containers);
	kern_free(s->kern);
	sym_free(s->sym);
	codes_free(s->codes);
	profile_free(s->profile);
	stacks_free(s->stacks);
	hmap_free(s->nodes);
	hmap_free(s->states);
	hmap_free(s->parked);
	free(s->per_cpu);
	free(s);
}

/* --- what hangs --------------------------------------------------------------------------------- */

/* Number *@i of those whose names are missing; else that of others, from 0, is left in it. */
static bool find_nameless(const struct session *s, size_t *i, struct session_hang *ret)
{
	size_t n;
	const struct reader_missing *m = reader_missing(s->reader, &n);

	for (; n; n--, m++) {
		if (!m->codes || (*i)--)
			continue;
		ret->pid = m->pid;
		ret->codes = m->codes;
		return true;
	}
	return false;
}

static bool find_unseen(const struct session *s, size_t i, struct session_hang *ret)
{
	size_t pos = 0;

	do {
		if (!procs_hanging(s->procs, &pos, &ret->pid))
			return false;
	} while (i--);
	return true;
}

bool session_hang(struct session *s, size_t i, struct session_hang *ret)
{
	struct proc_stat stat;

	memset(ret, 0, sizeof(*ret));
	if (!find_nameless(s, &i, ret) && !find_unseen(s, i, ret))
		return false;
	if (!procfs_stat(ret->pid, &stat))
		memcpy(ret->comm, stat.comm, sizeof(ret->comm));
	reader_served(s->reader, ret->pid, ret->served, sizeof(ret->served));
	return true;
}

/* --- running ------------------------------------------------------------------------------------ */

struct run {
	struct session *s;
	const struct session_hooks *hooks;
	struct pollfd fds[2];      /* process events, the owner's */
	int64_t end, ring, counts; /* CLOCK_MONOTONIC ns; end < 0: none */
};

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int wait_for(struct run *r)
{
	int64_t now = clock_ns(), retry = procs_retry(r->s->procs);
	int64_t next = earlier(r->ring, r->counts);
	struct timespec t;

	if (retry >= 0)
		next = earlier(next, now + retry);
	if (r->end >= 0)
		next = earlier(next, r->end);
	next = next > now ? next - now : 0;
	t = (struct timespec){ next / 1000000000, next % 1000000000 };
	return ppoll(r->fds, 2, &t, NULL) < 0 && errno != EINTR ? -errno : 0;
}

static int every_second(struct run *r, int64_t now)
{
	int err = session_collect(r->s);

	perf_follow(r->s->perf, &r->s->sums.unwatched);
	/* The ticks of threads that wait are of one period (rate_steady()); those of running ones, too, then. */
	if (!err && !r->s->wall)
		err = perf_jitter(r->s->perf);
	r->counts = now + COUNTS_EVERY;
	return err || !r->hooks->second ? err : r->hooks->second(r->hooks->ctx);
}

/* 0: go on, 1: a hook ends it, or -errno. */
static int turn(struct run *r)
{
	int64_t now;
	int err = wait_for(r);

	if (!err && r->fds[0].revents)
		err = events_read_processes(r->s->events, TURN_MS);
	if (!err && r->fds[1].revents)
		err = r->hooks->readable(r->hooks->ctx);
	now = clock_ns();
	if (!err && now >= r->ring) {
		r->ring = now + RING_EVERY;
		containers_turn(r->s->containers);
		err = events_read_processes(r->s->events, TURN_MS);
		if (!err)
			err = events_read_samples(r->s->events, TURN_MS);
		reader_turn(r->s->reader);
	}
	if (!err && now >= r->counts)
		err = every_second(r, now);
	return err;
}

int session_run(struct session *s, uint64_t duration_ns, int wake_fd,
		const struct session_hooks *hooks, struct err *err)
{
	int64_t now = clock_ns();
	struct run r = {
		.s = s,
		.hooks = hooks,
		.fds = { { .fd = events_fd(s->events), .events = POLLIN },
			 { .fd = wake_fd, .events = POLLIN } },
		.end = duration_ns > INT64_MAX / 2 ? -1 : now + (int64_t)duration_ns,
		.ring = now + RING_EVERY,
		.counts = now + COUNTS_EVERY,
	};
	uint64_t phase;
	int code;

	clock_gettime(CLOCK_REALTIME, &s->meta.started);
	if (procfs_idle_ns(&s->idle_before))
		s->idle_before = ULLONG_MAX; /* no account: what is missing counts as lost */
	s->began = clock_ns();
	code = reader_follow(s->reader);
	if (!code)
		code = perf_start(s->perf, &phase);
	if (!code && s->wall)
		code = wall_start(s->wall, phase);
	if (!code && hooks->started)
		hooks->started(hooks->ctx);
	while (!code && (r.end < 0 || clock_ns() < r.end))
		code = turn(&r);
	if (s->wall)
		wall_stop(s->wall);
	if (code >= 0)
		code = perf_stop(s->perf);
	s->ended = clock_ns();
	if (!code)
		code = session_collect(s);
	if (!code)
		code = containers_settle(s->containers, SETTLE_MS);
	return code ? err_set(err, code, "session: sampling stopped: %s", strerror(-code)) : 0;
}

const struct profile *session_profile(const struct session *s)
{
	return s->profile;
}

const struct stacks *session_stacks(const struct session *s)
{
	return s->stacks;
}

uint64_t session_counted_ms(const struct session *s)
{
	return s->counted / 1000000;
}

const struct procs *session_procs(const struct session *s)
{
	return s->procs;
}

const struct session_sums *session_sums(const struct session *s)
{
	return &s->sums;
}

bool session_ticks(const struct session *s, struct wall_ticks *ret)
{
	if (s->wall)
		wall_ticks(s->wall, ret);
	return s->wall;
}

const struct runtime_refused *session_refused_names(const struct session *s)
{
	return containers_refused(s->containers);
}

const struct wall_stalls *session_stalls(const struct session *s)
{
	return wall_stalls(s->wall);
}
