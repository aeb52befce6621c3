/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * read_user(): whose memory a program reads, and whether it may fault. By default it reads its own
 * task's memory, without faults. A sleepable program may fault pages in; it defines, before it
 * includes this, MEMORY_OF_TASK to read another task's memory, or MEMORY_FAULTS to read its own.
 */
#ifndef KRAIT_MEMORY_BPF_H
#define KRAIT_MEMORY_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

typedef struct task_struct pywalk_source;

#ifdef MEMORY_FAULTS
/* Reads memory that may not be resident, unless the task might hang in it. 0 on success. */
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
