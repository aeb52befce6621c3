/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps that more than one program uses. maps.bpf.c defines them, with MAP empty; other files
 * see them as extern. The sizes are defaults that the loader changes.
 */
#ifndef KRAIT_MAPS_BPF_H
#define KRAIT_MAPS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "wire.h"
#include "pylayout.h"

#ifndef MAP
#define MAP extern
#endif

extern const volatile struct wire_config cfg;
extern struct wire_wall wall;

/* Every process seen. Entries come from the loader, from fork (a copy of the parent's), from the
 * first sample (as PROC_PENDING), from exec of a known program, and from the first sample after that
 * program's library is mapped. Exec deletes an entry, and so does the loader after the exit event.
 * If the map is full, the sample counts as FATE_PROCS_FULL. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct proc_key);
	__type(value, struct proc_info);
	__uint(max_entries, 32768);
} procs SEC(".maps");

/* For the few processes with several interpreters. Written like procs; only the loader deletes. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct interp_key);
	__type(value, struct proc_info);
	__uint(max_entries, 1024);
} more_interps SEC(".maps");

/* Executables known to be Python, or known not to be. Only the loader writes; an evicted entry is
 * learned again. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct file_id);
	__type(value, struct program);
	__uint(max_entries, 1024);
} programs SEC(".maps");

/* struct wire_event, wire_cgroup: rare, wakes the loader. If it is full (NOTE_EVENT_LOST), the
 * loader looks at all processes. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/* Only the loader writes; a row never changes once it is used. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct py_layout);
	__uint(max_entries, WIRE_MAX_LAYOUTS);
} layouts SEC(".maps");

struct count_set {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(key_size, sizeof(struct count_key));
	__uint(value_size, sizeof(u64));
	__uint(max_entries, 1);
};

/*
 * The loader makes two of them, swaps them once a second and drains the one that is not in slot 0:
 * slot 0 is the live one.
 */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct count_set);
} count_sets SEC(".maps");

/*
 * Two-way caches of the ids of stacks and code objects that were sent (each id has two neighbouring
 * slots): an array look-up is one load, and an evicted id is only sent again.
 */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 2);
} sent_stacks SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 2);
} sent_codes SEC(".maps");

struct thread_key {
	u64 start_ns; /* of the process */
	u32 tid;
	u32 exec_id;
};

struct thread_name {
	char comm[WIRE_COMM];
};

/* The life of each thread that was last sent: a thread that renames itself is sent again. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct thread_key);
	__type(value, u64);
	__uint(max_entries, 16384);
} sent_threads SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
};

/*
 * struct wire_stack, wire_code, wire_thread. The loader makes the ring, and puts a larger one into its
 * place when it finds it half full.
 */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct ring);
} rings SEC(".maps");

/* 0, or -errno: the ring is full. */
static __always_inline long ring_send(const void *record, u64 len)
{
	u32 zero = 0;
	void *ring = bpf_map_lookup_elem(&rings, &zero);

	return ring ? bpf_ringbuf_output(ring, (void *)record, len, BPF_RB_NO_WAKEUP) : -1;
}

enum { WANTED_CODES = 16 }; /* of one sample; a power of two */

struct wanted_code {
	u64 id, addr;
};

/* Memory that a sample could not read because it was not resident. */
struct wanted {
	struct proc_key proc;
	u64 page; /* address at which the walk failed; 0: none */
	u32 layout;
	u32 count;
	struct wanted_code codes[WANTED_CODES];
};

/* One per CPU, for the sample that runs. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct wanted);
	__uint(max_entries, 1); /* CPUs */
} wanted SEC(".maps");

/* The program that has the task read wanted memory (faulting.bpf.h); empty on older kernels. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
} after SEC(".maps");

/* tgids of -p; fork adds children (-s). */
MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, u8);
	__uint(max_entries, 32768);
} filter_pid SEC(".maps");

/* Chosen cgroups: one must be the task's or an ancestor of it. Only the loader writes. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct cgroup_key);
	__type(value, u8);
	__uint(max_entries, 1);
} filter_cgroup SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, u8);
	__uint(max_entries, 1024);
} filter_tid SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, u8);
	__uint(max_entries, 1024);
} filter_uid SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct thread_name);
	__type(value, u8);
	__uint(max_entries, 1024);
} filter_comm SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, u32);
	__type(value, struct wire_stats);
	__uint(max_entries, 1);
} stats SEC(".maps");

#endif
