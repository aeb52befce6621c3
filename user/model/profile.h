/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One recording as data: who ran, which stacks were seen how often, and what was lost. It does no
 * I/O and knows neither the kernel nor Python; stacks are nodes of a struct stacks that lies beside
 * it, frames are numbers that a resolver turns into text.
 *
 *	process 0 (pid 41, web) <--- thread 0 (tid 41) <--- {thread 0, node 7, state 0}: 120
 *			        \--- thread 1 (tid 44) <--- {thread 1, node 7, state 2}:   3
 *
 * Processes, threads, states and containers are indices from 0 without holes; nothing is ever removed.
 *
 * Each count also has a course over time, in bins of one width for the whole recording. There are at most
 * PROFILE_BINS: where a count comes from beyond them, the width doubles and neighbours become one, so a
 * long recording has coarser bins, not more of them.
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
#define PROFILE_BINS 256        /* of time; at least half of them are used in a long recording */
#define PROFILE_COMM 16         /* bytes of a kernel task name, its NUL among them */

/* What was recorded: facts of the recording, which no reader may assume. */
struct profile_meta {
	char host[64];      /* its name */
	char mode[16];      /* "cpu": threads that run; "wall": all of them */
	char event[32];     /* "cpu-clock" */
	char unit[16];      /* of the weights: "samples" */
	double asked_hz;    /* per CPU: that of the clock; of wall-clock mode, a little below -F */
	double achieved_hz; /* per CPU */
	struct timespec started; /* CLOCK_REALTIME */
	double seconds;
	char krait[32]; /* version of the recorder */
	uint64_t boot;  /* a number that no other boot of any host has; 0: unknown */
};

/* Where a process runs. What is "" is not known, or there is none. */
struct container {
	const char *id;   /* whole; "": of the host, in no container */
	const char *name; /* what people call it */
	const char *engine, *image;
	const char *pod, *ns; /* of Kubernetes: names of the pod and of its namespace */
	const char *pod_uid;
	const char *unit;   /* of systemd: "nginx.service" */
	const char *labels; /* as in model/labels.h */
};

struct process {
	uint32_t pid;
	uint32_t container;      /* for profile_container() */
	char comm[PROFILE_COMM]; /* always NUL-terminated, hostile bytes */
	uint16_t version;        /* of CPython: 0x030b is 3.11, 0 unknown */
	const char *flavour;     /* what goes behind the version: "", "t", "d", ... */
	uint64_t samples;        /* weight counted on its threads */
	uint64_t start;          /* ns since its host booted; survives exec; 0: unknown */
	uint64_t boot;           /* says of which host and boot; 0: the recording's own */
};

/* By one of its names: what it does under another one is another thread with the same tid and start. */
struct thread {
	uint32_t process;
	uint32_t tid;
	char comm[PROFILE_COMM];
	uint64_t start; /* as a process' */
};

struct profile_row {
	uint32_t process;
	uint32_t thread;
	uint32_t node;
	uint32_t state;  /* for profile_state() */
	uint32_t series; /* for profile_each_bin() */
	uint64_t weight;
};

/* What a row has of one bin. */
struct profile_bin {
	uint32_t bin; /* from 0; it begins at bin * profile_bin_ns() */
	uint64_t weight;
};

/* One way in which samples were lost or cut. */
struct profile_loss {
	const char *name; /* its key: "ring-full" */
	const char *text; /* for people */
	uint64_t count;
};

typedef void profile_resolver(void *ctx, uint32_t frame_id, struct frame *ret);

struct profile;

/* NULL: out of memory. Free with profile_free(). */
struct profile *profile_new(void);
/*
 * With the meta, processes, threads, states, losses and resolver of @p, with the same numbers, and no counts; @p must
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
/* Does it count threads that are off CPU, too, each sample with its state? */
bool profile_counts_waits(const struct profile *p);

/*
 * A new process each time: whether a pid is still the same process is the caller's knowledge.
 * Of a @comm, here and below, 15 bytes are read, or fewer up to a NUL. PROFILE_NONE: out of memory.
 */
uint32_t profile_add_process(struct profile *p, uint32_t pid, const char *comm);
void profile_set_process_comm(struct profile *p, uint32_t process, const char *comm);
/* @flavour must live as long as the profile is read. */
void profile_set_process_version(struct profile *p, uint32_t process, uint16_t version,
				 const char *flavour);
void profile_set_process_container(struct profile *p, uint32_t process, uint32_t container);
/* Valid until the next profile_add_process(). */
const struct process *profile_process(const struct profile *p, uint32_t process);
uint32_t profile_processes(const struct profile *p);

/* Both may say that they have the same pid: that it is used again, or of another host, is what these tell. */
void profile_set_process_start(struct profile *p, uint32_t process, uint64_t start, uint64_t boot);

/* The index of (@process, @tid), made with this @comm if it is new. PROFILE_NONE: out of memory. */
uint32_t profile_add_thread(struct profile *p, uint32_t process, uint32_t tid, const char *comm);
/* The same of (@process, @tid, @life), of which the caller knows when two are one; above, it is 0. */
uint32_t profile_add_life(struct profile *p, uint32_t process, uint32_t tid, uint64_t life,
			  const char *comm);
bool profile_has_life(const struct profile *p, uint32_t process, uint32_t tid, uint64_t life);
void profile_set_thread_comm(struct profile *p, uint32_t thread, const char *comm);
void profile_set_thread_start(struct profile *p, uint32_t thread, uint64_t start);
/* Valid until the next profile_add_thread(). */
const struct thread *profile_thread(const struct profile *p, uint32_t thread);
uint32_t profile_threads(const struct profile *p);

/*
 * A new container each time; the strings are copied, and NULL is "". Container 0 is there from the
 * beginning: where it is not known in what a process runs. PROFILE_NONE: out of memory.
 */
uint32_t profile_add_container(struct profile *p, const struct container *c);
/* What is known now. 0 or -ENOMEM. */
int profile_set_container(struct profile *p, uint32_t container, const struct container *c);
/* Valid until the next profile_add_container(), its strings as long as @p. */
const struct container *profile_container(const struct profile *p, uint32_t container);
uint32_t profile_containers(const struct profile *p);

/*
 * The index of what @state says; its call is copied. State 0 is there from the beginning: running, and
 * nothing known of the GIL. PROFILE_NONE: out of memory.
 */
uint32_t profile_add_state(struct profile *p, const struct state *state);
/* Valid until the next profile_add_state(). */
const struct state *profile_state(const struct profile *p, uint32_t state);
uint32_t profile_states(const struct profile *p);

/* What is counted from now on happened @ns after the recording began; 0 at first. Any order is fine. */
void profile_set_time(struct profile *p, uint64_t ns);
/* Width of a bin, and the bins from the first to the last one that was set. */
uint64_t profile_bin_ns(const struct profile *p);
uint32_t profile_bins(const struct profile *p);

/* Adds @weight to the stack @node on @thread in @state. 0 or -ENOMEM. */
int profile_count(struct profile *p, uint32_t thread, uint32_t node, uint32_t state,
		  uint64_t weight);
/* Each (thread, node, state) once. Start with *@pos = 0; false at the end. No profile_count() meanwhile. */
bool profile_each(const struct profile *p, size_t *pos, struct profile_row *ret);
/* The bins of a row in which it was counted, the last one first. Start with *@pos = 0; false at the end. */
bool profile_each_bin(const struct profile *p, const struct profile_row *row, uint32_t *pos,
		      struct profile_bin *ret);
/* Rows that profile_each() gives, always in the order in which they were first counted. */
size_t profile_rows(const struct profile *p);

/* Memory that it uses. */
size_t profile_bytes(const struct profile *p);
/* Spares memory from now on: further counts of a row keep their weight, but are added to its last bin. */
void profile_freeze(struct profile *p);

/* Replaces the loss of that name. The strings are not copied: constants. 0 or -ENOMEM. */
int profile_set_loss(struct profile *p, const char *name, const char *text, uint64_t count);
/* In the order in which they were first set; *@n of them. Valid until the next profile_set_loss(). */
const struct profile_loss *profile_losses(const struct profile *p, size_t *n);

/* @ctx stays the caller's and must live as long as frames are asked for. */
void profile_set_resolver(struct profile *p, profile_resolver *fn, void *ctx);
/* The text of a frame, valid until the next call; without a resolver, or without a name, "?". */
void profile_frame(const struct profile *p, uint32_t frame_id, struct frame *ret);

#endif
