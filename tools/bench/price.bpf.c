// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Measures the cost of a run of an empty program, and of reads of 8 bytes of the interrupted
 * thread's memory: reads_N does N of them, at an address in the target that the loader chose. A run
 * that interrupts another process does none; hits counts the runs in the target.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

const volatile __u64 address;
const volatile __u32 target;

/* Not atomic: the programs run on one CPU only. */
__u64 hits[4]; /* by the loader's enum: empty, reads_0, ... */
__u64 failed;

static __always_inline int reads(__u32 which, __u32 n)
{
	__u64 word;
	__u32 i;

	if (bpf_get_current_pid_tgid() >> 32 != target)
		return 0;
	hits[which]++;
#pragma unroll
	for (i = 0; i < n; i++)
		if (bpf_probe_read_user(&word, sizeof(word), (void *)address))
			failed++;
	return 0;
}

SEC("perf_event")
int empty(void *ctx)
{
	return 0;
}

SEC("perf_event")
int reads_0(void *ctx)
{
	return reads(1, 0);
}

SEC("perf_event")
int reads_10(void *ctx)
{
	return reads(2, 10);
}

SEC("perf_event")
int reads_50(void *ctx)
{
	return reads(3, 50);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
