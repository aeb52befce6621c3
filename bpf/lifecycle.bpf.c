// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Follows processes from fork to exit. A forked child has its parent's addresses, so it inherits
 * the parent's entry in map procs: the child of a known Python process is profiled from its first
 * sample. An exec drops the entry. If the new program is known (map programs), the exec adds its
 * entry at once; otherwise the first sample asks the loader, or the exec itself does
 * (exec_is_told()). An exit tells the loader, which deletes the entry once it has drained the
 * counts. An iterator lists the processes that run at the start, because only the kernel can make
 * the keys. A new cgroup is sent with its path.
 */
#include "filter.bpf.h"
#include "program.bpf.h"
#include <bpf/bpf_tracing.h>

struct bpf_iter__task;

static __always_inline void filter_inherit(u32 parent, u32 child)
{
	u8 one = 1;

	if ((cfg.filters & BY_CHILDREN) && bpf_map_lookup_elem(&filter_pid, &parent))
		bpf_map_update_elem(&filter_pid, &child, &one, BPF_ANY);
}

/*
 * Copies the entries of further interpreters through @copy, because the stack has no room for
 * another: the addresses are the same. Returns how many.
 */
static __always_inline u32 copy_more(const struct proc_key *from, const struct proc_key *to,
				     u32 more, struct proc_info *copy)
{
	struct interp_key parent = { .proc = *from }, child = { .proc = *to };
	struct proc_info *known;
	u32 i;

	for (i = 1; i < WIRE_MAX_INTERPS; i++) {
		parent.index = child.index = i;
		known = i <= more ? bpf_map_lookup_elem(&more_interps, &parent) : NULL;
		if (!known)
			break;
		*copy = *known;
		if (bpf_map_update_elem(&more_interps, &child, copy, BPF_ANY))
			break;
	}
	return i - 1;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct proc_key from, to;
	struct proc_info *known, copy;
	struct wire_event event = {};
	u32 more = 0;

	if (child->pid != child->tgid)
		return 0;
	filter_inherit(parent->tgid, child->tgid);
	proc_key_read(&from, parent);
	known = bpf_map_lookup_elem(&procs, &from);
	if (!known || known->kind == PROC_PENDING)
		return 0;
	proc_key_read(&to, child);
	event.parent = from;
	if (known->more)
		more = copy_more(&from, &to, known->more, &copy);
	copy = *known;
	copy.pending = 0;
	copy.more = more;
	if (!bpf_map_update_elem(&procs, &to, &copy, BPF_NOEXIST) && copy.kind != PROC_OTHER)
		event_send(&event, EVENT_FORK, &to);
	return 0;
}

/* Must the loader know of this exec? Its first sample may come late or never. */
static __always_inline bool exec_is_told(u32 tgid)
{
	if (cfg.wall)
		return true;
	return (cfg.filters & BY_CHILDREN) && bpf_map_lookup_elem(&filter_pid, &tgid);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct wire_event event = {};
	struct proc_info info;
	struct proc_key key;
	u32 tgid = task->tgid;

	proc_key_read(&key, task);
	/* A sample inside execve may have made an entry, without addresses. */
	if (!program_start(task, &key, &info, false) && exec_is_told(tgid)) {
		exe_read(&event.exe, task);
		event_send(&event, EVENT_EXEC, &key);
	}
	key.exec_id--; /* the old program's */
	if (bpf_map_lookup_elem(&procs, &key)) {
		bpf_map_delete_elem(&procs, &key);
		event_send(&event, EVENT_EXIT, &key);
	}
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct wire_event event = {};
	struct proc_key key;
	u32 tgid = task->tgid;

	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	if (cfg.filters & BY_CHILDREN)
		bpf_map_delete_elem(&filter_pid, &tgid);
	proc_key_read(&key, task);
	if (bpf_map_lookup_elem(&procs, &key))
		event_send(&event, EVENT_EXIT, &key);
	return 0;
}

/* A container is named after its cgroup's path, which may be gone before the loader can read it. */
SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_cgroup, struct cgroup *cgroup, const char *path)
{
	u32 hierarchy = cgroup->root->hierarchy_id, view;
	struct wire_cgroup *record;
	long len;

	for (view = 0; view < CGROUP_VIEWS; view++)
		if ((cfg.cgroup_views & (1 << view)) && hierarchy == cfg.cgroup_hierarchy[view])
			break;
	if (view == CGROUP_VIEWS)
		return 0;
	record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	if (!record) {
		stats_note(NOTE_EVENT_LOST);
		return 0;
	}
	len = bpf_probe_read_kernel_str(record->path, sizeof(record->path), path);
	record->kind = EVENT_MKDIR;
	record->view = view;
	record->id = cgroup->kn->id;
	record->len = len > 0 ? len : 0;
	record->pad = 0;
	bpf_ringbuf_submit(record,
			   cfg.filters & BY_CGROUP ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("iter/task")
int list_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct wire_task out = {};

	if (!task || task->pid != task->tgid || !BPF_CORE_READ(task, signal, live.counter))
		return 0;
	proc_key_read(&out.proc, task);
	out.ppid = BPF_CORE_READ(task, real_parent, tgid);
	out.kthread = !!(task->flags & PF_KTHREAD);
	out.chosen = filter_passes_process(task, task->tgid);
	bpf_probe_read_kernel(out.comm, sizeof(out.comm), task->comm);
	exe_read(&out.exe, task);
	bpf_seq_write(ctx->meta->seq, &out, sizeof(out));
	return 0;
}
