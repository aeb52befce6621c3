/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sampler: at each tick of a CPU's clock it takes the Python stack of the interrupted thread.
 *
 *	tick ─► who is it? ─► its thread state ─► its frames ─► stack id
 *	                                                          │ new: code objects, stack ─► ring
 *	                                                          └ counts[(process, thread, stack)]++
 *
 * The timer interrupt is not an NMI, so maps and ring buffers are safe. The thread cannot run while
 * its own CPU reads its memory, so its frames cannot change. Every run ends in exactly one fate.
 *
 * sampler.bpf.c makes programs of it that walk Python frames only, and one that reads the running asyncio
 * task after them; native.bpf.c, with NATIVE defined, makes one that walks native frames after them;
 * kernel.bpf.c, with KERNSTACK defined, one that takes kernel frames.
 */
#ifndef KRAIT_SAMPLE_BPF_H
#define KRAIT_SAMPLE_BPF_H

#include "context.bpf.h"
#include "filter.bpf.h"
#ifdef KERNSTACK
#include "kernstack.bpf.h"
#endif
#include "leaf.bpf.h"
#ifdef NATIVE
#include "natsample.bpf.h"
#endif
#include "program.bpf.h"
#include "take.bpf.h"
#include "tasksample.bpf.h"
#include "wall.bpf.h"
#include <bpf/bpf_tracing.h>

/* --- processes that are not known ------------------------------------------------------------- */

/*
 * Global functions: the verifier checks each once, and their use of the stack does not add to the
 * sampler's (nested calls together may use 512 bytes). The process is s->walk.stack.proc.
 */
__attribute__((weak, noinline)) int tell_loader(u32 cpu, u32 kind)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct scratch *s = bpf_map_lookup_elem(&scratches, &cpu);
	struct wire_event event = {};

	if (!s)
		return 0;
	exe_read(&event.exe, task);
	event_send(&event, kind, &s->walk.stack.proc);
	return 0;
}

/*
 * The first sample of a process (@flags BPF_NOEXIST), or a process that is not what it seemed to be
 * (BPF_EXIST): tells the loader once. Samples are counted as pending until the loader answers.
 */
static __always_inline enum wire_fate ask_loader(struct task_struct *task, struct scratch *s,
						 u64 flags)
{
	__builtin_memset(&s->proc, 0, sizeof(s->proc));
	s->proc.kind = PROC_PENDING;
	s->proc.pending = 1;
	s->proc.exec_pages = task_exec_pages(task);
	if (bpf_map_update_elem(&procs, &s->walk.stack.proc, &s->proc, flags))
		return FATE_PROCS_FULL;
	tell_loader(bpf_get_smp_processor_id(), EVENT_UNKNOWN);
	return FATE_PENDING;
}

/* The loader was not sure of its answer: asks it to look again, for as long as samples come. */
static __always_inline void ask_again(struct proc_info *info)
{
	enum { MS = 1000000 };
	u64 now;

	if (!info->again_ms)
		return;
	now = bpf_ktime_get_ns();
	if (now < info->pending + (u64)info->again_ms * MS)
		return;
	info->pending = now;
	tell_loader(bpf_get_smp_processor_id(), EVENT_AGAIN);
}

/*
 * A program without Python may load a libpython at any time. Then its executable mappings grow by
 * 1.5 MB or more. They may also grow by a JIT compiler's code, and a look costs the loader up to a
 * millisecond, so there are at most ten a second. If the loader has examined the process before its
 * first sample, there is no size to compare with (exec_pages is 0). The look of that sample does
 * not start the interval, or a Python loaded right after it would have to wait.
 */
static __always_inline enum wire_fate sample_other(struct task_struct *task, struct proc_info *info)
{
	enum { INTERPRETER_PAGES = 256, AGAIN_NS = 100000000 };
	u32 pages = task_exec_pages(task);
	u64 now;

	if (!pages)
		return FATE_OTHER; /* the process is exiting */
	if (pages < info->exec_pages)
		info->exec_pages = pages;
	if (pages < info->exec_pages + INTERPRETER_PAGES) {
		ask_again(info);
		return FATE_OTHER;
	}
	now = bpf_ktime_get_ns();
	if (now - info->pending < AGAIN_NS)
		return FATE_OTHER; /* a later sample sees it, too */
	if (info->exec_pages)
		info->pending = now;
	info->exec_pages = pages;
	tell_loader(bpf_get_smp_processor_id(), EVENT_AGAIN);
	return FATE_OTHER;
}

/* --- programs that were seen before ----------------------------------------------------------- */

/* Samples after which the loader looks at a program whose library does not appear. */
enum { STARTING_SAMPLES = 32 };

/* Makes the entry of a new process if its program is known. */
__attribute__((weak, noinline)) int start_program(u32 cpu)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct scratch *s = bpf_map_lookup_elem(&scratches, &cpu);

	return s && program_start(task, &s->walk.stack.proc, &s->proc, true);
}

/* Is a known program fully mapped by now? Then fills its entry and s->proc with addresses. */
__attribute__((weak, noinline)) int place_program(u32 cpu)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct scratch *s = bpf_map_lookup_elem(&scratches, &cpu);
	struct wire_event event = {};
	struct program *known;

	if (!s)
		return 0;
	exe_read(&event.exe, task);
	known = bpf_map_lookup_elem(&programs, &event.exe.file);
	if (!known || !program_place(known, event.exe.start_code, &s->proc))
		return 0;
	if (bpf_map_update_elem(&procs, &s->walk.stack.proc, &s->proc, BPF_EXIST))
		return 0;
	event.layout = s->proc.layout;
	event.code_type = s->proc.code_type;
	event.interps = s->proc.interps;
	event_send(&event, EVENT_KNOWN, &s->walk.stack.proc);
	return 1;
}

/*
 * A known program that has not mapped its library is not Python yet. If the library does not
 * appear, the loader has to look. FATES: it is mapped, go on.
 */
static __always_inline enum wire_fate sample_starting(struct task_struct *task, struct scratch *s,
						      struct proc_info *info, u32 cpu)
{
	if (place_program(cpu))
		return FATES;
	__sync_fetch_and_add(&info->pending, 1);
	return info->pending > STARTING_SAMPLES ? ask_loader(task, s, BPF_EXIST) : FATE_OTHER;
}

#if !defined(NATIVE) && !defined(KERNSTACK)

/* --- loops of old kernels --------------------------------------------------------------------- */

/* A global function is verified once, on its own, so it takes only scalars. 1: stop. */
__attribute__((noinline)) int bounded_step(u32 cpu, u32 kind)
{
	struct loop c;

	if (!loop_of(&c, cpu))
		return 1;
	return kind == LOOP_WALK ? take_next(&c) != PYWALK_MORE : send_code(SELF, c.s, c.l);
}

/* More would be too many branches for the verifiers of old kernels. */
enum { BOUNDED_STEPS = 6144 };

__attribute__((noinline)) int bounded_loop(u32 cpu, u32 kind)
{
	u32 i;

	for (i = 0; i < BOUNDED_STEPS; i++)
		if (bounded_step(cpu, kind))
			break;
	return i;
}

static __always_inline void loop_bounded(struct loop *c, enum loop_kind kind)
{
	bounded_loop(bpf_get_smp_processor_id(), kind);
}

#endif

/* --- a sample --------------------------------------------------------------------------------- */

static __always_inline u64 pc_of_context(void *ctx, struct task_struct *task, struct pywalk *w)
{
	volatile struct context_regs *regs = ctx;
	u32 i;

	if (!CONTEXT_USER(regs))
		return 0;
	if (w) {
#pragma unroll
		for (i = 0; i < sizeof(regs->before) / 8; i++)
			w->regs[i] = regs->before[i];
		w->has_regs = 1;
	}
	return regs->PC;
}

/* If the kernel was interrupted: where user code entered it (bpf_task_pt_regs, 5.15). */
static __always_inline u64 pc_modern(void *ctx, struct task_struct *task, struct pywalk *w)
{
	u64 pc = pc_of_context(ctx, task, w);

	return pc ? pc : pc_of_task(NULL, bpf_get_current_task_btf(), NULL);
}

static __always_inline u64 sp_of_context(void *ctx, struct task_struct *task)
{
	volatile struct context_regs *regs = ctx;

	return CONTEXT_USER(regs) ? regs->sp : 0;
}

static __always_inline u64 sp_modern(void *ctx, struct task_struct *task)
{
	volatile struct context_regs *regs = ctx;

	return CONTEXT_USER(regs) ? regs->sp : sp_of_task(NULL, bpf_get_current_task_btf());
}

/* --- processes with several interpreters ------------------------------------------------------ */

static __always_inline bool choose_global(struct loop *c)
{
	u32 i, more = c->s->proc.more;

	for (i = 0; i < WIRE_MAX_INTERPS; i++)
		choose_note(c, i, i <= more ? take_look(c, i) : NOWHERE);
	return choose_end(c);
}

/* --- a sample of a Python process ------------------------------------------------------------- */

/* A worker of io_uring has the saved registers of the thread that made it. */
static __always_inline void set_leaf(struct loop *c, struct bpf_perf_event_data *ctx,
				     struct count_key *key, u32 flags, bool several, bool modern)
{
	volatile struct context_regs *regs = (void *)ctx;

	if (CONTEXT_USER(regs)) {
		key->leaf = leaf_of_user(c, regs->PC, key->state & THREAD_HOLDS_GIL, several);
		return;
	}
	key->leaf = RAN_KERNEL;
	if (!task_is_worker(flags))
		key->state |= modern ? leaf_call_modern() : leaf_call_old(0);
}

/* What a program can use and is to read, constant. */
enum manner {
	OLD, /* no bpf_loop, no BTF pointers */
	MODERN,
	TASKS, /* the running asyncio task, too */
};

static __always_inline enum wire_fate sample_python(struct bpf_perf_event_data *ctx,
						    struct task_struct *task, struct scratch *s,
						    struct count_key *key, u32 flags, enum manner m)
{
	struct loop c = { .s = s, .src = SELF };
	bool several = s->proc.more; /* choosing one replaces s->proc */
	bool modern = m != OLD;
	struct wire_stats *st;
	enum wire_fate fate;
	u32 end;

#if defined(NATIVE) || defined(KERNSTACK)
	fate = take_stack(&c, task, flags, true, take_find, loop_modern, choose_modern, pc_modern,
			  sp_modern, ctx);
#else
	if (m == TASKS)
		task_begin(s->walk.index);
	fate = m == TASKS ? take_stack(&c, task, flags, true, take_find, loop_noting, choose_modern,
				       pc_modern, sp_modern, ctx)
	       : modern   ? take_stack(&c, task, flags, true, take_find, loop_modern, choose_modern,
				       pc_modern, sp_modern, ctx)
			: take_stack(&c, task, flags, false, take_find, loop_bounded, choose_global,
				     pc_of_context, sp_of_context, ctx);
#endif
	if (fate != FATES)
		return fate;
	if (take_holds_gil(&c))
		key->state |= THREAD_HOLDS_GIL;
	if (modern && (cfg.wall & WALL_GIL) && !key->state)
		return FATE_FILTERED;
	set_leaf(&c, ctx, key, flags, several, modern);
#ifdef NATIVE
	key->stack = natsample_stack(&c, task, ctx, flags, natsample_here);
#else
	key->stack = m == TASKS ? task_here(s->walk.index, s->walk.stack.id) : s->walk.stack.id;
#endif
#ifdef KERNSTACK
	if (KERNSTACK && key->leaf == RAN_KERNEL)
		key->stack = kernstack_take(ctx, s->walk.index, key->stack);
#endif
	end = s->walk.stack.end;
	st = stats_get();
	if (st && end < WALK_ENDS)
		st->end[end]++;
	return count(task, key, 1);
}

static __always_inline enum wire_fate sample_known(struct bpf_perf_event_data *ctx,
						   struct task_struct *task, struct scratch *s,
						   struct proc_info *info, u32 cpu, u32 flags,
						   enum manner m)
{
	const bool modern = m != OLD;
	struct count_key key = {};
	enum wire_fate fate;

	if (info->kind == PROC_OTHER)
		return sample_other(task, info);
	if (info->kind == PROC_UNSUPPORTED) {
		ask_again(info);
		return FATE_UNSUPPORTED;
	}
	if (info->kind == PROC_PENDING) {
		__sync_fetch_and_add(&info->pending, 1);
		return FATE_PENDING;
	}
	s->proc = *info;
	if (info->kind == PROC_STARTING) {
		fate = sample_starting(task, s, info, cpu);
		if (fate != FATES)
			return fate;
	}
	key.proc = s->walk.stack.proc;
	key.tid = task_pid_tgid(task, modern);
	key.life = task_life(task, modern);
	key.start_ns = modern ? task->start_boottime : BPF_CORE_READ(task, start_boottime);
	fate = sample_python(ctx, task, s, &key, flags, m);
	if (fate != FATE_BROKEN && s->walk.learned && !s->proc.more)
		info->slot = s->walk.learned;
	return fate;
}

static __always_inline enum wire_fate sample_task(struct bpf_perf_event_data *ctx,
						  struct task_struct *task, enum manner m)
{
	const bool modern = m != OLD;
	u64 pid_tgid = task_pid_tgid(task, modern);
	u32 flags, cpu = bpf_get_smp_processor_id();
	struct proc_info *info;
	struct scratch *s;

	if (!pid_tgid)
		return FATE_IDLE;
	flags = modern ? task->flags : BPF_CORE_READ(task, flags);
	if (flags & PF_KTHREAD)
		return FATE_KERNEL;
	if (cfg.filters && !filter_passes(task, pid_tgid >> 32, pid_tgid))
		return FATE_FILTERED;
	if (modern && cfg.wall)
		wall_ran(task);
	s = bpf_map_lookup_elem(&scratches, &cpu);
	if (!s)
		return FATE_BROKEN;
	s->walk.index = cpu;
	if (modern)
		proc_key_of(&s->walk.stack.proc, task);
	else
		proc_key_read(&s->walk.stack.proc, task);
	info = bpf_map_lookup_elem(&procs, &s->walk.stack.proc);
	/* Inside execve a known program may have no entry yet. */
	if (!info && start_program(cpu))
		info = bpf_map_lookup_elem(&procs, &s->walk.stack.proc);
	if (!info)
		return ask_loader(task, s, BPF_NOEXIST);
	return sample_known(ctx, task, s, info, cpu, flags, m);
}

static __always_inline int run(struct bpf_perf_event_data *ctx, struct task_struct *task,
			       enum manner m)
{
	struct wire_stats *st = stats_get();
	enum wire_fate fate = sample_task(ctx, task, m);

	if (st && fate < FATES)
		st->fate[fate]++;
	return 0;
}

/*
 * run(), and then has the task read what was not resident. Entries left by another program on this CPU
 * belong to another task: clears them first. Map after is empty where the kernel has no task work.
 */
static __always_inline int run_faulting(struct bpf_perf_event_data *ctx, enum manner m)
{
	struct wanted *w = wanted_here();
	u32 first = 0;

	if (w) {
		w->count = 0;
		w->page = 0;
	}
	run(ctx, bpf_get_current_task_btf(), m);
	w = wanted_here(); /* looked up again, or the verifier checks all of the above twice */
	if (w && (w->count || w->page))
		bpf_tail_call(ctx, &after, first);
	return 0;
}

#endif
