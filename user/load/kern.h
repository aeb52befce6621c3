/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side as the session sees it: maps that are sized, programs that are loaded and
 * attached, and what can be asked of them. The only owner of the skeleton.
 */
#ifndef KRAIT_KERN_H
#define KRAIT_KERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/pylayout.h"
#include "bpf/wire.h"
#include "base/err.h"
#include "load/probe.h"

struct kern;

/* What the filters let through; a list counts where its bit of enum filter is set. */
struct kern_chosen {
	const uint32_t *pids, *tids, *uids;
	size_t npids, ntids, nuids;
	const char (*comms)[WIRE_COMM];
	size_t ncomms;
};

/* Sizes are entries of maps, ring_bytes and the config's sent_* powers of two; all must be set. */
struct kern_opts {
	struct wire_config config;
	uint32_t max_procs, max_counts, max_threads;
	uint32_t ring_bytes;
	struct kern_chosen chosen;
	bool debug; /* let libbpf and the verifier talk on stderr */
};

/* Loads, fills the filters, attaches the lifecycle programs. NULL: @err says why. */
struct kern *kern_new(const struct kern_opts *opts, const struct features *features,
		      struct err *err);
void kern_free(struct kern *k);

/*
 * Loads the program of that name alone, with small maps, and forgets it. 0 or -errno; -ENOENT: there
 * is no such program.
 */
int kern_try(const char *program);

/* The parts of wall-clock mode, where opts->config.wall asked for it; else all NULL. */
struct kern_wall {
	volatile struct wire_wall *shared;
	struct bpf_program
		*visit; /* to be run with a struct wire_visit; NULL: there is visit_all */
	struct bpf_program *adopt;                             /* the same */
	struct bpf_program *visit_all, *adopt_all, *drain_all; /* iterators over all tasks */
};
struct kern_wall kern_wall(const struct kern *k);

/* The sampler, for perf_attach(). */
struct bpf_program;
struct bpf_program *kern_sampler(const struct kern *k);
int kern_cpus(const struct kern *k); /* possible CPUs */

/* Adds to the pid filter while it is in use. */
int kern_add_pid(struct kern *k, uint32_t tgid);
/* Are they in the filters? */
bool kern_has_pid(const struct kern *k, uint32_t tgid);
bool kern_has_tid(const struct kern *k, uint32_t tid);

/* Adds to the cgroup filter: this one and all that is below it. */
int kern_add_cgroup(struct kern *k, const struct cgroup_key *key);

/* Calls @fn for every process of the host, as the task iterator lists them. 0 or -errno. */
int kern_list_tasks(struct kern *k, int (*fn)(void *ctx, const struct wire_task *task), void *ctx);
/* For process @tgid, if there is one; kernels before 6.1 cannot choose, and list all. 0 or -errno. */
int kern_list_task(struct kern *k, uint32_t tgid,
		   int (*fn)(void *ctx, const struct wire_task *task), void *ctx);

int kern_set_layout(struct kern *k, uint32_t index, const struct py_layout *layout);
/* @fresh: only if there is no entry yet (-EEXIST). */
int kern_set_proc(struct kern *k, const struct proc_key *key, const struct proc_info *info,
		  bool fresh);
int kern_get_proc(struct kern *k, const struct proc_key *key, struct proc_info *ret);
int kern_del_proc(struct kern *k, const struct proc_key *key);
/* The key after @key (NULL: the first); one that was deleted has the first one after it. -ENOENT: none. */
int kern_next_proc(struct kern *k, const struct proc_key *key, struct proc_key *ret);
/* Of interpreter number @index (1...) of a process with several. */
int kern_set_more(struct kern *k, const struct proc_key *key, uint32_t index,
		  const struct proc_info *info);
int kern_get_more(struct kern *k, const struct proc_key *key, uint32_t index,
		  struct proc_info *ret);
int kern_del_more(struct kern *k, const struct proc_key *key, uint32_t index);

/* What all processes have in common that execute this file. */
int kern_set_program(struct kern *k, const struct file_id *file, const struct program *program);
int kern_get_program(struct kern *k, const struct file_id *file, struct program *ret);
int kern_del_program(struct kern *k, const struct file_id *file);

/* Makes the quiet count set the live one; returns when no program uses the old one any more. */
int kern_swap(struct kern *k);
/* Takes everything out of the quiet set. 0 or -errno. */
int kern_drain(struct kern *k, int (*fn)(void *ctx, const struct count_key *key, uint64_t n),
	       void *ctx);

/* @ret has kern_cpus() elements. */
int kern_stats(struct kern *k, struct wire_stats *ret);

int kern_ring_map(const struct kern *k);
int kern_events_map(const struct kern *k);

#endif
