// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The smallest program that reads the kernel's types as krait does, with as many maps. What it takes
 * to load is the unit in which krait's start is measured.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define MAP(name)                                                                                  \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__type(key, __u32);                                                                \
		__type(value, __u64);                                                              \
		__uint(max_entries, 1);                                                            \
	} name SEC(".maps")
#define FOUR(name)                                                                                 \
	MAP(name##0);                                                                              \
	MAP(name##1);                                                                              \
	MAP(name##2);                                                                              \
	MAP(name##3)

FOUR(a);
FOUR(b);
FOUR(c);
FOUR(d);
FOUR(e);
FOUR(f);
FOUR(g);

SEC("perf_event") int empty(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, tgid) & 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
