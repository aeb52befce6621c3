/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps that more than one program uses. maps.bpf.c defines them with MAP(x) empty, the others
 * see them as extern; the sizes are defaults that the loader changes.
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

/* Every process that was seen. Written by the loader, by fork (a copy of the parent's) and, as
 * PROC_PENDING, by the first sample, by exec of a known program, and where such a one has its library
 * at last; deleted by exec and by the loader after the exit event. Full: the sample is counted as
 * FATE_PROCS_FULL. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct proc_key);
	__type(value, struct proc_info);
	__uint(max_entries, 32768);
} procs SEC(".maps");

/* For the few processes with several interpreters. Written like procs; deleted by the loader alone. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct interp_key);
	__type(value, struct proc_info);
	__uint(max_entries, 1024);
} more_interps SEC(".maps");

/* Executables that were seen to be Python, or not to be. Written by the loader alone; what is pushed out
 * is learned again. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct file_id);
	__type(value, struct program);
	__uint(max_entries, 1024);
} programs SEC(".maps");

/* struct wire_event, wire_cgroup, rare; wakes the loader. Full: NOTE_EVENT_LOST, the loader then looks at all. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/* Written by the loader, a row never changes once it is used. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct py_layout);
	__uint(max_entries, WIRE_MAX_LAYOUTS);
} layouts SEC(".maps");

/*
 * The loader makes two hash maps (struct count_key -> u64), swaps them once a second and drains the
 * quiet one: slot 0 is the live one.
 */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
} count_sets SEC(".maps");

/*
 * Ids of stacks and code objects that were sent, as a cache of two slots each (id and its neighbour):
 * an array look-up is a load, and an id that was pushed out is only sent again.
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

/* The life of each thread that was sent last: a thread that renames itself is sent again. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct thread_key);
	__type(value, u64);
	__uint(max_entries, 16384);
} sent_threads SEC(".maps");

/* struct wire_stack, wire_code, wire_thread. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring SEC(".maps");

enum { WANTED_CODES = 16 }; /* of one sample; a power of two */

struct wanted_code {
	u64 id, addr;
};

/* What a sample could not read, because it was not resident. */
struct wanted {
	struct proc_key proc;
	u64 page; /* in which a frame lies; 0: none */
	u32 layout;
	u32 count;
	struct wanted_code codes[WANTED_CODES];
};

/* One per CPU; of the sample that runs. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct wanted);
	__uint(max_entries, 1); /* CPUs */
} wanted SEC(".maps");

/* tgids of -p; fork adds children (-s). */
MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, u8);
	__uint(max_entries, 32768);
} filter_pid SEC(".maps");

/* Cgroups of which one must be the task's or an ancestor of it. Written by the loader alone. */
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
