/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which threads are recorded: a thread must pass every kind of filter that is set. */
#ifndef KRAIT_FILTER_BPF_H
#define KRAIT_FILTER_BPF_H

#include "cgroup.bpf.h"
#include "task.bpf.h"

static __always_inline bool comm_passes(struct task_struct *task)
{
	struct thread_name name;

	task_comm_read(&name.comm, task);
	if (bpf_map_lookup_elem(&filter_comm, &name))
		return true;
	task_comm_read(&name.comm, BPF_CORE_READ(task, group_leader));
	return bpf_map_lookup_elem(&filter_comm, &name);
}

/* Does the thread's process pass the filters? */
static __always_inline bool filter_passes_process(struct task_struct *task, u32 tgid)
{
	u32 uid;

	if ((cfg.filters & BY_PID) && !bpf_map_lookup_elem(&filter_pid, &tgid))
		return false;
	if (cfg.filters & BY_UID) {
		uid = BPF_CORE_READ(task, real_cred, uid.val);
		if (!bpf_map_lookup_elem(&filter_uid, &uid))
			return false;
	}
	if ((cfg.filters & BY_CGROUP) && !cgroup_passes(task))
		return false;
	return !(cfg.filters & BY_COMM) || comm_passes(task);
}

/* Do the thread and its process pass the filters? */
static __always_inline bool filter_passes(struct task_struct *task, u32 tgid, u32 tid)
{
	if ((cfg.filters & BY_TID) && !bpf_map_lookup_elem(&filter_tid, &tid))
		return false;
	return filter_passes_process(task, tgid);
}

#endif
