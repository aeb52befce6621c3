/* SPDX-License-Identifier: BSD-2-Clause */
/* What `krait record` was asked for: parsed, bounded and checked. */
#ifndef KRAIT_CMD_RECORD_OPTS_H
#define KRAIT_CMD_RECORD_OPTS_H

#include "cli/cli.h"
#include "format/format.h"

enum record_mode {
	MODE_CPU,  /* threads that run */
	MODE_WALL, /* all, whatever they do */
	MODE_GIL,  /* those that have the GIL */
};

enum record_idle { IDLE_SHOW, IDLE_SKIP };

/* Lists that are empty select everything. Where several are given, all of them must match. */
struct record_opts {
	uint64_t duration_ns; /* or NUM_UNLIMITED */
	uint64_t frequency;   /* samples a second of each CPU, 1..20000 */
	unsigned int mode;    /* enum record_mode */
	unsigned int idle;    /* enum record_idle */

	num_vec pids;
	bool subprocesses; /* of pids, also those that start later */
	num_vec tids;
	cli_names comms; /* of processes, at most 15 bytes each */
	num_vec uids;
	/* What runs there, and comes to run there. Where several are given, one of them must match. */
	cli_names containers, pods, units, cgroups;

	char **cmd; /* a program to start and to record, NULL-terminated, into argv; NULL: none */

	cli_words outputs; /* "-": standard output; empty: that, or of cmd a file named after it */
	unsigned int format; /* index into cmd_formats */
	cli_picks by;        /* enum dim, outermost first, each once; empty: no root frames */
	bool grouped;        /* --by was given */
	bool no_lines;
	bool full_paths;
	bool no_states; /* no leaf frames for what threads wait for */

	uint64_t max_depth;  /* frames a stack, 1..4096 */
	uint64_t max_procs;  /* processes known at once */
	uint64_t ring_size;  /* bytes; these four: 0: chosen from frequency and CPUs */
	uint64_t max_counts; /* distinct (thread, stack) pairs a second */
	uint64_t max_stacks;
	uint64_t max_codes;
	uint64_t max_memory; /* bytes; 0: chosen from what the host has */
	bool visit_all;

	unsigned int verbose; /* times given */
	bool quiet;
};

#endif
