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

/* Executables that were seen to be Python. Written by the loader alone; what is pushed out is learned
 * again. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct file_id);
	__type(value, struct program);
	__uint(max_entries, 1024);
} programs SEC(".maps");

/* struct wire_event, rare; wakes the loader. Full: NOTE_EVENT_LOST, the loader then looks at all. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/* tgids of -p; fork adds children (-s). */
MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, u8);
	__uint(max_entries, 32768);
} filter_pid SEC(".maps");

MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, u32);
	__type(value, struct wire_stats);
	__uint(max_entries, 1);
} stats SEC(".maps");

#endif
