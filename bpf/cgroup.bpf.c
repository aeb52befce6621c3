// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The cgroup filter: one function for all programs. */
#include "cgroup.bpf.h"

enum { CGROUP_LEVELS = 32 }; /* levels tested, from the task's own cgroup upwards */

static __always_inline bool cgroup_is_chosen(u32 view, u64 id)
{
	struct cgroup_key key = { .id = id, .view = view };

	return bpf_map_lookup_elem(&filter_cgroup, &key);
}

static __always_inline bool cgroup_chosen_in(struct task_struct *task, u32 view)
{
	struct cgroup *c = cgroup_read(task, view);

	for (u32 i = 0; i < CGROUP_LEVELS && c; i++) {
		if (cgroup_is_chosen(view, BPF_CORE_READ(c, kn, id)))
			return true;
		c = BPF_CORE_READ(c, self.parent, cgroup);
	}
	return false;
}

__attribute__((noinline)) int cgroup_chosen(u64 task)
{
	for (u32 view = 0; view < CGROUP_VIEWS; view++)
		if (cgroup_has_view(view) && cgroup_chosen_in((struct task_struct *)task, view))
			return 1;
	return 0;
}
