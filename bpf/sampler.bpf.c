// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The sampler of Python frames. One source (sample.bpf.h) makes three programs: sample_faulting (the
 * task reads pages that are not resident, 6.18+), sample (bpf_loop and BTF pointers, 5.17+) and
 * sample_bounded (a bounded loop around one global function per step, 5.10+). The loader tries them
 * in that order. sample_tasks is loaded instead of any of them if asyncio tasks are asked for (5.17+).
 */
#define SCRATCHES
#define TASK_MAPS
#include "sample.bpf.h"

SEC("?perf_event")
int sample_faulting(struct bpf_perf_event_data *ctx)
{
	return run_faulting(ctx, MODERN);
}

SEC("?perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	return run(ctx, bpf_get_current_task_btf(), MODERN);
}

SEC("?perf_event")
int sample_bounded(struct bpf_perf_event_data *ctx)
{
	return run(ctx, (struct task_struct *)bpf_get_current_task(), OLD);
}

SEC("?perf_event")
int sample_tasks(struct bpf_perf_event_data *ctx)
{
	return run_faulting(ctx, TASKS);
}
