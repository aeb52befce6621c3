// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Wall-clock mode, the visitor that reads Python and native frames (visit.bpf.h, natsample.bpf.h). It is
 * loaded instead of visit_ring if native frames are asked for. The object is linked with maps.bpf.c and
 * cgroup.bpf.c alone (user/load/natvisit.h) and shares the main object's maps.
 *
 * There is no such program that goes through all tasks, for kernels before 6.2: the native walk would
 * have to be verified together with all of the visitor, which is more than a verifier does.
 */
#define NATIVE
#define SCRATCHES
#define SEATS
#include "visit.bpf.h"

SEC("?syscall")
int visit_ring_native(struct wire_visit *ctx)
{
	return visit_by_ring(false);
}
