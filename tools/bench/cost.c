/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cost KRAIT TARGET SELF DEPTH CPU HZ MILLISECONDS: one measurement of a running krait (process
 * KRAIT) that records a Python spinning with DEPTH frames (process TARGET, stopped, pinned to CPU;
 * SELF is its pthread_self()).
 *
 *	target stopped ─► cheap: krait's runs that end before a walk, on idle CPUs and elsewhere
 *	target runs    ─► krait, empty and reads_N at the same time on the same CPU
 *	target stopped ─► its stack, walked once from outside: how many reads?
 *
 * The kernel sums the time of all runs of a program (BPF_ENABLE_STATS, on as long as this program
 * lives); krait's map stats has the number of its runs that were shown. So a walk costs
 *
 *	(time - runs that were not shown * cheap) / shown
 *
 * which is computed for each of many slices of time. Prints a line of name=value for bench.py,
 * times in ns.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "bpf/wire.h"
#include "price.skel.h"
#include "proc/rmem.h"
#include "py/detect.h"
#include "py/walk.h"
#include "running.h"

enum { EMPTY, READS_0, READS_10, READS_50, PRICES };
enum { CHEAP_SLICES = 4, WARM_MS = 60, TRIES = 200, SLICE_MS = 40, MAX_SLICES = 256 };

struct bench {
	pid_t krait, target;
	uint64_t self;
	uint32_t depth;
	int cpu, ms;
	uint64_t period; /* ns */
	struct python python;
	struct running *running;
	struct price_bpf *price;
	struct bpf_program *programs[PRICES];
};

/* Of a program since it was loaded. */
struct runs {
	uint64_t count, ns;
};

struct snapshot {
	struct runs krait, price[PRICES];
	struct wire_stats stats;
	uint64_t hits[PRICES];
};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt, ...)
{
	va_list args;

	fputs("cost: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* --- counters --------------------------------------------------------------------------------- */

static struct runs runs_of(int prog)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog, &info, &len))
		die("bpf: no statistics: %m");
	return (struct runs){ info.run_cnt, info.run_time_ns };
}

static void take(struct bench *b, struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
	s->krait = runs_of(running_sampler(b->running));
	if (!running_stats(b->running, &s->stats))
		die("krait's map stats: %m");
	for (int i = 0; i < PRICES; i++)
		s->price[i] = runs_of(bpf_program__fd(b->programs[i]));
	memcpy(s->hits, b->price->bss->hits, sizeof(s->hits));
}

/* --- cost of an empty program, and of a read -------------------------------------------------- */

static void attach(struct bench *b, int i)
{
	/* Periods differ, because clocks of equal period would keep the phase they started with. */
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = b->period + b->period * (i + 1) / 50,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, b->cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		die("perf_event_open: CPU %d: %m", b->cpu);
	/* The link lives as long as the process. */
	if (!bpf_program__attach_perf_event(b->programs[i], fd))
		die("attach: %m");
}

static void open_prices(struct bench *b)
{
	b->price = price_bpf__open();
	if (!b->price)
		die("bpf: cannot open: %m");
	b->price->rodata->address = b->python.info.code_type;
	b->price->rodata->target = b->target;
	if (price_bpf__load(b->price))
		die("bpf: cannot load: %m");
	b->programs[EMPTY] = b->price->progs.empty;
	b->programs[READS_0] = b->price->progs.reads_0;
	b->programs[READS_10] = b->price->progs.reads_10;
	b->programs[READS_50] = b->price->progs.reads_50;
	for (int i = 0; i < PRICES; i++)
		attach(b, i);
}

/* --- number of reads -------------------------------------------------------------------------- */

struct set {
	uint32_t n;
	uint64_t at[1024];
};

static void set_add(struct set *s, uint64_t value)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->at[i] == value)
			return;
	if (s->n < 1024)
		s->at[s->n++] = value;
}

/*
 * The layout requires one read of each of these: the links to the thread state, each code object,
 * each string that is read (names and file names, if code objects have no number of their own), and
 * each frame or, from 3.11 on, each page of the data stack. Reads are collected during the walk and
 * classified when the frames are known.
 */
enum { MAX_READS = 4096, PAGE = 4096, CODE_MAX = 256, STRING = 128 };

struct reader {
	const struct bench *bench;
	uint32_t state; /* reads before the first frame */
	uint32_t calls;
	struct {
		uint64_t addr;
		size_t len;
	} reads[MAX_READS];
	struct set codes, strings, frames;
};

static int keep_read(void *ctx, void *to, size_t len, uint64_t addr)
{
	struct reader *r = ctx;

	if (r->calls < MAX_READS) {
		r->reads[r->calls].addr = addr;
		r->reads[r->calls].len = len;
	}
	r->calls++;
	return rmem_read(r->bench->target, addr, to, len);
}

/* The code object of the stack that contains @addr, or 0. */
static uint64_t code_at(const struct wire_frame *frames, uint32_t n, uint64_t addr)
{
	for (uint32_t i = 0; i < n; i++)
		if (addr - frames[i].addr < CODE_MAX / 4)
			return frames[i].addr;
	return 0;
}

static void sort_read(struct reader *r, uint64_t addr, size_t len, uint64_t code)
{
	const struct py_layout *l = &r->bench->python.layout;

	if (code)
		set_add(&r->codes, code);
	else if (!(l->flags & PY_IFRAME) && len == l->fr_size)
		set_add(&r->frames, addr);
	else if (len == 16 || len == 24 || len == STRING)
		set_add(&r->strings, addr);
	else
		for (uint64_t page = addr / PAGE; page <= (addr + len - 1) / PAGE; page++)
			set_add(&r->frames, page);
}

static void sort_reads(struct reader *r, const struct wire_frame *frames, uint32_t n)
{
	for (uint32_t i = r->state; i < r->calls && i < MAX_READS; i++)
		sort_read(r, r->reads[i].addr, r->reads[i].len,
			  code_at(frames, n, r->reads[i].addr));
}

/* Walks the stopped target. True: @r describes a complete stack of the expected depth. */
static bool walk_target(const struct bench *b, struct reader *r)
{
	struct walk_thread t = { .thread_pointer = b->self + b->python.info.tss_base,
				 .ns_tid = b->target };
	const struct wire_frame *frames;
	const struct wire_stack *stack;
	struct walk *w = walk_new(keep_read, r);
	bool whole;

	if (!w)
		die("out of memory");
	memset(r, 0, sizeof(*r));
	r->bench = b;
	r->state = (b->python.info.current ? 2 : 3) + !!(b->python.layout.flags & PY_CFRAME);
	stack = walk_stack(w, &b->python.layout, &b->python.info, &t, &frames);
	whole = stack->end == WALK_COMPLETE && stack->count == b->depth;
	if (whole)
		sort_reads(r, frames, stack->count);
	walk_free(w);
	return whole;
}

/* --- phases ----------------------------------------------------------------------------------- */

static void pause_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static char state_of(pid_t pid)
{
	char path[64], state = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	_fclose_ FILE *f = fopen(path, "re");

	if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		die("target %d is gone", pid);
	return state;
}

static void stop(const struct bench *b)
{
	if (kill(b->target, SIGSTOP))
		die("target %d: %m", b->target);
	while (state_of(b->target) != 'T')
		pause_ms(1);
}

static void go_on(const struct bench *b)
{
	if (kill(b->target, SIGCONT))
		die("target %d: %m", b->target);
}

/* Retries while the target was stopped in a call or return, without a complete stack. */
static void count_reads(const struct bench *b, struct reader *r)
{
	for (int i = 0; i < TRIES; i++) {
		if (walk_target(b, r))
			return;
		go_on(b);
		pause_ms(1);
		stop(b);
	}
	die("target %d never has a whole stack of %u frames (%u reads)", b->target, b->depth,
	    r->calls);
}

/* --- figures ---------------------------------------------------------------------------------- */

/*
 * A host that takes the CPU away during a run adds a millisecond to the sum of some hundred runs.
 * So time is divided into slices, each figure is computed for each slice, and the median of the
 * slices is printed.
 */
struct figures {
	uint32_t n;
	double walk[MAX_SLICES], empty[MAX_SLICES], read[MAX_SLICES];
};

struct totals {
	uint64_t shown, runs, stacks, codes;
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* What a tenth of the values lie below: others that use the machine make runs dearer, never cheaper. */
static double low(double *values, uint32_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	return n ? values[n / 10] : 0;
}

static double median(double *values, uint32_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	return n ? (values[n / 2] + values[(n - 1) / 2]) / 2 : 0;
}

static double per_run(const struct runs *from, const struct runs *to)
{
	return to->count > from->count ? (double)(to->ns - from->ns) / (to->count - from->count)
				       : 0;
}

/* Cost of a run that did the reads; a run in another process does none and costs @miss. */
static double per_hit(const struct snapshot *from, const struct snapshot *to, int i, double miss)
{
	double hits = to->hits[i] - from->hits[i];
	double runs = to->price[i].count - from->price[i].count;

	return (to->price[i].ns - from->price[i].ns - (runs - hits) * miss) / hits;
}

/* Least squares over 0, 10 and 50 reads: mean 20, squares 400 + 100 + 900. */
static double read_price(const struct snapshot *from, const struct snapshot *to, double empty)
{
	return (-20 * per_hit(from, to, READS_0, empty) - 10 * per_hit(from, to, READS_10, empty) +
		30 * per_hit(from, to, READS_50, empty)) /
	       1400;
}

static uint64_t shown_between(const struct snapshot *from, const struct snapshot *to)
{
	return to->stats.fate[FATE_SHOWN] - from->stats.fate[FATE_SHOWN];
}

/* Did the target run for an eighth of this time? If others had the CPU, the slice is useless. */
static bool is_full(const struct bench *b, const struct snapshot *from, const struct snapshot *to)
{
	uint64_t enough = SLICE_MS * 1000000ULL / b->period / 8;

	for (int i = READS_0; i < PRICES; i++)
		if (to->hits[i] - from->hits[i] < enough)
			return false;
	return shown_between(from, to) >= enough;
}

static void add_slice(struct figures *f, const struct snapshot *from, const struct snapshot *to,
		      double cheap)
{
	double shown = shown_between(from, to), runs = to->krait.count - from->krait.count;
	double empty = per_run(&from->price[EMPTY], &to->price[EMPTY]);

	f->walk[f->n] = (to->krait.ns - from->krait.ns - (runs - shown) * cheap) / shown;
	f->empty[f->n] = empty;
	f->read[f->n] = read_price(from, to, empty);
	f->n++;
}

static double measure_cheap(struct bench *b)
{
	struct snapshot from, to;
	double prices[CHEAP_SLICES];

	take(b, &to);
	for (int i = 0; i < CHEAP_SLICES; i++) {
		from = to;
		pause_ms(SLICE_MS);
		take(b, &to);
		prices[i] = per_run(&from.krait, &to.krait);
	}
	return median(prices, CHEAP_SLICES);
}

/* Takes slices until enough of them are full, or eight times as many on a busy host. */
static void measure_walk(struct bench *b, double cheap, struct figures *f, struct totals *sum)
{
	uint32_t want = b->ms / SLICE_MS, tries = 8 * want;
	struct snapshot from, to;

	take(b, &to);
	while (f->n < want && f->n < MAX_SLICES && tries--) {
		from = to;
		pause_ms(SLICE_MS);
		take(b, &to);
		if (!is_full(b, &from, &to))
			continue;
		add_slice(f, &from, &to, cheap);
		sum->shown += shown_between(&from, &to);
		sum->runs += to.krait.count - from.krait.count;
		sum->stacks += to.stats.note[NOTE_STACKS] - from.stats.note[NOTE_STACKS];
		sum->codes += to.stats.note[NOTE_CODES] - from.stats.note[NOTE_CODES];
	}
	if (!f->n)
		die("target %d hardly ever runs: this host is too busy", b->target);
}

static void measure(struct bench *b)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct figures *f = calloc(1, sizeof(*f));
	struct totals sum = {};
	double cheap;

	if (!r || !f)
		die("out of memory");
	cheap = measure_cheap(b);
	go_on(b);
	pause_ms(WARM_MS);
	measure_walk(b, cheap, f, &sum);
	stop(b);
	count_reads(b, r);
	printf("walk=%.0f low=%.0f cheap=%.0f empty=%.0f read=%.2f slices=%u shown=%" PRIu64
	       " runs=%" PRIu64 " new=%" PRIu64 " codes=%" PRIu64 " reads=%u need=%u\n",
	       median(f->walk, f->n), low(f->walk, f->n), cheap, median(f->empty, f->n),
	       median(f->read, f->n), f->n, sum.shown, sum.runs, sum.stacks, sum.codes, r->calls,
	       r->state + r->codes.n + r->strings.n + r->frames.n);
	free(r);
	free(f);
}

static void detect(struct bench *b)
{
	struct detect *d = detect_new();
	struct err err = {};

	if (!d || detect_process(d, b->target, &b->python, &err) != DETECT_PYTHON)
		die("target %d: not a Python that can be read: %s", b->target, err.text);
	detect_free(d);
}

int main(int argc, char **argv)
{
	struct bench b = {};
	_close_ int stats = -1;

	if (argc != 8)
		die("usage: cost KRAIT TARGET SELF DEPTH CPU HZ MILLISECONDS");
	b.krait = atoi(argv[1]);
	b.target = atoi(argv[2]);
	b.self = strtoull(argv[3], NULL, 10);
	b.depth = atoi(argv[4]);
	b.cpu = atoi(argv[5]);
	b.period = 1e9 / atof(argv[6]);
	b.ms = atoi(argv[7]);
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (stats < 0)
		die("bpf: statistics: %m");
	detect(&b);
	b.running = running_open(b.krait);
	if (!b.running)
		die("process %d has no sampler", b.krait);
	open_prices(&b);
	measure(&b);
	price_bpf__destroy(b.price);
	running_close(b.running);
	return 0;
}
