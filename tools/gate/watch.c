/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch SECONDS KRAIT ARGUMENT...: runs a krait, and counts from outside what it does and holds.
 *
 *	exec ──start──► "sampling" ──settle, 2 s──► ──SECONDS──► SIGINT
 *	                   │                          │
 *	                   system calls, allocations, maps and programs    the same, a second;
 *	                   loaded, kernel memory                           ring bytes a sample
 *
 * Prints a line of name=value. What the counters of the process itself would say is not asked: a
 * krait of any commit can be watched whose struct wire_stats is this one's.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "calls.skel.h"
#include "running.h"

enum { SETTLE_MS = 2000 };

struct watched {
	pid_t pid;
	FILE *says; /* its standard error */
	int start;  /* closing it lets the child start */
	struct calls_bpf *calls;
	volatile uint64_t *allocations;
};

struct snapshot {
	double at; /* seconds */
	uint64_t calls, allocations, sent;
	struct wire_stats stats;
};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt, ...)
{
	va_list args;

	fputs("watch: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void pause_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* --- the child -------------------------------------------------------------------------------- */

/* Makes the file in which the preloaded library counts, and maps it. */
static volatile uint64_t *count_allocations(void)
{
	char path[64];
	int fd = memfd_create("allocations", 0); /* the child opens it by this descriptor's path */
	void *at;

	if (fd < 0 || ftruncate(fd, sizeof(uint64_t)))
		die("memfd: %m");
	at = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		die("mmap: %m");
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	setenv("ALLOCATIONS", path, 1);
	return at;
}

__attribute__((noreturn)) static void run_child(char **argv, int start, int says)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(start, &byte, 1) < 0 || dup2(says, STDERR_FILENO) < 0)
		_exit(126);
	setenv("LD_PRELOAD", getenv("PRELOAD") ?: "", 1);
	execv(argv[0], argv);
	_exit(127);
}

static void prepare_child(struct watched *w, char **argv)
{
	int start[2], says[2];

	if (pipe2(start, O_CLOEXEC) || pipe2(says, O_CLOEXEC))
		die("pipe: %m");
	w->pid = fork();
	if (w->pid < 0)
		die("fork: %m");
	if (!w->pid) {
		close(start[1]);
		run_child(argv, start[0], says[1]);
	}
	close(start[0]);
	close(says[1]);
	w->start = start[1];
	w->says = fdopen(says[0], "re");
	if (!w->says)
		die("fdopen: %m");
}

static void attach(struct watched *w)
{
	w->calls = calls_bpf__open();
	if (!w->calls)
		die("bpf: cannot open: %m");
	w->calls->rodata->target = w->pid;
	w->calls->rodata->bpf_number = SYS_bpf;
	if (calls_bpf__load(w->calls) || calls_bpf__attach(w->calls))
		die("bpf: cannot load: %m");
}

/* Lets the child run up to its first line, which says that it samples. */
static void start_child(struct watched *w)
{
	char line[512] = "";

	close(w->start);
	if (!fgets(line, sizeof(line), w->says) || !strstr(line, "sampling"))
		die("krait does not sample: %s", line);
}

static void stop_child(struct watched *w)
{
	char line[512];

	kill(w->pid, SIGINT);
	while (fgets(line, sizeof(line), w->says))
		;
	waitpid(w->pid, NULL, 0);
	fclose(w->says);
}

/* --- figures ---------------------------------------------------------------------------------- */

static void take(const struct watched *w, struct running *r, struct snapshot *s)
{
	*s = (struct snapshot){
		.at = now(),
		.calls = w->calls->bss->calls,
		.allocations = *w->allocations,
		.sent = running_sent(w->pid),
	};
	if (!running_stats(r, &s->stats))
		die("krait's map stats: %m");
}

static void print_start(const struct watched *w)
{
	const __u64 *commands = w->calls->bss->commands;
	struct running_weight weight = running_weigh(w->pid);

	printf("start_calls=%llu start_allocations=%" PRIu64
	       " loads=%llu maps=%llu memory=%" PRIu64,
	       w->calls->bss->calls, *w->allocations, commands[BPF_PROG_LOAD],
	       commands[BPF_MAP_CREATE], weight.memory);
}

static void print_run(const struct snapshot *from, const struct snapshot *to)
{
	double seconds = to->at - from->at;
	double shown = to->stats.fate[FATE_SHOWN] - from->stats.fate[FATE_SHOWN];

	printf(" calls=%.1f allocations=%.1f samples=%.1f stacks=%.1f sent=%.2f\n",
	       (to->calls - from->calls) / seconds, (to->allocations - from->allocations) / seconds,
	       shown / seconds,
	       (to->stats.note[NOTE_STACKS] - from->stats.note[NOTE_STACKS]) / seconds,
	       (to->sent - from->sent) / (shown ?: 1));
}

int main(int argc, char **argv)
{
	struct snapshot from, to;
	struct watched w = {};
	struct running *r;

	if (argc < 3)
		die("usage: watch SECONDS KRAIT ARGUMENT...");
	w.allocations = count_allocations();
	prepare_child(&w, argv + 2);
	attach(&w);
	start_child(&w);
	print_start(&w);
	r = running_open(w.pid);
	if (!r)
		die("process %d has no sampler", w.pid);
	pause_ms(SETTLE_MS);
	take(&w, r, &from);
	pause_ms(1000 * atof(argv[1]));
	take(&w, r, &to);
	print_run(&from, &to);
	running_close(r);
	stop_child(&w);
	calls_bpf__destroy(w.calls);
	return 0;
}
