// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The programs that walk a thread's own Python and native stack (sample.bpf.h, switch.bpf.h,
 * natsample.bpf.h). They are loaded instead of those of sampler.bpf.c and switch.bpf.c if native frames
 * are asked for. They need bpf_loop and BTF pointers (5.17+).
 */
#define NATIVE
#define SEATS
#define KERNSTACK cfg.kernel
#include "sample.bpf.h"
#include "switch.bpf.h"

SEC("?perf_event")
int sample_native(struct bpf_perf_event_data *ctx)
{
	return run_faulting(ctx, MODERN);
}

SEC("?tp_btf/sched_switch")
int on_switch_native(u64 *ctx)
{
	return switch_out((void *)ctx[1], (void *)ctx[2], false);
}
