/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options are lists of 64-bit numbers and strings; the filters in the kernel are maps with 32-bit keys and names
 * of a fixed size.
 */
#include "cmd/record/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"

/* The kernel's maps take 32-bit keys. */
static uint32_t *narrow(const num_vec *v)
{
	uint32_t *ids = calloc(v->len + 1, sizeof(*ids));

	for (size_t i = 0; ids && i < v->len; i++)
		ids[i] = v->at[i];
	return ids;
}

static char (*pad_comms(const cli_names *names))[WIRE_COMM]
{
	char(*comms)[WIRE_COMM] = calloc(names->len + 1, sizeof(*comms));

	for (size_t i = 0; comms && i < names->len; i++)
		strncpy(comms[i], names->at[i], WIRE_COMM - 1);
	return comms;
}

uint32_t record_filters(const struct record_opts *o)
{
	return (o->pids.len ? BY_PID : 0) | (o->tids.len ? BY_TID : 0) |
	       (o->comms.len ? BY_COMM : 0) | (o->uids.len ? BY_UID : 0) |
	       (o->containers.len || o->pods.len || o->units.len || o->cgroups.len ? BY_CGROUP
										   : 0) |
	       (o->subprocesses ? BY_CHILDREN : 0) | (o->cmd ? BY_PID | BY_CHILDREN : 0);
}

static uint32_t wall_of(const struct record_opts *o)
{
	static const uint32_t flags[] = {
		[MODE_CPU] = 0,
		[MODE_WALL] = WALL_CLOCK,
		[MODE_GIL] = WALL_CLOCK | WALL_GIL,
	};

	return flags[o->mode];
}

/* A command is recorded like --pid with its pid; the two options cannot be combined. */
static uint32_t *choose_pids(const struct record_opts *o, pid_t child)
{
	uint32_t *ids = narrow(&o->pids);

	if (ids && child)
		ids[0] = child;
	return ids;
}

struct session *record_capture(const struct record_opts *o, pid_t child, bool journal,
			       struct err *err)
{
	_free_ uint32_t *pids = choose_pids(o, child), *tids = narrow(&o->tids),
			*uids = narrow(&o->uids);
	_free_ char(*comms)[WIRE_COMM] = pad_comms(&o->comms);
	struct session_opts so = {
		.hz = o->frequency,
		.filters = record_filters(o),
		.wall = wall_of(o),
		.visit_all = o->visit_all,
		.native = o->native,
		.kernel = o->kernel,
		.tasks = o->tasks,
		.skip_parked = o->idle == IDLE_SKIP,
		.chosen = { .pids = pids,
			    .npids = child ? 1 : o->pids.len,
			    .tids = tids,
			    .ntids = o->tids.len,
			    .uids = uids,
			    .nuids = o->uids.len,
			    .comms = (const char(*)[WIRE_COMM])comms,
			    .ncomms = o->comms.len },
		.places = CMD_PLACES(o),
		.limits = { .max_depth = o->max_depth,
			    .max_procs = o->max_procs,
			    .max_counts = o->max_counts,
			    .max_stacks = o->max_stacks,
			    .max_codes = o->max_codes,
			    .ring_bytes = o->ring_size,
			    .max_memory = o->max_memory },
		.journal = journal,
		.debug = o->verbose > 1,
	};

	if (!pids || !tids || !uids || !comms) {
		err_set(err, -ENOMEM, "record: out of memory");
		return NULL;
	}
	return session_new(&so, err);
}
