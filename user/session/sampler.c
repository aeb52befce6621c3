/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	perf: a timer for each CPU ─► bpf/sampler.bpf.c ─┐
 *	                                                 ├─► rings, the live count set │ swap │ the quiet one
 *	wall: ticks ─► bpf/visit.bpf.c, switch.bpf.c ────┘
 *
 * Both timers have the same period and phase, so a thread is counted once for each tick, on a CPU or not.
 */
#include "session/sampler.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "load/perf.h"
#include "load/probe.h"
#include "proc/host.h"
#include "proc/procfs.h"

struct sampler {
	struct kern *kern;
	struct perf *perf;
	struct wall *wall; /* NULL: not in wall-clock mode */
	bool started;
	uint32_t stalled;
	struct err unwatched;
};

static int check_wall(bool wall, const struct features *f, struct err *err)
{
	if (!wall || (f->modern && (f->visit_one || f->visit_all)))
		return 0;
	return err_set(err, -EOPNOTSUPP,
		       "--mode: this kernel cannot read stacks of off-CPU threads (needs "
		       "bpf_copy_from_user_task, Linux 5.18); use --mode=cpu");
}

int sampler_probe(bool wall, bool visit_all, struct features *ret, struct err *err)
{
	const struct host_number host = host_pid_ns();
	int code = features_guess(ret, err);

	if (code)
		return code;
	if (!host.err && !host.value)
		return err_set(err, -EPERM,
			       "pid namespace: krait runs in a child pid namespace, where the "
			       "host's process IDs that the kernel reports are unknown or "
			       "different; run it on the host, or with the host's pid namespace "
			       "(--pid=host); 'krait list' shows the processes visible here");
	ret->visit_one &= !visit_all;
	return check_wall(wall, ret, err);
}

/* krait needs a descriptor for each CPU and map: on large hosts more than the usual soft limit. */
static void raise_files(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int check_native(const struct kern_opts *o, const struct features *f, struct err *err)
{
	if (!o->native)
		return 0;
#ifndef __x86_64__
	return err_set(err, -EOPNOTSUPP,
		       "--native: native frames are recorded on x86-64 only so far");
#endif
	if (!f->modern || !o->config.wall || f->visit_one)
		return 0;
	return err_set(err, -EOPNOTSUPP,
		       "--native: this kernel cannot walk native frames of off-CPU threads (needs "
		       "bpf_task_from_pid, Linux 6.2); use --mode=cpu");
}

/* What goes beyond Python frames has no programs for older kernels. */
static int check_more(const struct kern_opts *o, const struct features *f, struct err *err)
{
	const char *option = o->native   ? "--native"
			     : o->kernel ? "--kernel"
			     : o->tasks  ? "--by task"
					 : NULL;

	if (!option || f->modern)
		return 0;
	return err_set(err, -EOPNOTSUPP, "%s: this kernel has no bpf_loop (needs Linux 5.17)",
		       option);
}

static bool open_all(struct sampler *s, const struct kern_opts *opts,
		     const struct features *features, double hz, struct err *err)
{
	if (check_native(opts, features, err) || check_more(opts, features, err))
		return false;
	raise_files();
	s->kern = kern_new(opts, features, err);
	if (!s->kern)
		return false;
	s->perf = perf_new(kern_sampler(s->kern), hz, err);
	if (s->perf && opts->config.wall)
		s->wall = wall_new(s->kern, perf_period(s->perf), err);
	return s->perf && (s->wall || !opts->config.wall);
}

static void close_all(struct sampler *s)
{
	wall_free(s->wall);
	perf_free(s->perf);
	kern_free(s->kern);
	s->wall = NULL;
	s->perf = NULL;
	s->kern = NULL;
}

/* Does a probe find other features than the guess? @ret: those, without what the caller left out. */
static bool guess_was_wrong(const struct features *guess, struct features *ret)
{
	if (features_probe(ret, NULL))
		return false;
	ret->visit_one &= guess->visit_one;
	return ret->modern != guess->modern || ret->faulting != guess->faulting ||
	       ret->grow != guess->grow || ret->visit_one != guess->visit_one ||
	       ret->visit_all != guess->visit_all;
}

struct sampler *sampler_new(const struct kern_opts *opts, const struct features *features,
			    double hz, struct err *err)
{
	struct features found;
	struct sampler *s = calloc(1, sizeof(*s));

	if (!s) {
		err_set(err, -ENOMEM, "session: out of memory");
		return NULL;
	}
	if (open_all(s, opts, features, hz, err))
		return s;
	if (features->guessed && err && err->code == -EOPNOTSUPP &&
	    guess_was_wrong(features, &found) && !check_wall(opts->config.wall, &found, err)) {
		close_all(s);
		if (open_all(s, opts, &found, hz, err))
			return s;
	}
	sampler_free(s);
	return NULL;
}

void sampler_free(struct sampler *s)
{
	if (!s)
		return;
	close_all(s);
	free(s);
}

struct kern *sampler_kern(const struct sampler *s)
{
	return s->kern;
}

int sampler_start(struct sampler *s)
{
	uint64_t phase;
	int err;

	s->started = true;
	err = perf_start(s->perf, &phase);
	return err || !s->wall ? err : wall_start(s->wall, phase);
}

int sampler_stop(struct sampler *s)
{
	if (s->wall)
		wall_stop(s->wall);
	return perf_stop(s->perf);
}

void sampler_adopt(struct sampler *s, uint32_t tgid)
{
	procfs_pids tids = {};
	const pid_t *tid;

	if (!s->started || !s->wall)
		return;
	procfs_list_threads(tgid, &tids);
	vec_each (&tids, tid)
		wall_adopt(s->wall, *tid);
	vec_done(&tids);
}

int sampler_swap(struct sampler *s)
{
	int err = s->wall ? wall_drain(s->wall) : 0;

	s->stalled = err == -ETIMEDOUT ? wall_stalled(s->wall) : 0;
	if (err && err != -ETIMEDOUT)
		return err;
	err = kern_swap(s->kern);
	if (s->wall && !s->stalled)
		wall_sync(s->wall);
	return err;
}

int sampler_second(struct sampler *s)
{
	perf_follow(s->perf, &s->unwatched);
	/* In wall-clock mode off-CPU ticks have a fixed period (rate_steady()); on-CPU ticks must have it, too. */
	return s->wall ? 0 : perf_jitter(s->perf);
}

void sampler_elapsed(struct sampler *s, double *ret_ticks, double *ret_cpu_seconds)
{
	perf_elapsed(s->perf, ret_ticks, ret_cpu_seconds);
}

int sampler_cpus(const struct sampler *s)
{
	return perf_cpus(s->perf);
}

const struct err *sampler_unwatched(const struct sampler *s)
{
	return &s->unwatched;
}

struct wall *sampler_wall(const struct sampler *s)
{
	return s->wall;
}

uint32_t sampler_stalled(const struct sampler *s)
{
	return s->stalled;
}
