/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of `krait record`, parsed and checked. */
#ifndef KRAIT_CMD_RECORD_OPTS_H
#define KRAIT_CMD_RECORD_OPTS_H

#include "cli/cli.h"
#include "format/format.h"

enum record_mode {
	MODE_CPU,  /* running threads */
	MODE_WALL, /* all threads */
	MODE_GIL,  /* threads that hold the GIL */
};

enum record_idle { IDLE_SHOW, IDLE_SKIP };

/* An empty list selects everything. If several lists are given, a process must match all of them. */
struct record_opts {
	uint64_t duration_ns; /* or NUM_UNLIMITED */
	uint64_t frequency;   /* sampling rate per CPU in Hz, 1..20000 */
	unsigned int mode;    /* enum record_mode */
	unsigned int idle;    /* enum record_idle */

	unsigned int native; /* how many times it was given */
	bool kernel;

	num_vec pids;
	bool subprocesses; /* include descendants of pids, also later ones */
	num_vec tids;
	cli_names threads; /* patterns of names of threads */
	cli_names comms;   /* of processes, at most 15 bytes each */
	num_vec uids;
	/* Processes in any of these, now or later: of these four lists, one match is enough. */
	cli_names containers, pods, units, cgroups;

	char **cmd; /* command to start and record, NULL-terminated, into argv; NULL: none */

	cli_words outputs; /* "-": standard output; empty: that, or for cmd a file named after it */
	unsigned int format; /* index into cmd_formats */
	cli_picks by;        /* enum dim, outermost first, each once; empty: no root frames */
	bool grouped;        /* --by was given */
	bool tasks;          /* by has DIM_TASK */
	bool no_lines;
	bool full_paths;
	bool no_states; /* no leaf frames for thread states */

	uint64_t max_depth;  /* frames per stack, 1..4096 */
	uint64_t max_procs;  /* size of the process table */
	uint64_t ring_size;  /* bytes; this and the next three: 0: from frequency and CPUs */
	uint64_t max_counts; /* distinct (thread, stack) pairs per second */
	uint64_t max_stacks;
	uint64_t max_codes;
	uint64_t max_memory; /* bytes; 0: chosen from the host's memory */
	bool visit_all;

	unsigned int verbose; /* how many times it was given */
	bool quiet;
};

#endif
