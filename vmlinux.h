/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel types that krait's programs read, and nothing else: CO-RE moves every field to where
 * the running kernel has it, so only names and types matter here, not order or completeness. Each
 * struct names its reader. `make check` compiles the programs against a full dump as well.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

/* bpf_helper_defs.h wants them. */
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

typedef _Bool bool;
typedef int pid_t;
typedef __u32 dev_t;

enum {
	false = 0,
	true = 1,
};

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_EXIST = 2,
};

enum {
	BPF_F_NO_PREALLOC = 1,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
};

enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* sampler: where the interrupted code was (the context is the kernel's, hence all fields). */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};
typedef struct pt_regs bpf_user_pt_regs_t;
/* sampler: the thread pointer. */
struct thread_struct {
	unsigned long fsbase;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31], sp, pc, pstate;
};
struct pt_regs {
	union {
		struct user_pt_regs user_regs;
		struct {
			__u64 regs[31], sp, pc, pstate;
		};
	};
	__u64 orig_x0;
	__s32 syscallno;
};
typedef struct user_pt_regs bpf_user_pt_regs_t;
struct thread_struct {
	struct {
		unsigned long tp_value;
	} uw;
};
#endif

struct bpf_perf_event_data {
	bpf_user_pt_regs_t regs;
	__u64 sample_period;
	__u64 addr;
};

/* sampler: a task's id inside its own pid namespace. */
struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

typedef struct {
	int counter;
} atomic_t;

/* lifecycle: the last thread of a process is the one that leaves live at 0. */
struct signal_struct {
	atomic_t live;
	int nr_threads;
};

/* lifecycle, sampler: which file is executed (bpf/program.bpf.h has the inode's time of change). */
struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};

struct block_device;

struct super_block {
	dev_t s_dev;
	unsigned long s_magic; /* these two: faulting */
	struct block_device *s_bdev;
};

struct inode {
	struct super_block *i_sb;
	unsigned long i_ino;
	u32 i_generation;
};

struct file {
	struct inode *f_inode;
};

/* faulting: whose page is it? */
struct vm_area_struct {
	struct file *vm_file;
};

/* exec_vm: sampler, of a program that is no Python. */
struct mm_struct {
	unsigned long exec_vm, start_code, start_stack, stack_vm;
	struct file *exe_file;
};

typedef struct {
	u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
};

/* wall-clock mode: when a task ran. */
struct rq {
	u64 clock;
};

struct cfs_rq {
	struct rq *rq;
	int throttle_count;
};

struct sched_entity {
	struct cfs_rq *cfs_rq;
};

struct sched_info {
	unsigned long pcount;
	unsigned long long run_delay, last_arrival, last_queued;
};

struct bpf_local_storage;

/* sampler, lifecycle: whose it is (bpf/cgroup.bpf.h). */
struct kernfs_node {
	u64 id;
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

enum cgroup_subsys_id {
	memory_cgrp_id,
	pids_cgrp_id,
	freezer_cgrp_id,
	cpuset_cgrp_id,
	cpu_cgrp_id,
	cpuacct_cgrp_id,
	devices_cgrp_id,
	io_cgrp_id,
	net_cls_cgrp_id,
	perf_event_cgrp_id,
	hugetlb_cgrp_id,
};

struct css_set {
	struct cgroup_subsys_state *subsys[1];
	struct cgroup *dfl_cgrp;
};

/* sampler, lifecycle, wall-clock mode: who runs. */
struct task_struct {
	void *stack;
	unsigned int flags;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	u64 start_boottime;
	u64 self_exec_id;
	char comm[16];
	struct signal_struct *signal;
	struct mm_struct *mm;
	struct cred *real_cred;
	int on_cpu;
	unsigned int __state;
	unsigned long nvcsw, nivcsw, jobctl;
	struct sched_entity se;
	struct sched_info sched_info;
	struct bpf_local_storage *bpf_storage;
	bool throttled;
	unsigned long sas_ss_sp, sas_ss_size;
	struct css_set *cgroups;
	struct thread_struct thread;
};

/* sampler: its presence tells that PF_USER_WORKER exists (6.4). */
struct kernel_clone_args {
	u32 user_worker : 1;
};

/* lifecycle: iter/task. */
struct seq_file {
	unsigned long count;
};

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct task_struct *task;
	};
};

struct linux_binprm;

#pragma clang attribute pop

/* faulting: in a map's value, found by its name (6.18). */
struct bpf_map {
	u32 id;
};
struct bpf_task_work {
	__u64 __opaque;
} __attribute__((aligned(8)));
typedef int (*bpf_task_work_callback_t)(struct bpf_map *map, void *key, void *value);

#endif
