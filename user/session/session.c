/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	ring of samples ───► code objects, stacks, threads ─┐
 *	count sets ────────► counts ────────────────────────┴─► samples.c ─► model
 *	ring of processes ─► fork, exec, exit ────────────────► census.c
 *	                  └► cgroups ─────────────────────────► containers.c, chosen.c
 *
 *	every 100 ms   both rings
 *	every second   swap count sets ─► rings once more ─► drain the quiet set ─► books.c; move the period
 *	at once        process events, the owner's descriptor
 *
 * The BPF programs send a stack before they count it. The swap waits for running programs, so after it the ring
 * holds every stack that the quiet set refers to.
 */
#include "session/session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "load/events.h"
#include "load/rate.h"
#include "proc/host.h"
#include "session/census.h"
#include "session/containers.h"
#include "session/kernstacks.h"
#include "session/natives.h"
#include "session/reader.h"
#include "session/sampler.h"
#include "session/samples.h"
#include "session/taskplaces.h"

enum {
	RING_EVERY = 100000000,    /* ns */
	COUNTS_EVERY = 1000000000, /* ns */
	/* Longest time to read the rings: usually they are empty much sooner, a full one takes about 100 ms. */
	TURN_MS = 100,
	COLLECT_MS = 1000,
	SETTLE_MS = 500,  /* wait at the end for names of containers */
	CODE_BUDGET = 64, /* new code objects that one sample may read: about 100 us */
};

struct session {
	struct sampler *sampler;
	struct events *events;
	struct reader *reader;
	struct procs *procs;
	struct inspector *inspector;
	struct census *census;
	struct samples *samples;
	struct natives *natives;       /* NULL: not asked for */
	struct kernstacks *kernstacks; /* the same */
	struct taskplaces *places;     /* NULL: tasks are not asked for */
	struct containers *containers;
	struct chosen *chosen;
	struct books *books;
	struct profile *profile;
	uint64_t events_lost; /* lost events that a resync has made up for */
	int64_t counted;      /* ns after the start: where the period of the last counts began */
	int64_t collected;    /* ns after the start: later counts are not in the model yet */
	bool hurry;           /* samples wait for the loader: read their ring at once */
	int64_t began, ended; /* start and end of sampling, CLOCK_MONOTONIC ns, 0: not yet */
};

/* --- dispatching records ---------------------------------------------------------------------- */

static int on_code(void *ctx, const struct wire_code *code, const uint8_t *data)
{
	struct session *s = ctx;

	return samples_code(s->samples, code, data);
}

static int on_stack(void *ctx, const struct wire_stack *stack, const struct wire_frame *frames)
{
	struct session *s = ctx;

	return samples_stack(s->samples, stack, frames);
}

/* A thread record also has the cgroups, so this is where a process gets its container. */
static int on_thread(void *ctx, const struct wire_thread *thread)
{
	struct session *s = ctx;
	uint32_t place, process;
	int err = samples_thread(s->samples, thread, &process);

	if (err || process == PROFILE_NONE)
		return err;
	place = containers_of(s->containers, thread->cgroup, thread->proc.tgid);
	if (place == PROFILE_NONE)
		return -ENOMEM;
	profile_set_process_container(s->profile, process, place);
	return 0;
}

static int on_native(void *ctx, const struct wire_native *stack, const uint64_t *frames)
{
	struct session *s = ctx;

	return s->natives ? natives_stack(s->natives, stack, frames) : 0;
}

static int on_kernel(void *ctx, const struct wire_kernel *stack, const uint64_t *addresses)
{
	struct session *s = ctx;

	return s->kernstacks ? kernstacks_add(s->kernstacks, stack, addresses) : 0;
}

static int on_copy(void *ctx, const struct wire_copy *copy)
{
	struct session *s = ctx;

	return s->natives ? natives_copy(s->natives, copy) : 0;
}

static int on_tasked(void *ctx, const struct wire_tasked *t, const void *text)
{
	struct session *s = ctx;

	return samples_tasked(s->samples, t, text);
}

static int on_event(void *ctx, const struct wire_event *event)
{
	struct session *s = ctx;

	if (event->kind == EVENT_COPY)
		s->hurry = true;
	if (event->kind == EVENT_COPY || event->kind == EVENT_NATIVE)
		return event->kind == EVENT_NATIVE && s->natives ? natives_event(s->natives, event)
								 : 0;
	if (event->kind == EVENT_TASKS)
		return s->places ? taskplaces_event(s->places, event) : 0;
	return census_event(s->census, event);
}

static int on_cgroup(void *ctx, const struct wire_cgroup *cgroup)
{
	struct session *s = ctx;
	int err = containers_made(s->containers, cgroup);

	return err ? err : chosen_made(s->chosen, cgroup);
}

static const struct events_ops ops = {
	.stack = on_stack,
	.code = on_code,
	.thread = on_thread,
	.event = on_event,
	.native = on_native,
	.copy = on_copy,
	.kernel = on_kernel,
	.tasked = on_tasked,
	.cgroup = on_cgroup,
};

static int on_count(void *ctx, const struct count_key *key, uint64_t n)
{
	struct session *s = ctx;

	return samples_count(s->samples, key, n);
}

/* --- collecting ------------------------------------------------------------------------------- */

static int64_t elapsed_ns(const struct session *s)
{
	return (s->ended ? s->ended : clock_ns()) - s->began;
}

int session_collect(struct session *s)
{
	int err = sampler_swap(s->sampler);
	bool lost;

	if (!err)
		err = events_read_processes(s->events, COLLECT_MS);
	if (!err)
		err = events_read_all_samples(s->events);
	if (s->ended)
		reader_settle(s->reader);
	s->counted = s->collected;
	profile_set_time(s->profile, s->counted);
	if (!err && s->natives)
		err = natives_settle(s->natives);
	if (!err && s->kernstacks)
		err = kernstacks_settle(s->kernstacks);
	if (!err)
		err = kern_drain(sampler_kern(s->sampler), on_count, s);
	s->collected = elapsed_ns(s);
	if (err)
		return err;
	procs_reap(s->procs);
	if (s->natives)
		natives_second(s->natives);
	if (s->places)
		taskplaces_second(s->places);
	err = books_keep(s->books, elapsed_ns(s));
	lost = books_sums(s->books)->note[NOTE_EVENT_LOST] > s->events_lost;
	if (!err)
		err = containers_second(s->containers, lost);
	if (!err)
		err = chosen_second(s->chosen, lost);
	if (!err && lost) {
		s->events_lost = books_sums(s->books)->note[NOTE_EVENT_LOST];
		err = census_resync(s->census);
	}
	return err;
}

/* --- opening ---------------------------------------------------------------------------------- */

static struct profile_meta meta_of(const struct session_opts *o)
{
	struct profile_meta meta = {
		.event = "cpu-clock",
		.unit = "samples",
		.asked_hz = o->wall ? rate_steady(o->hz) : o->hz,
		.krait = KRAIT_VERSION,
	};

	strcpy(meta.mode, !o->wall ? "cpu" : o->wall & WALL_GIL ? "gil" : "wall");
	gethostname(meta.host, sizeof(meta.host) - 1);
	meta.boot = host_boot();
	return meta;
}

static int open_sampler(struct session *s, const struct session_opts *o,
			const struct profile_meta *meta, struct err *err)
{
	struct kern_opts k = {
		.config = { .filters = o->filters, .code_budget = CODE_BUDGET, .wall = o->wall },
		.chosen = o->chosen,
		.native = o->native,
		.kernel = o->kernel,
		.tasks = o->tasks,
		.debug = o->debug,
	};
	struct features features;
	int code = sampler_probe(o->wall, o->visit_all, &features, err);

	if (code)
		return code;
	s->profile = profile_new();
	s->containers = s->profile ? containers_new(s->profile, s->reader) : NULL;
	if (!s->containers)
		return -ENOMEM;
	containers_configure(s->containers, &k.config);
	limits_size(&o->limits, o->hz, sysconf(_SC_NPROCESSORS_CONF), o->wall, &k);
	s->sampler = sampler_new(&k, &features, meta->asked_hz, err);
	return s->sampler ? 0 : err->code;
}

/* Called for each process that is found to be Python. */
static void adopt(void *ctx, uint32_t tgid)
{
	struct session *s = ctx;

	sampler_adopt(s->sampler, tgid);
}

static int open_model(struct session *s, const struct session_opts *o,
		      const struct profile_meta *meta)
{
	const struct samples_opts so = { .skip_parked = o->skip_parked,
					 .journal = o->journal,
					 .tasks = o->tasks };
	struct kern *kern = sampler_kern(s->sampler);

	s->procs = procs_new(kern, s->profile);
	s->inspector = s->procs ? inspector_new(kern, s->reader, s->procs) : NULL;
	if (!s->inspector)
		return -ENOMEM;
	s->census = census_new(kern, s->reader, s->procs, s->inspector, o->filters);
	s->samples = samples_new(s->profile, s->procs, s->reader, &so);
	s->events = events_new(kern, &ops, s);
	if (!s->census || !s->samples || !s->events)
		return -ENOMEM;
	if (o->native)
		s->natives = natives_new(kern, s->procs, s->samples, o->native > 1);
	if (o->kernel)
		s->kernstacks = kernstacks_new(s->samples);
	if ((o->native && !s->natives) || (o->kernel && !s->kernstacks))
		return -ENOMEM;
	if (o->tasks)
		s->places = taskplaces_new(kern, s->reader, s->procs);
	if (o->tasks && !s->places)
		return -ENOMEM;
	s->books = books_new(&(struct books_sources){ s->sampler, s->procs, s->samples, s->events },
			     s->profile, meta);
	if (!s->books)
		return -ENOMEM;
	if (o->wall)
		procs_on_python(s->procs, adopt, s);
	if (o->wall & WALL_GIL)
		inspector_need_gil(s->inspector);
	return 0;
}

static int add_cgroup(void *ctx, const struct cgroup_key *key)
{
	return kern_add_cgroup(ctx, key);
}

static int open_places(struct session *s, const struct session_opts *o, struct err *err)
{
	int code = containers_open(s->containers);

	s->chosen = chosen_new(&o->places, s->containers, add_cgroup, sampler_kern(s->sampler));
	if (!s->chosen)
		return -ENOMEM;
	return code ? code : chosen_open(s->chosen, err);
}

static int open_all(struct session *s, const struct session_opts *o, struct err *err)
{
	const struct profile_meta meta = meta_of(o);
	int code;

	/* First, because it forks: now there is one thread and little memory. */
	s->reader = reader_new();
	code = s->reader ? open_sampler(s, o, &meta, err) : -ENOMEM;
	if (!code)
		code = open_model(s, o, &meta);
	if (!code)
		code = open_places(s, o, err);
	if (!code && (o->filters & BY_CHILDREN))
		code = census_follow(s->census, o->chosen.pids, o->chosen.npids);
	if (!code)
		code = census_fill(s->census);
	if (!code)
		samples_set_room(s->samples, limits_room(&o->limits));
	return code;
}

struct session *session_new(const struct session_opts *opts, struct err *err)
{
	struct session *s = calloc(1, sizeof(*s));
	int code = s ? open_all(s, opts, err) : -ENOMEM;

	if (!code)
		return s;
	if (!err->code)
		err_set(err, code, "session: cannot start: %s", strerror(-code));
	session_free(s);
	return NULL;
}

/* Frees each object before those that it points to. */
void session_free(struct session *s)
{
	if (!s)
		return;
	events_free(s->events);
	books_free(s->books);
	taskplaces_free(s->places);
	reader_free(s->reader);
	natives_free(s->natives);
	kernstacks_free(s->kernstacks);
	census_free(s->census);
	inspector_free(s->inspector);
	procs_free(s->procs);
	chosen_free(s->chosen);
	containers_free(s->containers);
	sampler_free(s->sampler);
	samples_free(s->samples);
	profile_free(s->profile);
	free(s);
}

/* --- running ---------------------------------------------------------------------------------- */

struct run {
	struct session *s;
	const struct session_hooks *hooks;
	struct pollfd fds[2];      /* process events, the owner's descriptor */
	int64_t end, ring, counts; /* when each is due, CLOCK_MONOTONIC ns; end < 0: never */
};

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int wait_for(struct run *r)
{
	int64_t now = clock_ns(), retry = inspector_retry(r->s->inspector);
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

	if (!err)
		err = sampler_second(r->s->sampler);
	r->counts = now + COUNTS_EVERY;
	return err || !r->hooks->second ? err : r->hooks->second(r->hooks->ctx);
}

/* One round of waiting and reading. 0: continue, 1: a hook ends the run, or -errno. */
static int turn(struct run *r)
{
	int64_t now;
	int err = wait_for(r);

	if (!err && r->fds[0].revents)
		err = events_read_processes(r->s->events, TURN_MS);
	if (!err && r->s->hurry) {
		r->s->hurry = false;
		err = events_read_samples(r->s->events, TURN_MS);
	}
	if (!err && r->fds[1].revents)
		err = r->hooks->readable(r->hooks->ctx);
	now = clock_ns();
	if (!err && now >= r->ring) {
		r->ring = now + RING_EVERY;
		containers_turn(r->s->containers);
		err = events_read_processes(r->s->events, TURN_MS);
		if (!err)
			err = events_read_samples(r->s->events, TURN_MS);
		if (!err && r->s->natives)
			err = natives_turn(r->s->natives);
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
	int code, stopped;

	books_begin(s->books);
	s->began = clock_ns();
	code = reader_follow(s->reader);
	if (!code && s->natives)
		code = natives_follow(s->natives);
	if (!code)
		code = sampler_start(s->sampler);
	if (!code && hooks->started)
		hooks->started(hooks->ctx);
	while (!code && (r.end < 0 || clock_ns() < r.end))
		code = turn(&r);
	stopped = sampler_stop(s->sampler);
	if (code >= 0)
		code = stopped;
	s->ended = clock_ns();
	if (!code)
		code = session_collect(s);
	if (!code)
		code = containers_settle(s->containers, SETTLE_MS);
	return code ? err_set(err, code, "session: sampling stopped: %s", strerror(-code)) : 0;
}

/* --- questions -------------------------------------------------------------------------------- */

const struct profile *session_profile(const struct session *s)
{
	return s->profile;
}

const struct stacks *session_stacks(const struct session *s)
{
	return samples_stacks(s->samples);
}

uint64_t session_counted_ms(const struct session *s)
{
	return s->counted / 1000000;
}

const struct procs *session_procs(const struct session *s)
{
	return s->procs;
}

const struct inspector *session_inspector(const struct session *s)
{
	return s->inspector;
}

bool session_natives(const struct session *s, struct natives_sums *ret)
{
	if (s->natives)
		*ret = natives_sums(s->natives);
	return s->natives;
}

int session_kernel_names(const struct session *s)
{
	return s->kernstacks ? kernstacks_error(s->kernstacks) : 0;
}

const struct books_sums *session_sums(const struct session *s)
{
	return books_sums(s->books);
}

int session_cpus(const struct session *s)
{
	return sampler_cpus(s->sampler);
}

bool session_hang(const struct session *s, size_t i, struct hang *ret)
{
	return hang_find(s->reader, s->inspector, i, ret);
}

bool session_ticks(const struct session *s, struct wall_ticks *ret)
{
	struct wall *wall = sampler_wall(s->sampler);

	if (wall)
		wall_ticks(wall, ret);
	return wall;
}

const struct runtime_refused *session_refused_names(const struct session *s)
{
	return containers_refused(s->containers);
}

const struct wall_stalls *session_stalls(const struct session *s)
{
	return wall_stalls(sampler_wall(s->sampler));
}
