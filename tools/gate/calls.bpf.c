// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts the system calls of a process and of its children, and its bpf() calls by command. */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

enum { COMMANDS = 64 };

const volatile __u32 target;
const volatile __u32 bpf_number; /* of the system call bpf() */

__u64 calls;
__u64 commands[COMMANDS];

SEC("raw_tp/sys_enter")
int enter(const __u64 *ctx) /* registers, number */
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pt_regs *regs = (void *)ctx[0];
	__u64 command;

	if (bpf_get_current_pid_tgid() >> 32 != target &&
	    BPF_CORE_READ(task, real_parent, tgid) != target)
		return 0;
	__sync_fetch_and_add(&calls, 1);
	if (ctx[1] != bpf_number)
		return 0;
	command = PT_REGS_PARM1_CORE_SYSCALL(regs);
	if (command < COMMANDS)
		__sync_fetch_and_add(&commands[command], 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
