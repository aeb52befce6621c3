/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the fields of a task, in two ways: through a BTF pointer (bpf_get_current_task_btf(),
 * tracepoint arguments, 5.11+) a field is one load; otherwise it is one bpf_probe_read_kernel().
 *
 * A load of a pointer that way is dear to verify: up to 6.18 at least, the kernel compares the names
 * of all of its types, several times, to find out what may be done with the result; a millisecond on
 * a slow machine, each time that the verifier passes. What is not done for every sample or every
 * switch therefore reads pointers by bpf_probe_read_kernel().
 */
#ifndef KRAIT_TASK_BPF_H
#define KRAIT_TASK_BPF_H

#include "maps.bpf.h"

#define PF_EXITING     0x00000004
#define PF_IO_WORKER   0x00000010
#define PF_FORKNOEXEC  0x00000040
#define PF_USER_WORKER 0x00004000 /* 6.4+; another meaning before */
#define PF_KTHREAD     0x00200000

static __always_inline void proc_key_of(struct proc_key *key, struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;

	key->start_ns = leader->start_boottime;
	key->tgid = task->tgid;
	key->exec_id = leader->self_exec_id;
}

static __always_inline void proc_key_read(struct proc_key *key, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	key->start_ns = BPF_CORE_READ(leader, start_boottime);
	key->tgid = BPF_CORE_READ(task, tgid);
	key->exec_id = BPF_CORE_READ(leader, self_exec_id);
}

/* The same as bpf_get_current_pid_tgid(), without the call. */
static __always_inline u64 task_pid_tgid(struct task_struct *task, bool btf)
{
	return btf ? (u64)task->tgid << 32 | (u32)task->pid : bpf_get_current_pid_tgid();
}

/* Is it the first thread of its process? */
static __always_inline bool task_is_leader(struct task_struct *task, bool btf)
{
	return btf ? task->tgid == task->pid
		   : BPF_CORE_READ(task, tgid) == BPF_CORE_READ(task, pid);
}

/* The id in the innermost pid namespace: what gettid() returns in the thread. */
static __always_inline u32 task_ns_pid(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	u32 level = BPF_CORE_READ(pid, level);
	struct upid up = {};

	if (level > 31)
		return 0;
	bpf_core_read(&up, sizeof(up), &pid->numbers[level]);
	return up.nr;
}

/* Stops at the NUL: after it, older kernels (5.10) keep parts of the thread's former names. */
static __always_inline void task_comm_read(char (*ret)[WIRE_COMM], struct task_struct *task)
{
	__builtin_memset(*ret, 0, sizeof(*ret));
	BPF_CORE_READ_STR_INTO(ret, task, comm);
}

/* wire_thread.life, from all bytes of the name: those after its NUL change only with the name. */
static __always_inline u64 life_of(u64 start_ns, u64 first, u64 second)
{
	u64 sum = start_ns * 0x9e3779b97f4a7c15 + first * 0xbf58476d1ce4e5b9 +
		  second * 0x94d049bb133111eb;

	return sum ^ sum >> 32;
}

static __always_inline u64 task_life_of(struct task_struct *task)
{
	u64 *comm = (u64 *)task->comm;

	return life_of(task->start_boottime, comm[0], comm[1]);
}

/* The same, and returns the bytes used: another thread may change the name at any time. */
static __always_inline u64 task_life_read(u64 *start_ns, u64 (*comm)[2], struct task_struct *task)
{
	*start_ns = BPF_CORE_READ(task, start_boottime);
	bpf_core_read(comm, sizeof(*comm), &task->comm);
	return life_of(*start_ns, (*comm)[0], (*comm)[1]);
}

static __always_inline u64 task_life(struct task_struct *task, bool btf)
{
	u64 start, comm[2] = {};

	return btf ? task_life_of(task) : task_life_read(&start, &comm, task);
}

/* The thread pointer: glibc and musl keep struct pthread at it (x86) or below it (arm64). */
static __always_inline u64 task_thread_pointer(struct task_struct *task, bool btf)
{
#if defined(__TARGET_ARCH_x86)
	return btf ? task->thread.fsbase : BPF_CORE_READ(task, thread.fsbase);
#else
	return btf ? task->thread.uw.tp_value : BPF_CORE_READ(task, thread.uw.tp_value);
#endif
}

/*
 * May task_thread_pointer() be stale after an exec? On arm64 a program writes the register itself,
 * and the kernel saves it when it switches the thread out. From exec to the first switch, seconds
 * on a quiet CPU, the kernel has the old program's thread pointer. Clones are not affected, and a
 * program that has made a thread has waited for it, hence was switched out.
 */
static __always_inline bool task_may_be_unswitched(struct task_struct *task, u32 flags, bool btf)
{
#if defined(__TARGET_ARCH_arm64)
	if (flags & PF_FORKNOEXEC)
		return false;
	return (btf ? task->signal->nr_threads : BPF_CORE_READ(task, signal, nr_threads)) == 1;
#else
	return false;
#endif
}

/* The field of the saved registers with the number of the system call; negative: it was none. */
#if defined(__TARGET_ARCH_x86)
#define REGS_CALL orig_ax
#else
#define REGS_CALL syscallno
#endif

/* The bits of count_key.state for the system call @number. */
static __always_inline u32 call_word(s64 number)
{
	return number < 0 || number >= 0xffff ? 0 : (u32)(number + 1) << THREAD_CALL_SHIFT;
}

/*
 * The end of the C stack that @sp is in; 0: unknown. The leader's stack ends where execve has put
 * the program's arguments. Every other thread's stack, also in a process that a thread has forked,
 * ends at the thread pointer. Other stacks (signals, coroutines) are unknown; one that lies below
 * the thread's own stack looks like a part of it.
 */
static __always_inline u64 task_stack_top(struct task_struct *task, u64 sp)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	u64 start, pages, other, size, tp = task_thread_pointer(task, false);

	if (!sp || !mm)
		return 0;
	start = BPF_CORE_READ(mm, start_stack);
	pages = BPF_CORE_READ(mm, stack_vm);
	other = BPF_CORE_READ(task, sas_ss_sp);
	size = BPF_CORE_READ(task, sas_ss_size);
	if (sp - other < size)
		return 0;
	if (start - sp < pages << 12)
		return start;
	return sp < tp ? tp : 0;
}

/* task_ns_pid() for every sample: most tasks are in the first pid namespace. */
static __always_inline u32 task_ns_tid(struct task_struct *task, bool btf)
{
	if (btf && !task->thread_pid->level)
		return task->pid;
	return task_ns_pid(task);
}

/* Number of executable pages that the task has mapped. */
static __always_inline u32 task_exec_pages(struct task_struct *task)
{
	return BPF_CORE_READ(task, mm, exec_vm); /* 0 if there is no mm */
}

/* A worker of io_uring or vhost shares the thread pointer of the thread that made it. */
static __always_inline bool task_is_worker(u32 flags)
{
	if (flags & PF_IO_WORKER)
		return true;
	return bpf_core_field_exists(struct kernel_clone_args, user_worker) &&
	       (flags & PF_USER_WORKER);
}

static __always_inline struct wire_stats *stats_get(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&stats, &zero);
}

static __always_inline void stats_note(enum wire_note note)
{
	struct wire_stats *s = stats_get();

	if (s)
		s->note[note]++;
}

/* The caller has set the fields that this kind has besides proc and tid. */
static __always_inline void event_send(struct wire_event *e, u32 kind, const struct proc_key *proc)
{
	bool urgent = kind == EVENT_UNKNOWN || kind == EVENT_EXEC || kind == EVENT_AGAIN;

	e->kind = kind;
	e->proc = *proc;
	e->tid = bpf_get_current_pid_tgid();
	if (bpf_ringbuf_output(&events, e, sizeof(*e),
			       urgent ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP))
		stats_note(NOTE_EVENT_LOST);
}

#endif
