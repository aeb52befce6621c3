/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sampler cannot read pages that are not resident. The task reads them before it goes on:
 *
 *	sample_faulting ─► wanted ─► schedule ─► slot ══ back to user mode ══► read_wanted ─► ring
 *	(interrupt)                  (tail call)         (the task, may sleep)
 *
 * This is a BPF object of its own: a kernel without task work (before 6.18) refuses to load it, and
 * krait does without. It shares the maps of the main object. It has two versions, because libbpf
 * refuses a kernel function whose arguments differ from its declaration: faulting (6.18, 6.19; the
 * last argument is for the verifier) and faulting_plain (7.0+), which includes this file with
 * TASK_WORK_PLAIN defined.
 *
 * The task only reads, as if it had touched these pages itself, and before it runs another
 * instruction of its program: a code object whose frame was on its stack still exists, because the
 * frame holds it. same_place() checks that by the task's registers. After execve, in exit and in a
 * signal handler they differ, and nothing is read. Nor does a thread without memory of its own
 * read: it might borrow another process's. At most SLOTS samples wait for their tasks; the kernel
 * tells whether a slot is free.
 */
#ifndef KRAIT_FAULTING_BPF_H
#define KRAIT_FAULTING_BPF_H

#define MAP
#define MEMORY_FAULTS
#include "memory.bpf.h"
#include "maps.bpf.h"
#include "pycode.bpf.h"

enum { SLOTS = 32 }; /* 42 KB each; the loader makes fewer on small hosts */

/*
 * Local file systems whose superblock names no block device, because they have none or several. The
 * numbers are from include/uapi/linux/magic.h, bcachefs and ZFS.
 */
static const u32 local_magics[] = {
	0x01021994, /* tmpfs */
	0x858458f6, /* ramfs */
	0x958458f6, /* hugetlbfs */
	0x9123683e, /* btrfs */
	0xca451a4e, /* bcachefs */
	0x2fc12fc1, /* ZFS */
};

#ifdef TASK_WORK_PLAIN
extern int bpf_task_work_schedule_resume(struct task_struct *task, struct bpf_task_work *work,
					 void *map, bpf_task_work_callback_t fn) __ksym;
#define task_work_resume bpf_task_work_schedule_resume
#else
extern int bpf_task_work_schedule_resume_impl(struct task_struct *task, struct bpf_task_work *work,
					      void *map, bpf_task_work_callback_t fn,
					      void *aux) __ksym;
#define task_work_resume(task, work, map, fn)                                                      \
	bpf_task_work_schedule_resume_impl(task, work, map, fn, NULL)
#endif

/* --- what may be read ------------------------------------------------------------------------- */

/*
 * A FUSE or network file system may never answer a page fault, nor may the server of a userfaultfd,
 * which may even be this task. The task would hang in a page that it might never have touched
 * itself. So only resident pages are read from such mappings.
 */
static __always_inline bool is_local(struct file *file)
{
	struct super_block *sb = BPF_CORE_READ(file, f_inode, i_sb);
	u32 i, magic = BPF_CORE_READ(sb, s_magic);

	for (i = 0; i < sizeof(local_magics) / sizeof(local_magics[0]); i++)
		if (magic == local_magics[i])
			return true;
	return BPF_CORE_READ(sb, s_bdev);
}

/* Not every kernel has this field (CONFIG_USERFAULTFD). */
struct vm_userfaultfd_ctx___there {
	void *ctx;
} __attribute__((preserve_access_index));
struct vm_area_struct___there {
	struct vm_userfaultfd_ctx___there vm_userfaultfd_ctx;
} __attribute__((preserve_access_index));

static long look_at_mapping(struct task_struct *task, struct vm_area_struct *vma, bool *answers)
{
	struct vm_area_struct___there *there = (void *)vma;
	struct file *file = vma->vm_file;

	if (bpf_core_field_exists(there->vm_userfaultfd_ctx.ctx) &&
	    BPF_CORE_READ(there, vm_userfaultfd_ctx.ctx))
		return 0;
	*answers = !file || is_local(file);
	return 0;
}

static __always_inline bool answers(u64 address)
{
	bool ret = false;

	bpf_find_vma(bpf_get_current_task_btf(), address, look_at_mapping, &ret, 0);
	return ret;
}

static __always_inline long read_patient(void *to, u32 len, u64 address)
{
	if (!bpf_probe_read_user(to, len, (void *)address))
		return 0;
	if (!answers(address) || !answers(address + len - 1))
		return -1;
	return bpf_copy_from_user(to, len, (void *)address);
}

struct place {
	u64 pc, sp;
};

struct slot {
	struct bpf_task_work work;
	struct wanted what;
	struct place place;
	struct code_record code;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct slot);
	__uint(max_entries, SLOTS);
} slots SEC(".maps");

#if defined(__TARGET_ARCH_x86)
#define PC ip
#else
#define PC pc
#endif

/* Where user code will continue. */
static __always_inline void place_of(struct place *place, struct task_struct *task)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(task);

	place->pc = BPF_CORE_READ(regs, PC);
	place->sp = BPF_CORE_READ(regs, sp);
}

static __always_inline bool same_place(struct task_struct *task, const struct slot *s)
{
	struct proc_key now;
	struct place place;

	if (task->flags & PF_EXITING || !task->mm)
		return false;
	proc_key_of(&now, task);
	place_of(&place, task);
	return now.start_ns == s->what.proc.start_ns && now.tgid == s->what.proc.tgid &&
	       now.exec_id == s->what.proc.exec_id && place.pc == s->place.pc &&
	       place.sp == s->place.sp;
}

/* --- in the task ------------------------------------------------------------------------------ */

/* Adds atomically: other tasks on this CPU may count in between. */
static __always_inline void note(enum wire_note which, u64 n)
{
	struct wire_stats *st = stats_get();

	if (st)
		__sync_fetch_and_add(&st->note[which], n);
}

static __always_inline bool read_code(struct slot *s, const struct wanted_code *which)
{
	struct code_record *r = &s->code;
	u32 used, layout = s->what.layout;
	const struct py_layout *l = bpf_map_lookup_elem(&layouts, &layout);

	if (!l)
		return false;
	code_read(SELF, r, l, which->addr);
	r->head.kind = RECORD_CODE;
	r->head.proc = s->what.proc;
	r->head.id = which->id;
	r->head.addr = which->addr;
	r->head.layout = layout;
	used = r->used;
	if (r->head.missing & CODE_NOT_RESIDENT || used > CODE_DATA)
		return false;
	return !ring_send(&r->head, sizeof(r->head) + used);
}

static long read_step(u32 i, struct slot **slot)
{
	struct slot *s = *slot;

	if (i >= s->what.count)
		return 1;
	note(read_code(s, &s->what.codes[i & (WANTED_CODES - 1)]) ? NOTE_FAULT_WHOLE
								  : NOTE_FAULT_FAILED,
	     1);
	return 0;
}

static int read_wanted(struct bpf_map *map, void *key, void *value)
{
	struct slot *s = value;
	u8 byte;

	if (!same_place(bpf_get_current_task_btf(), s)) {
		note(NOTE_FAULT_FAILED, s->what.count);
		return 0;
	}
	if (s->what.page && !read_user(SELF, &byte, 1, s->what.page))
		note(NOTE_FAULT_PAGES, 1);
	bpf_loop(WANTED_CODES, read_step, &s, 0);
	return 0;
}

/* --- in the interrupt ------------------------------------------------------------------------- */

/*
 * Schedules the task's work in a free slot. The slot may be filled afterwards: the task cannot use
 * it before this interrupt ends. False: all slots are in use, or the kernel is out of memory.
 */
static __always_inline bool ask_somewhere(struct task_struct *task, const struct wanted *w)
{
	u32 i, index, first = bpf_get_prandom_u32();
	struct slot *s;

	for (i = 0; i < SLOTS; i++) {
		index = (first + i) & (SLOTS - 1);
		s = bpf_map_lookup_elem(&slots, &index); /* NULL: the map has fewer */
		if (!s || task_work_resume(task, &s->work, &slots, read_wanted))
			continue;
		s->what = *w;
		place_of(&s->place, task);
		return true;
	}
	return false;
}

SEC("perf_event")
int schedule(struct bpf_perf_event_data *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 cpu = bpf_get_smp_processor_id();
	struct wanted *w = bpf_map_lookup_elem(&wanted, &cpu);

	if (!w)
		return 0;
	note(!(task->flags & PF_EXITING) && ask_somewhere(task, w) ? NOTE_FAULT_ASKED
								   : NOTE_FAULT_REFUSED,
	     w->count);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#endif
