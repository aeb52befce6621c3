/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a synthetic recording of a large host to FILE, second by second as krait record -o
 * FILE.krait does.
 *
 *	recording PROCESSES SECONDS SAMPLES STACKS >FILE
 *
 * Each second has SAMPLES samples; each process has STACKS distinct stacks of 10 to 50 frames, of
 * which the first are much more frequent than the last. A summary goes to standard error.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "format/krait/store.h"
#include "model/profile.h"
#include "model/stacks.h"

enum { FUNCTIONS = 5000, LINES = 8, FILES = 400 };

struct made {
	struct profile *profile;
	struct stacks *stacks;
	struct store *store;
	uint32_t processes, per_process;
	uint32_t *nodes; /* of each process */
	uint64_t bytes;
};

static uint64_t seed = 88172645463325252;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 16) % n;
}

/* Small numbers are more frequent: the k-th about 1/k times as frequent as the first. */
static uint32_t skewed(uint32_t n)
{
	return below(below(below(n) + 1) + 1);
}

static void resolve(void *ctx, uint32_t id, struct frame *ret)
{
	static char name[64], file[64];
	uint32_t function = id / LINES;

	snprintf(name, sizeof(name), "Module%u.function_%u", function % 97, function);
	snprintf(file, sizeof(file), "/srv/app/package_%u/module_%u.py", function % FILES / 20,
		 function % FILES);
	*ret = (struct frame){ name, file, 10 + (int)(id % LINES) * 3, FRAME_PYTHON, false };
}

/* Processes run one of ten programs; stacks of one program have common callers. */
static uint32_t make_stack(struct made *m, uint32_t program)
{
	uint32_t depth = 10 + below(41), node = STACKS_ROOT, function = program * 131;

	for (uint32_t i = 0; i < depth; i++) {
		function = (function * 31 + skewed(4)) % FUNCTIONS;
		node = stacks_push(m->stacks, node, function * LINES + skewed(LINES));
	}
	return node;
}

static void make_processes(struct made *m)
{
	for (uint32_t i = 0; i < m->processes; i++) {
		char comm[16];
		uint32_t process;

		snprintf(comm, sizeof(comm), "program-%u", i % 10);
		process = profile_add_process(m->profile, 1000 + i, comm);
		profile_set_process_version(m->profile, process, 0x030b, "");
		profile_add_thread(m->profile, process, 1000 + i, comm);
		for (uint32_t j = 0; j < m->per_process; j++)
			m->nodes[i * m->per_process + j] = make_stack(m, i % 10);
	}
}

static void flush(struct made *m, struct buf *b)
{
	m->bytes += b->len;
	if (fwrite(b->data, 1, b->len, stdout) != b->len) {
		perror("standard output");
		exit(1);
	}
	buf_clear(b);
}

static void make_second(struct made *m, uint32_t second, uint32_t samples, struct buf *b)
{
	profile_set_time(m->profile, second * 1000000000ULL);
	for (uint32_t i = 0; i < samples; i++) {
		uint32_t p = below(m->processes);

		profile_count(m->profile, p, m->nodes[p * m->per_process + skewed(m->per_process)],
			      0, 1);
	}
	store_append(m->store, m->profile, m->stacks, second * 1000ULL, b);
	flush(m, b);
}

int main(int argc, char **argv)
{
	struct profile_meta meta = { .host = "made-up",
				     .mode = "cpu",
				     .event = "cpu-clock",
				     .unit = "samples",
				     .asked_hz = 99,
				     .started = { 1700000000, 0 } };
	struct made m = { .profile = profile_new(), .stacks = stacks_new(), .store = store_new() };
	uint32_t seconds, samples;
	struct buf b = {};

	if (argc != 5)
		return 2;
	m.processes = atoi(argv[1]);
	seconds = atoi(argv[2]);
	samples = atoi(argv[3]);
	m.per_process = atoi(argv[4]);
	m.nodes = calloc((size_t)m.processes * m.per_process + 1, sizeof(*m.nodes));
	if (!m.nodes || !m.profile || !m.stacks || !m.store || !m.processes || !m.per_process)
		return 1;
	meta.seconds = seconds;
	profile_set_meta(m.profile, &meta);
	profile_set_resolver(m.profile, resolve, NULL);
	make_processes(&m);
	for (uint32_t i = 0; i < seconds; i++)
		make_second(&m, i, samples, &b);
	store_end(m.store, &b);
	flush(&m, &b);
	fprintf(stderr,
		"%u processes, %u s, %u samples, %zu rows (process and stack), %u nodes: %" PRIu64
		" bytes, %.0f a second, %.1f a row\n",
		m.processes, seconds, seconds * samples, profile_rows(m.profile),
		stacks_count(m.stacks), m.bytes, (double)m.bytes / seconds,
		(double)m.bytes / profile_rows(m.profile));
	return 0;
}
