// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The sampler of Python and native frames (sample.bpf.h, natsample.bpf.h), loaded instead of the one of
 * sampler.bpf.c if native frames are asked for. It needs bpf_loop and BTF pointers (5.17+).
 */
#define NATIVE
#include "sample.bpf.h"

/* As sample_faulting: where the kernel has no task work, map after is empty. */
SEC("?perf_event")
int sample_native(struct bpf_perf_event_data *ctx)
{
	struct wanted *w = wanted_here();
	u32 first = 0;

	if (w) {
		w->count = 0;
		w->page = 0;
	}
	run(ctx, bpf_get_current_task_btf(), true);
	w = wanted_here();
	if (w && (w->count || w->page))
		bpf_tail_call(ctx, &after, first);
	return 0;
}
