// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds out what this kernel can do: one program for each feature; the loader tries to load them
 * one by one. The version number does not tell, because distributions backport features.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define NULL ((void *)0)

static long nothing(u32 i, void *ctx)
{
	return 1;
}

/* bpf_loop (5.17), bpf_task_pt_regs (5.15), bpf_get_current_task_btf (5.11). */
SEC("?perf_event")
int probe_sample(struct bpf_perf_event_data *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	bpf_loop(1, nothing, NULL, 0);
	return bpf_task_pt_regs(task) != 0;
}

/* The least that krait needs: Linux 5.8 with BTF. */
SEC("?iter/task")
int probe_list(struct bpf_iter__task *ctx)
{
	return 0;
}

extern struct task_struct *bpf_task_from_pid(s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;

/* Another task's memory, by its id (6.2). */
SEC("?syscall")
int probe_visit_ring(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);
	u64 word;

	if (!task)
		return 0;
	word = task->pid; /* only a type with a used field is complete and matches the kernel's */
	bpf_copy_from_user_task(&word, sizeof(word), NULL, task, 0);
	bpf_task_release(task);
	return 0;
}

/* The same in a pass over all tasks (5.18). */
SEC("?iter.s/task")
int probe_visit_all(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	u64 word;

	if (task)
		bpf_copy_from_user_task(&word, sizeof(word), NULL, task, 0);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
	__uint(max_entries, 1);
} grown SEC(".maps");

/* A hash table that takes memory as it fills, in a program that interrupts (6.1). */
SEC("?perf_event")
int probe_grow(struct bpf_perf_event_data *ctx)
{
	u32 zero = 0;

	return bpf_map_update_elem(&grown, &zero, &zero, BPF_ANY);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
