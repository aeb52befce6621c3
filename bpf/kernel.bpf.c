// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The sampler of Python and kernel frames (sample.bpf.h, kernstack.bpf.h), loaded instead of the one of
 * sampler.bpf.c if kernel frames are asked for. It needs bpf_loop and BTF pointers (5.17+).
 */
#define KERNSTACK true
#define KERNSTACKS
#include "sample.bpf.h"

SEC("?perf_event")
int sample_kernel(struct bpf_perf_event_data *ctx)
{
	return run_faulting(ctx, MODERN);
}
