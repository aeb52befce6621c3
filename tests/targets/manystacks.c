// SPDX-License-Identifier: BSD-2-Clause
// manystacks FORMAT STACKS [PROCESSES]: writes a synthetic recording with STACKS distinct stacks of
// 5 to 40 frames, in PROCESSES processes (default 40) of four threads each, to standard output.
// 4,000 functions in 400 files call each other. Each has six callees, the first one the likeliest,
// so that stacks share their outer frames and few stacks have most of the weight. Some further
// functions have names that are hostile to HTML pages and terminals. Equal arguments give equal
// bytes. Prints the time spent on writing to standard error.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format/format.h"
#include "model/profile.h"
#include "model/stacks.h"

enum { FUNCTIONS = 4000, FILES = 400, CALLEES = 6, THREADS = 4, LINES = 4 };

static const char *const folders[] = { "/srv/shop", "/usr/lib/python3.11",
				       "/srv/venv/lib/python3.11/site-packages/web",
				       "/srv/shop/api" };

static char longest[10241];
static const char *const hostile[] = {
	"</script><script>document.title='hostile'</script>",
	"<!--<script>",
	"<img src=x onerror=\"document.title='hostile'\">",
	"\x1b[31mred\x1b]0;title\x07",
	"line\xe2\x80\xa8separator\xe2\x80\xae right to left",
	"\xff\xfe\xed\xa0\x80",
	"quotes\"'`${1}\\",
	"a;b",
	"@@script@@",
	longest,
};

enum { HOSTILE = sizeof(hostile) / sizeof(hostile[0]), FIRST_HOSTILE = FUNCTIONS * LINES };

static unsigned int seed = 1;

static unsigned int random_below(unsigned int n)
{
	return rand_r(&seed) % n;
}

// A frame is a function and one of its lines.
static void resolve(void *ctx, uint32_t frame_id, struct frame *ret)
{
	static char name[64], file[128];
	uint32_t function = frame_id / LINES;

	if (frame_id >= FIRST_HOSTILE) {
		*ret = (struct frame){ .name = hostile[frame_id - FIRST_HOSTILE],
				       .file = hostile[(frame_id + 1) % HOSTILE],
				       .line = 7,
				       .kind = FRAME_PYTHON };
		return;
	}
	snprintf(name, sizeof(name), "Class%u.function_%u", function % 97, function);
	snprintf(file, sizeof(file), "%s/module_%u.py", folders[function % 4], function % FILES);
	*ret = (struct frame){ .name = name,
			       .file = file,
			       .line = 10 + function % 300 + frame_id % LINES,
			       .kind = FRAME_PYTHON };
}

static uint32_t callee(uint32_t function)
{
	uint32_t n = 0;

	while (n < CALLEES - 1 && random_below(5) < 2)
		n++;
	return (function * 31 + n * 977 + 7) % FUNCTIONS;
}

static uint32_t random_stack(struct stacks *s, uint32_t function)
{
	uint32_t node = STACKS_ROOT, depth = 5 + random_below(36);

	for (; depth--; function = callee(function)) {
		uint32_t line = random_below(8) ? 0 : random_below(LINES);

		node = stacks_push(s, node, function * LINES + line);
	}
	return node;
}

static uint32_t add_threads(struct profile *p, uint32_t processes)
{
	char comm[16];

	for (uint32_t i = 0; i < processes; i++) {
		snprintf(comm, sizeof(comm), "worker-%u", i % 7);
		uint32_t process = profile_add_process(p, 1000 + i * 10, comm);

		for (uint32_t t = 0; t < THREADS; t++)
			profile_add_thread(p, process, 1000 + i * 10 + t, t ? "pool" : "main");
	}
	return profile_threads(p);
}

static void add_hostile(struct profile *p, struct stacks *s)
{
	memset(longest, 'n', sizeof(longest) - 1);
	for (uint32_t i = 0; i < HOSTILE; i++)
		profile_count(p, 0, stacks_push(s, STACKS_ROOT, FIRST_HOSTILE + i), 0, 100 + i);
}

static void fill(struct profile *p, struct stacks *s, size_t stacks, uint32_t processes)
{
	static const struct state states[] = { { .kind = STATE_RUNNABLE },
					       { .kind = STATE_SLEEPING, .call = "epoll_wait" } };
	uint32_t threads = add_threads(p, processes);

	for (size_t i = 0; i < 2; i++)
		profile_add_state(p, &states[i]);
	add_hostile(p, s);
	while (profile_rows(p) < stacks) {
		uint32_t thread = random_below(threads);
		uint32_t node = random_stack(s, thread / THREADS % 7);

		profile_count(p, thread, node, random_below(4) ? 0 : random_below(3),
			      1 + random_below(3) * random_below(30));
	}
}

static int write_out(const struct format_ops *format, const struct profile *p,
		     const struct stacks *s)
{
	const struct format_opts opts = { .dims = { DIM_PROCESS }, .ndims = 1, .lines = true };
	const clock_t start = clock();
	struct err err = {};

	if (format->write(p, s, &opts, stdout, &err)) {
		fprintf(stderr, "manystacks: %s\n", err.text);
		return 1;
	}
	fprintf(stderr, "manystacks: written in %.0f ms\n",
		(double)(clock() - start) * 1000 / CLOCKS_PER_SEC);
	return 0;
}

int main(int argc, char **argv)
{
	const struct profile_meta meta = { .event = "cpu-clock",
					   .unit = "samples",
					   .asked_hz = 99,
					   .achieved_hz = 99,
					   .seconds = 3600,
					   .krait = KRAIT_VERSION };
	const struct format_ops *format = argc > 2 ? format_find(argv[1]) : NULL;
	struct profile *p = profile_new();
	struct stacks *s = stacks_new();
	int status;

	if (!format || !p || !s) {
		fprintf(stderr, "usage: manystacks FORMAT STACKS [PROCESSES]\n");
		return 2;
	}
	profile_set_meta(p, &meta);
	profile_set_resolver(p, resolve, NULL);
	fill(p, s, strtoul(argv[2], NULL, 10), argc > 3 ? strtoul(argv[3], NULL, 10) : 40);
	status = write_out(format, p, s);
	profile_free(p);
	stacks_free(s);
	return status;
}
