/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One recording in memory: its processes and threads, how often each stack was sampled, and what was lost.
 * It does no I/O and knows neither the kernel nor Python. Stacks are node numbers of a struct stacks that
 * the caller keeps; frames are numbers that a resolver turns into text.
 *
 *	process 0 (pid 41, web) <--- thread 0 (tid 41) <--- {thread 0, node 7, state 0}: 120
 *			        \--- thread 1 (tid 44) <--- {thread 1, node 7, state 2}:   3
 *
 * Processes, threads, states and containers are numbered from 0 without holes; nothing is ever removed.
 *
 * Each count is also kept over time, in bins of one width for the whole recording. There are at most
 * PROFILE_BINS: when a count falls beyond the last one, the width doubles and neighbouring bins are merged,
 * so a long recording has coarser bins, not more of them.
 */
#ifndef KRAIT_PROFILE_H
#define KRAIT_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "model/frame.h"
#include "model/state.h"

#define PROFILE_NONE UINT32_MAX /* no index: out of memory */
#define PROFILE_BINS 256        /* a long recording uses at least half of them */
#define PROFILE_COMM 16         /* bytes of a kernel task name, its NUL among them */
#define PROFILE_NAME 56         /* bytes of a thread's name, its NUL among them */

/* How the recording was made. Readers must take these from here and not assume them. */
struct profile_meta {
	char host[64];      /* host name */
	char mode[16];      /* "cpu": running threads; "wall": all threads */
	char event[32];     /* "cpu-clock" */
	char unit[16];      /* of the weights: "samples" */
	double asked_hz;    /* per CPU: rate of the timer; in wall-clock mode a little below -F */
	double achieved_hz; /* per CPU */
	struct timespec started; /* CLOCK_REALTIME */
	double seconds;
	char krait[32]; /* version of the recorder */
	uint64_t boot;  /* identifies this boot of this host; 0: unknown */
};

/* Where a process runs. "": the field is unknown or does not apply. */
struct container {
	const char *id;   /* full id; "": not in a container, directly on the host */
	const char *name; /* as given by the user or the engine */
	const char *engine, *image;
	const char *pod, *ns; /* Kubernetes: name of the pod and of its namespace */
	const char *pod_uid;
	const char *unit;   /* systemd unit: "nginx.service" */
	const char *labels; /* format: model/labels.h */
};

struct process {
	uint32_t pid;
	uint32_t container;      /* for profile_container() */
	char comm[PROFILE_COMM]; /* always NUL-terminated, hostile bytes */
	uint16_t version;        /* of CPython: 0x030b is 3.11, 0 unknown */
	const char *flavour;     /* suffix of the version: "", "t", "d", ... */
	uint64_t samples;        /* total weight of its threads */
	uint64_t start; /* start time, ns since its host booted; exec keeps it; 0: unknown */
	uint64_t boot;  /* host and boot it ran on; 0: same as the recording's meta */
};

/* A thread under one name. After it renames itself, it is a second entry with the same tid and start. */
struct thread {
	uint32_t process;
	uint32_t tid;
	char comm[PROFILE_NAME]; /* as in struct process; longer if @named */
	bool named;              /* it is the name that the program gave to its Thread object */
	uint64_t start;          /* as in struct process */
};

struct profile_row {
	uint32_t process;
	uint32_t thread;
	uint32_t node;
	uint32_t state;  /* for profile_state() */
	uint32_t series; /* for profile_each_bin() */
	uint64_t weight;
};

/* The weight of one row in one bin. */
struct profile_bin {
	uint32_t bin; /* from 0; it begins at bin * profile_bin_ns() */
	uint64_t weight;
};

/* One way in which samples were lost or cut. */
struct profile_loss {
	const char *name; /* its key: "ring-full" */
	const char *text; /* description for users */
	uint64_t count;
};

typedef void profile_resolver(void *ctx, uint32_t frame_id, struct frame *ret);

struct profile;

/* NULL: out of memory. Free with profile_free(). */
struct profile *profile_new(void);
/*
 * A copy of @p without counts: same meta, processes, threads, states, losses and resolver, same numbers. @p must
 * outlive it. NULL: out of memory.
 */
struct profile *profile_like(const struct profile *p);
/* NULL is fine. */
void profile_free(struct profile *p);
static inline void profile_freep(struct profile **p)
{
	profile_free(*p);
}

void profile_set_meta(struct profile *p, const struct profile_meta *meta);
const struct profile_meta *profile_meta(const struct profile *p);
/* Was it recorded in a mode that also counts off-CPU threads, each sample with a thread state? */
bool profile_counts_waits(const struct profile *p);
/* Is the kind of code known that samples ran? Older versions did not record it. */
bool profile_tells_leaves(const struct profile *p);
/* Is the asyncio task known of any sample? */
bool profile_tells_tasks(const struct profile *p);

/*
 * Adds a new process on every call: the caller decides whether a pid is still the same process.
 * Here and below, @comm is read up to a NUL or 15 bytes. PROFILE_NONE: out of memory.
 */
uint32_t profile_add_process(struct profile *p, uint32_t pid, const char *comm);
void profile_set_process_comm(struct profile *p, uint32_t process, const char *comm);
/* @flavour is not copied and must live as long as the profile. */
void profile_set_process_version(struct profile *p, uint32_t process, uint16_t version,
				 const char *flavour);
void profile_set_process_container(struct profile *p, uint32_t process, uint32_t container);
/* Valid until the next profile_add_process(). */
const struct process *profile_process(const struct profile *p, uint32_t process);
uint32_t profile_processes(const struct profile *p);

/* @start and @boot tell processes with the same pid apart: the pid was reused, or is of another host. */
void profile_set_process_start(struct profile *p, uint32_t process, uint64_t start, uint64_t boot);

/* The index of (@process, @tid), made with this @comm if it is new. PROFILE_NONE: out of memory. */
uint32_t profile_add_thread(struct profile *p, uint32_t process, uint32_t tid, const char *comm);
/* The same with a @life, by which the caller tells entries of one tid apart; profile_add_thread() uses 0. */
uint32_t profile_add_life(struct profile *p, uint32_t process, uint32_t tid, uint64_t life,
			  const char *comm);
bool profile_has_life(const struct profile *p, uint32_t process, uint32_t tid, uint64_t life);
void profile_set_thread_comm(struct profile *p, uint32_t thread, const char *comm);
/* Sets the name that the program gave to the thread. It is cut to PROFILE_NAME - 1 bytes of whole characters. */
void profile_name_thread(struct profile *p, uint32_t thread, const char *name);
void profile_set_thread_start(struct profile *p, uint32_t thread, uint64_t start);
/* Valid until the next profile_add_thread(). */
const struct thread *profile_thread(const struct profile *p, uint32_t thread);
uint32_t profile_threads(const struct profile *p);

/*
 * Adds a new container on every call; the strings are copied, NULL is stored as "". Container 0 always
 * exists, for processes whose container is unknown. PROFILE_NONE: out of memory.
 */
uint32_t profile_add_container(struct profile *p, const struct container *c);
/* Replaces what is known of it. 0 or -ENOMEM. */
int profile_set_container(struct profile *p, uint32_t container, const struct container *c);
/* Valid until the next profile_add_container(); its strings live as long as @p. */
const struct container *profile_container(const struct profile *p, uint32_t container);
uint32_t profile_containers(const struct profile *p);

/*
 * The index of the state that equals @state, added if it is new; its texts are copied. State 0 always exists:
 * running, GIL and leaf unknown. PROFILE_NONE: out of memory.
 */
uint32_t profile_add_state(struct profile *p, const struct state *state);
/* Valid until the next profile_add_state(). */
const struct state *profile_state(const struct profile *p, uint32_t state);
uint32_t profile_states(const struct profile *p);

/* Later counts happened @ns after the start of the recording; initially 0. Times may go back. */
void profile_set_time(struct profile *p, uint64_t ns);
/* The width of a bin, and the number of bins up to the latest time that was set. */
uint64_t profile_bin_ns(const struct profile *p);
uint32_t profile_bins(const struct profile *p);

/* Adds @weight to the stack @node on @thread in @state. 0 or -ENOMEM. */
int profile_count(struct profile *p, uint32_t thread, uint32_t node, uint32_t state,
		  uint64_t weight);
/* Iterates over all rows. Start with *@pos = 0; false: end. No profile_count() meanwhile. */
bool profile_each(const struct profile *p, size_t *pos, struct profile_row *ret);
/* Iterates over the non-empty bins of a row, latest first. Start with *@pos = 0; false: end. */
bool profile_each_bin(const struct profile *p, const struct profile_row *row, uint32_t *pos,
		      struct profile_bin *ret);
/* The number of rows; profile_each() returns them in the order in which they were first counted. */
size_t profile_rows(const struct profile *p);

/* Memory used. */
size_t profile_bytes(const struct profile *p);
/* Saves memory from now on: later counts of a known row get no new bin but are added to its latest one. */
void profile_freeze(struct profile *p);

/* Adds or replaces the loss @name. The strings are not copied: pass constants. 0 or -ENOMEM. */
int profile_set_loss(struct profile *p, const char *name, const char *text, uint64_t count);
/* All losses in the order in which they were first set; *@n: how many. Valid until the next profile_set_loss(). */
const struct profile_loss *profile_losses(const struct profile *p, size_t *n);

/* @ctx remains the caller's and must outlive all calls of profile_frame(). */
void profile_set_resolver(struct profile *p, profile_resolver *fn, void *ctx);
/* The text of a frame, valid until the next call; its name is "?" if there is no resolver or no name. */
void profile_frame(const struct profile *p, uint32_t frame_id, struct frame *ret);

#endif
