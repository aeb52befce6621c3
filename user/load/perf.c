/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events have a fixed period instead of a frequency: the kernel then accepts any rate, regardless
 * of perf_event_max_sample_rate, and each sample stands for one period. The number of ticks due is
 * the event's enabled time divided by the period, summed over all periods used. (The event's own
 * count would not do: it stands still while the kernel throttles the event, for example after
 * 100,000 / HZ ticks on an idle CPU without scheduler ticks, until that CPU's next scheduler tick.)
 *
 * When a CPU goes offline, the kernel removes its event for good. So perf_follow() compares the
 * clocks with the list of online CPUs, and recognizes a CPU that was offline between two calls by
 * its enabled time, which stood still. The ticks of removed clocks stay in the sums.
 *
 * Idle CPUs tick, too, and the sampler counts these ticks: only then do all fates add up to all
 * ticks, and undelivered ticks show as the difference. This costs an idle CPU some 100 ns per tick.
 */
#include "load/perf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/vec.h"
#include "load/rate.h"

enum { JITTER_TICKS = 64 };

struct clock {
	int fd;
	int cpu;
	struct bpf_link *link;
	uint64_t enabled;  /* enabled time of the event that is counted in ticks, ns */
	uint64_t followed; /* enabled at the last perf_follow() */
	double ticks;
};

struct perf {
	struct bpf_program *sampler;
	VEC(struct clock) clocks;
	uint64_t gone_ticks, gone_ns; /* of clocks whose CPU went offline */
	uint64_t nominal, period;     /* ns */
	uint32_t random;
	bool running;
};

static int open_clock(int cpu, uint64_t period)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = period,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED,
		.disabled = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int clock_error(struct err *err, int cpu, int code)
{
	if (code == -EACCES || code == -EPERM)
		return err_set(
			err, -EPERM,
			"perf: CPU %d: permission denied; run as root or with CAP_PERFMON "
			"(CAP_SYS_ADMIN if kernel.perf_event_paranoid is above 2, as on Debian)",
			cpu);
	if (code == -EMFILE)
		return err_set(err, code, "perf: CPU %d: too many open files; raise ulimit -n",
			       cpu);
	return err_set(err, code, "perf: CPU %d: cannot open a cpu-clock event (error %d)", cpu,
		       -code);
}

static int add_clock(struct perf *p, int cpu, struct err *err)
{
	struct clock c = { .cpu = cpu, .fd = open_clock(cpu, p->period) };
	int code;

	if (c.fd == -ENODEV) /* the CPU went offline since the list was read */
		return 0;
	if (c.fd < 0)
		return clock_error(err, cpu, c.fd);
	c.link = bpf_program__attach_perf_event(p->sampler, c.fd);
	if (!c.link) {
		code = err_set(err, -errno, "bpf: CPU %d: cannot attach the sampler: %m", cpu);
		close(c.fd);
		return code;
	}
	code = vec_push(&p->clocks, c);
	if (code) {
		bpf_link__destroy(c.link);
		return err_set(err, code, "perf: out of memory");
	}
	/* Attaching enables the event, but before perf_start() it must not run yet. */
	if (p->running)
		return 0;
	return ioctl(c.fd, PERF_EVENT_IOC_DISABLE, 0) ? -errno : 0;
}

static struct clock *clock_of(struct perf *p, int cpu)
{
	struct clock *c;

	vec_each (&p->clocks, c)
		if (c->cpu == cpu)
			return c;
	return NULL;
}

/* /sys/devices/system/cpu/online: "0-3,8,10-11". */
static int each_online(struct perf *p, int (*fn)(struct perf *p, int cpu, struct err *err),
		       struct err *err)
{
	_fclose_ FILE *f = fopen("/sys/devices/system/cpu/online", "re");
	int first, last, code = 0;
	char sep = ',';

	if (!f)
		return err_set(err, -errno, "perf: '/sys/devices/system/cpu/online': %m");
	while (!code && sep == ',' && fscanf(f, "%d", &first) == 1) {
		last = first;
		sep = fgetc(f);
		if (sep == '-') {
			if (fscanf(f, "%d", &last) != 1)
				break;
			sep = fgetc(f);
		}
		for (int cpu = first; !code && cpu <= last; cpu++)
			code = fn(p, cpu, err);
	}
	return code;
}

static int add_missing(struct perf *p, int cpu, struct err *err)
{
	return clock_of(p, cpu) ? 0 : add_clock(p, cpu, err);
}

struct perf *perf_new(struct bpf_program *sampler, double hz, struct err *err)
{
	struct perf *p = calloc(1, sizeof(*p));
	int code;

	if (!p) {
		err_set(err, -ENOMEM, "perf: out of memory");
		return NULL;
	}
	p->sampler = sampler;
	p->nominal = p->period = 1e9 / hz;
	p->random = getpid();
	code = each_online(p, add_missing, err);
	if (!code && !p->clocks.len)
		code = err_set(err, -ENODEV, "perf: no CPU is online");
	if (code) {
		perf_free(p);
		return NULL;
	}
	return p;
}

void perf_free(struct perf *p)
{
	struct clock *c;

	if (!p)
		return;
	vec_each (&p->clocks, c)
		bpf_link__destroy(c->link); /* closes the event too */
	vec_done(&p->clocks);
	free(p);
}

static int each_clock(struct perf *p, unsigned long request, void *arg)
{
	struct clock *c;

	vec_each (&p->clocks, c)
		if (ioctl(c->fd, request, arg))
			return -errno;
	return 0;
}

int perf_start(struct perf *p, uint64_t *ret_phase)
{
	int code;

	p->running = true;
	code = each_clock(p, PERF_EVENT_IOC_ENABLE, NULL);
	*ret_phase = clock_ns();
	return code;
}

uint64_t perf_period(const struct perf *p)
{
	return p->nominal;
}

/* Updates a clock's ticks. If its CPU went offline, the time stands still or the read fails. */
static void settle(struct perf *p, struct clock *c)
{
	struct {
		uint64_t count, enabled;
	} now;

	if (read(c->fd, &now, sizeof(now)) != sizeof(now))
		return;
	c->ticks += (double)(now.enabled - c->enabled) / p->period;
	c->enabled = now.enabled;
}

int perf_stop(struct perf *p)
{
	p->running = false;
	return each_clock(p, PERF_EVENT_IOC_DISABLE, NULL);
}

static void retire(struct perf *p, size_t i)
{
	struct clock *c = &p->clocks.at[i];

	p->gone_ticks += (uint64_t)c->ticks;
	p->gone_ns += c->enabled;
	bpf_link__destroy(c->link);
	*c = p->clocks.at[--p->clocks.len];
}

int perf_follow(struct perf *p, struct err *err)
{
	for (size_t i = p->clocks.len; i-- > 0;) {
		struct clock *c = &p->clocks.at[i];

		settle(p, c);
		if (c->enabled == c->followed)
			retire(p, i);
		else
			c->followed = c->enabled;
	}
	return each_online(p, add_missing, err);
}

/* A new period starts a new tick: the unfinished tick of the old period is never delivered. */
static int move_clock(struct perf *p, struct clock *c, uint64_t period)
{
	settle(p, c);
	c->ticks = (uint64_t)c->ticks;
	return ioctl(c->fd, PERF_EVENT_IOC_PERIOD, &period) ? -errno : 0;
}

int perf_jitter(struct perf *p)
{
	uint64_t period;
	struct clock *c;

	if (!p->clocks.len)
		return 0;
	settle(p, &p->clocks.at[0]);
	if (p->clocks.at[0].ticks < JITTER_TICKS)
		return 0;
	period = rate_period(p->nominal, &p->random);
	vec_each (&p->clocks, c) {
		int err = move_clock(p, c, period);

		if (err)
			return err;
	}
	p->period = period;
	return 0;
}

void perf_elapsed(struct perf *p, double *ret_ticks, double *ret_cpu_seconds)
{
	double ticks = p->gone_ticks, ns = p->gone_ns;
	struct clock *c;

	vec_each (&p->clocks, c) {
		settle(p, c);
		ticks += (uint64_t)c->ticks; /* an unfinished tick is not due yet */
		ns += c->enabled;
	}
	*ret_ticks = ticks;
	*ret_cpu_seconds = ns / 1e9;
}

int perf_cpus(const struct perf *p)
{
	return p->clocks.len;
}
