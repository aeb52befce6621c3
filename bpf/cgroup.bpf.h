/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the cgroups of a task, and whether the user has chosen one of them.
 *
 *	task -> css_set -> dfl_cgrp                  version 2      CGROUP_V2 of enum cgroup_view
 *	               \-> subsys[i] -> cgroup       version 1      CGROUP_V1: of one controller
 *	                                 | self.parent -> cgroup -> ... the root
 *
 * A chosen cgroup includes all cgroups below it, now and later: a pod includes its containers, a
 * container the cgroups made inside it. So each of the few ancestors is looked up. Ids are kernfs
 * ids, which are the inode numbers of the directories.
 */
#ifndef KRAIT_CGROUP_BPF_H
#define KRAIT_CGROUP_BPF_H

#include "maps.bpf.h"

/* Index of the controller in subsys: each kernel numbers the controllers that it was built with. */
static __always_inline u32 cgroup_controller_number(void)
{
#define CGROUP_NUMBER(symbol, name)                                                                \
	if (cfg.cgroup_controller == CONTROLLER_##symbol)                                          \
		return bpf_core_enum_value(enum cgroup_subsys_id, symbol##_cgrp_id);
	WIRE_CONTROLLERS(CGROUP_NUMBER)
#undef CGROUP_NUMBER
	return 0;
}

static __always_inline bool cgroup_has_view(u32 view)
{
	return cfg.cgroup_views & (1 << view);
}

static __always_inline struct cgroup *cgroup_read(struct task_struct *task, u32 view)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct cgroup_subsys_state *css = NULL;
	u32 at = bpf_core_field_offset(set->subsys) + cgroup_controller_number() * sizeof(css);

	if (view == CGROUP_V2)
		return BPF_CORE_READ(set, dfl_cgrp);
	bpf_probe_read_kernel(&css, sizeof(css), (void *)set + at);
	return BPF_CORE_READ(css, cgroup);
}

/* The id of the cgroup that @task is in; 0: there is no such hierarchy. */
static __always_inline u64 cgroup_id_read(struct task_struct *task, u32 view)
{
	return cgroup_has_view(view) ? BPF_CORE_READ(cgroup_read(task, view), kn, id) : 0;
}

/* Is the task at address @task in a chosen cgroup? Global, so that the verifier checks it once. */
int cgroup_chosen(u64 task);

/* A global function takes no such pointer. Read from memory, the pointer is a number, which it takes. */
static __always_inline bool cgroup_passes(struct task_struct *task)
{
	u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &task);
	return cgroup_chosen(address);
}

#endif
