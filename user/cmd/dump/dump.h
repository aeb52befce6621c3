/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of `krait dump`, and how it prints snapshots. */
#ifndef KRAIT_CMD_DUMP_H
#define KRAIT_CMD_DUMP_H

#include <time.h>

#include "base/buf.h"
#include "base/jsonwrite.h"
#include "cli/cli.h"
#include "session/snapshot.h"
#include "session/survey.h"

struct dump_opts {
	num_vec pids;
	bool all;
	cli_names comms; /* of processes, at most 15 bytes each */
	num_vec uids;
	cli_names containers, pods, units, cgroups;
	cli_names threads; /* patterns of names of threads */
	bool source, locals, tasks;
	uint64_t watch; /* seconds between two snapshots; 0: one is enough */
	bool json;
};

/* The exit status. */
int dump_run_all(const struct dump_opts *o);

/* A process with its snapshot. */
struct dump_one {
	const struct survey_process *process;
	struct snapshots *snapshots; /* for the frames */
	bool source, locals, tasks;  /* print source lines, variables, asyncio tasks */
	const struct snapshot *snapshot;
};

/* A line with the time, before the processes of one of several snapshots. */
void dump_text_time(struct timespec when, struct buf *out);
/* Text for people: a head for the process, then each thread with its frames, leaf first. */
void dump_text(const struct dump_one *one, struct buf *out);

/* Their part of dump_text(): the tasks of each event loop as a tree, each below the one that awaits it. */
void dump_text_tasks(const struct dump_one *one, struct buf *out);
/* A frame with its source line, indented by @indent columns. */
void dump_text_frame(const struct dump_one *one, const struct frame *f, size_t indent,
		     struct buf *out);
/* A thread: its tid and name. */
void dump_text_name(const struct snapshot_thread *t, struct buf *out);

/* One JSON document: begins, a process each, ends. krait-formats(5) explains the fields. */
void dump_json_begin(struct jsonwrite *j);
void dump_json(const struct dump_one *one, struct jsonwrite *j);
/* Its part of dump_json(): the list of tasks. */
void dump_json_tasks(const struct dump_one *one, struct jsonwrite *j);
/* The fields of a frame, without its variables. */
void dump_json_frame(const struct dump_one *one, const struct frame *f, struct jsonwrite *j);
/* A process that could not be read. */
void dump_json_unread(const struct survey_process *p, const char *reason, struct jsonwrite *j);
void dump_json_end(struct jsonwrite *j, uint32_t refused);

#endif
