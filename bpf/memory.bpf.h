/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whose memory a program reads: that of the task that it runs in, where nothing may fault; or, in what may
 * sleep, where pages may come in: with MEMORY_OF_TASK defined first that of a task that it names, with
 * MEMORY_FAULTS that of its own.
 */
#ifndef KRAIT_MEMORY_BPF_H
#define KRAIT_MEMORY_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

typedef struct task_struct pywalk_source;

#ifdef MEMORY_FAULTS
/* Reads what may not be resident, where that is no risk for the task. 0, or not. */
static __always_inline long read_patient(void *to, u32 len, u64 address);
#endif

#ifdef MEMORY_OF_TASK
#define OF_SELF                          false
#define read_user(src, to, len, address) bpf_copy_from_user_task(to, len, (void *)(address), src, 0)
#elif defined(MEMORY_FAULTS)
#define OF_SELF                          true
#define SELF                             ((pywalk_source *)0)
#define read_user(src, to, len, address) read_patient(to, len, address)
#else
#define OF_SELF                          true
#define SELF                             ((pywalk_source *)0)
#define read_user(src, to, len, address) bpf_probe_read_user(to, len, (void *)(address))
#endif

#endif
