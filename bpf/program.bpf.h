/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Programs seen before: identifies the file that a task executes, and moves the addresses that are
 * known from another process with the same file.
 *
 *	executable (static)	addresses + (start_code - start_code then)
 *	library (libpython)	DT_DEBUG ─► r_debug ─► link_map ... ─► addresses + (l_addr - l_addr then)
 *
 * The dynamic linker's list is the target's memory, hence hostile: the number of entries read is
 * bounded, and an entry is believed only if its dynamic section is where the library has it and the
 * library's build id is in memory. A forged list harms only its own process.
 */
#ifndef KRAIT_PROGRAM_BPF_H
#define KRAIT_PROGRAM_BPF_H

#include "task.bpf.h"

/* The change time of an inode has had three names (up to 6.5, up to 6.10, since then). */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct inode___old {
	struct timespec64 i_ctime;
};
struct inode___between {
	struct timespec64 __i_ctime;
};
struct inode___new {
	s64 i_ctime_sec;
	u32 i_ctime_nsec;
};
#pragma clang attribute pop

enum { CTIME_NS = 0x3fffffff }; /* the bits above are kernel flags (6.13+) */

static __always_inline void ctime_read(struct file_id *id, void *inode)
{
	struct inode___new *new = inode;
	struct inode___between *between = inode;
	struct inode___old *old = inode;

	if (bpf_core_field_exists(new->i_ctime_sec)) {
		id->ctime_s = BPF_CORE_READ(new, i_ctime_sec);
		id->ctime_ns = BPF_CORE_READ(new, i_ctime_nsec) & CTIME_NS;
	} else if (bpf_core_field_exists(between->__i_ctime)) {
		id->ctime_s = BPF_CORE_READ(between, __i_ctime.tv_sec);
		id->ctime_ns = BPF_CORE_READ(between, __i_ctime.tv_nsec);
	} else if (bpf_core_field_exists(old->i_ctime)) {
		id->ctime_s = BPF_CORE_READ(old, i_ctime.tv_sec);
		id->ctime_ns = BPF_CORE_READ(old, i_ctime.tv_nsec);
	}
}

/* Fills @exe, which is zeroed. A task that exits has no memory any more and stays unknown. */
static __always_inline void exe_read(struct wire_exe *exe, struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct inode *inode = BPF_CORE_READ(mm, exe_file, f_inode);

	if (!inode)
		return;
	exe->start_code = BPF_CORE_READ(mm, start_code);
	exe->file.inode = BPF_CORE_READ(inode, i_ino);
	exe->file.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	exe->file.generation = BPF_CORE_READ(inode, i_generation);
	ctime_read(&exe->file, inode);
}

static __always_inline u64 moved(u64 address, u64 by)
{
	return address ? address + by : 0;
}

static __always_inline void program_move(struct proc_info *info, u64 by)
{
	info->current = moved(info->current, by);
	info->key = moved(info->key, by);
	info->interps = moved(info->interps, by);
	info->code_type = moved(info->code_type, by);
	info->entry = moved(info->entry, by);
	info->code.text = moved(info->code.text, by);
}

/*
 * The program is known not to be Python: its first sample counts at once and asks the loader only
 * if enough code for an interpreter is mapped. Most such processes are never sampled and need no
 * entry.
 */
static __always_inline bool start_other(const struct proc_key *key, struct proc_info *info,
					bool sampled)
{
	if (!sampled)
		return false;
	__builtin_memset(info, 0, sizeof(*info));
	info->kind = PROC_OTHER;
	return !bpf_map_update_elem(&procs, key, info, BPF_NOEXIST);
}

/*
 * Makes the entry of a process that executes a known program, also in @info. An exec replaces any
 * entry that exists; a sample (@sampled) only adds one. The entry has no addresses yet
 * (PROC_STARTING) if they are in a library, or if execve has not mapped the code. False: the
 * program is unknown, the map is full, or the process needs no entry.
 */
static __always_inline bool program_start(struct task_struct *task, const struct proc_key *key,
					  struct proc_info *info, bool sampled)
{
	struct wire_event event = {};
	struct program *known;

	exe_read(&event.exe, task);
	known = bpf_map_lookup_elem(&programs, &event.exe.file);
	if (!known)
		return false;
	if (known->info.kind == PROC_OTHER)
		return start_other(key, info, sampled);
	if (known->debug || !event.exe.start_code) {
		__builtin_memset(info, 0, sizeof(*info));
		info->kind = PROC_STARTING;
		info->layout = known->info.layout;
	} else {
		*info = known->info;
		program_move(info, event.exe.start_code - known->start_code);
	}
	event.layout = info->layout;
	event.code_type = info->code_type;
	event.interps = info->interps;
	if (bpf_map_update_elem(&procs, key, info, sampled ? BPF_NOEXIST : BPF_ANY))
		return false;
	event_send(&event, EVENT_KNOWN, key);
	return true;
}

/* --- the dynamic linker's list ---------------------------------------------------------------- */

enum {
	PROGRAM_LIBRARIES = 32, /* entries read; libpython is among the first */
	R_DEBUG_MAP = 8,        /* offset of r_map */
};

/* The head of struct link_map in glibc and musl. */
struct program_library {
	u64 addr, name, dynamic, next;
};

static __always_inline bool library_is(const struct program *p, u64 at)
{
	u64 id[3] = {};
	u32 len = p->id_len;

	if (!len || len > WIRE_BUILD_ID)
		return false;
	if (bpf_probe_read_user(id, len, (void *)(at + p->note)))
		return false;
	return id[0] == *(u64 *)p->id && id[1] == *(u64 *)(p->id + 8) &&
	       (u32)id[2] == *(u32 *)(p->id + 16);
}

/* Load address of the library in a process that executes @p at @start_code; 0: not mapped. */
static __always_inline u64 program_library(const struct program *p, u64 start_code)
{
	u64 at = p->debug + (start_code - p->start_code), debug = 0;
	struct program_library entry = {};
	u32 i;

	if (bpf_probe_read_user(&debug, sizeof(debug), (void *)at) || !debug)
		return 0;
	if (bpf_probe_read_user(&entry.next, sizeof(entry.next), (void *)(debug + R_DEBUG_MAP)))
		return 0;
	for (i = 0; i < PROGRAM_LIBRARIES && entry.next; i++) {
		if (bpf_probe_read_user(&entry, sizeof(entry), (void *)entry.next))
			return 0;
		if (entry.dynamic - entry.addr == p->dynamic && library_is(p, entry.addr))
			return entry.addr;
	}
	return 0;
}

/* Fills @info for a process that executes @p at @start_code. False: it is not fully mapped. */
static __always_inline bool program_place(const struct program *p, u64 start_code,
					  struct proc_info *info)
{
	u64 by = start_code - p->start_code, library;

	if (!start_code || p->info.kind != PROC_PYTHON)
		return false;
	if (p->debug) {
		library = program_library(p, start_code);
		if (!library)
			return false;
		by = library - p->library;
	}
	*info = p->info;
	program_move(info, by);
	return true;
}

#endif
