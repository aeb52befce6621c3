/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface to krait's BPF programs and maps: sizes, loads and attaches them, and reads and
 * updates the maps. The only owner of the skeleton.
 */
#ifndef KRAIT_KERN_H
#define KRAIT_KERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/native.h"
#include "bpf/pylayout.h"
#include "bpf/wire.h"
#include "base/err.h"
#include "load/probe.h"

struct kern;

/* The values that pass the filters. A list is used if its bit of enum filter is set. */
struct kern_chosen {
	const uint32_t *pids, *tids, *uids;
	size_t npids, ntids, nuids;
	const char (*comms)[WIRE_COMM];
	size_t ncomms;
};

/*
 * Sizes are numbers of map entries; ring_bytes, ring_most and the config's sent_* must be powers of
 * two. All must be set.
 */
struct kern_opts {
	struct wire_config config;
	uint32_t max_procs, max_counts, max_threads;
	uint32_t ring_bytes, ring_most; /* of the first ring, and of the largest */
	struct kern_chosen chosen;
	bool native; /* walk native frames, too */
	bool kernel; /* take kernel frames, too */
	bool tasks;  /* read running asyncio tasks, too */
	bool debug;  /* print messages of libbpf and the verifier to stderr */
};

/* Loads the programs, fills the filters, attaches the lifecycle programs. NULL: see @err. */
struct kern *kern_new(const struct kern_opts *opts, const struct features *features,
		      struct err *err);
void kern_free(struct kern *k);

/*
 * Loads only the program of that name, with small maps, and unloads it again. 0 or -errno; -ENOENT:
 * no such program.
 */
int kern_try(const char *program);

/* The programs of wall-clock mode; all NULL unless opts->config.wall is set. */
struct kern_wall {
	volatile struct wire_wall *shared;
	struct bpf_program *visit; /* run it with a struct wire_visit; NULL: use visit_all */
	struct bpf_program *adopt; /* likewise; NULL: use adopt_all */
	struct bpf_program *visit_all, *adopt_all, *drain_all; /* iterators over all tasks */
	int knocks; /* descriptor of the ring that wakes the visitor */
};
struct kern_wall kern_wall(const struct kern *k);

/* Map task_places, which opts->tasks makes. 0 or -errno. */
int kern_set_place(struct kern *k, const struct proc_key *key, const struct task_place *p);
int kern_get_place(struct kern *k, const struct proc_key *key, struct task_place *ret);
int kern_del_place(struct kern *k, const struct proc_key *key);

/* The sampler, for perf_attach(). */
struct bpf_program;
struct bpf_program *kern_sampler(const struct kern *k);
int kern_cpus(const struct kern *k); /* possible CPUs */

/* Adds to the pid filter; also works while sampling. */
int kern_add_pid(struct kern *k, uint32_t tgid);
/* Is the process or thread in its filter? */
bool kern_has_pid(const struct kern *k, uint32_t tgid);
bool kern_has_tid(const struct kern *k, uint32_t tid);

/* Adds a cgroup and everything below it to the cgroup filter. */
int kern_add_cgroup(struct kern *k, const struct cgroup_key *key);

/* Calls @fn for every process on the host. 0 or -errno. */
int kern_list_tasks(struct kern *k, int (*fn)(void *ctx, const struct wire_task *task), void *ctx);
/* Calls @fn for process @tgid if it exists; kernels before 6.1 list all processes. 0 or -errno. */
int kern_list_task(struct kern *k, uint32_t tgid,
		   int (*fn)(void *ctx, const struct wire_task *task), void *ctx);

int kern_set_layout(struct kern *k, uint32_t index, const struct py_layout *layout);
/* @fresh: fails with -EEXIST if there is an entry already. */
int kern_set_proc(struct kern *k, const struct proc_key *key, const struct proc_info *info,
		  bool fresh);
int kern_get_proc(struct kern *k, const struct proc_key *key, struct proc_info *ret);
int kern_del_proc(struct kern *k, const struct proc_key *key);
/* The key after @key; after NULL or a deleted key, the first key. -ENOENT: no more. */
int kern_next_proc(struct kern *k, const struct proc_key *key, struct proc_key *ret);
/* The same for interpreter number @index (1...) of a process with several. */
int kern_set_more(struct kern *k, const struct proc_key *key, uint32_t index,
		  const struct proc_info *info);
int kern_get_more(struct kern *k, const struct proc_key *key, uint32_t index,
		  struct proc_info *ret);
int kern_del_more(struct kern *k, const struct proc_key *key, uint32_t index);

/*
 * Memory of the maps for native frames, shared with the kernel and with processes that are forked later. All
 * 0 unless opts->native is set.
 */
struct kern_native {
	struct native_map *maps;
	struct native_chunk *chunks;
	uint32_t n_maps, n_chunks;
	int pools; /* descriptor of the map of pools */
};
struct kern_native kern_native(const struct kern *k);
/* Makes pool number @i, also in a forked process. NULL: there is no room for it. */
struct native_pool *kern_native_pool(const struct kern_native *n, uint32_t i);
int kern_set_native(struct kern *k, const struct proc_key *key, const struct native_proc *p);
int kern_get_native(struct kern *k, const struct proc_key *key, struct native_proc *ret);
int kern_del_native(struct kern *k, const struct proc_key *key);

/* Facts shared by all processes that execute this file. */
int kern_set_program(struct kern *k, const struct file_id *file, const struct program *program);
int kern_get_program(struct kern *k, const struct file_id *file, struct program *ret);
int kern_del_program(struct kern *k, const struct file_id *file);

/* Swaps the live and the quiet count set; returns when no program uses the old live set any more. */
int kern_swap(struct kern *k);
/* Removes all entries from the quiet set and passes them to @fn. 0 or -errno. */
int kern_drain(struct kern *k, int (*fn)(void *ctx, const struct count_key *key, uint64_t n),
	       void *ctx);

/* @ret has kern_cpus() elements. */
int kern_stats(struct kern *k, struct wire_stats *ret);

int kern_ring_map(const struct kern *k);
size_t kern_ring_bytes(const struct kern *k);
/*
 * Makes a ring of twice the size, which the programs use from now on; returns when none uses the old
 * one any more. The old ring's descriptor, which the caller closes, or -errno: nothing has changed
 * (-EFBIG: it would be larger than ring_most).
 */
int kern_grow_ring(struct kern *k);
int kern_events_map(const struct kern *k);

#endif
