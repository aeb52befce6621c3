/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sends a stack to the loader: its code objects, the stack itself and the name of its thread, each
 * once, and counts it. A stack must be sent before it is counted.
 */
#ifndef KRAIT_SEND_BPF_H
#define KRAIT_SEND_BPF_H

#include "cgroup.bpf.h"
#include "scratch.bpf.h"

static __always_inline u64 *sent_slot(void *map, u32 index)
{
	return bpf_map_lookup_elem(map, &index);
}

static __always_inline bool was_sent(void *map, u32 slots, u64 id)
{
	u32 index = id & (slots - 1);
	u64 *slot = sent_slot(map, index);

	if (slot && *slot == id)
		return true;
	slot = sent_slot(map, index ^ 1);
	return slot && *slot == id;
}

static __always_inline void mark_sent(void *map, u32 slots, u64 id)
{
	u32 index = id & (slots - 1);
	u64 *slot = sent_slot(map, index);

	/* Which of the two is older is unknown: evict either. */
	if (slot && *slot && (bpf_get_prandom_u32() & 1))
		slot = sent_slot(map, index ^ 1);
	if (slot)
		*slot = id;
}

/*
 * The memory that this sample could not read; bpf/faulting.bpf.h lets the task read it where the
 * kernel can. Only for a task's own memory: a program that reads another task's memory has already
 * faulted the pages in, and may be on another CPU by now.
 */
static __always_inline struct wanted *wanted_here(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&wanted, &cpu);
}

static __always_inline void want_code(const struct wire_code *code)
{
	struct wanted *w = OF_SELF ? wanted_here() : NULL;
	u32 i;

	if (!w || w->count >= WANTED_CODES)
		return;
	i = w->count & (WANTED_CODES - 1);
	w->codes[i] = (struct wanted_code){ code->id, code->addr };
	w->count++;
	w->proc = code->proc;
	w->layout = code->layout;
}

static __always_inline void want_page(const struct wire_stack *stack)
{
	struct wanted *w = OF_SELF ? wanted_here() : NULL;

	if (w) {
		w->page = stack->fault;
		w->proc = stack->proc;
	}
}

/* Sends the code object of frame number s->next_frame if it was never sent. 1: no more frames. */
static __always_inline int send_code(pywalk_source *src, struct scratch *s,
				     const struct py_layout *l)
{
	struct wire_frame *f = &s->walk.frames[s->next_frame & (WIRE_MAX_FRAMES - 1)];
	struct code_record *r = &s->code;
	u64 id = f->code;
	u32 used;

	if (s->next_frame++ >= s->walk.stack.count)
		return 1;
	if (was_sent(&sent_codes, cfg.sent_codes, id))
		return 0;
	if (!s->codes_left) {
		s->deferred = 1;
		stats_note(NOTE_DEFERRED);
		return 1;
	}
	s->codes_left--;
	code_read(src, r, l, f->addr);
	r->head.kind = RECORD_CODE;
	r->head.proc = s->walk.stack.proc;
	r->head.id = id;
	r->head.addr = f->addr;
	r->head.layout = s->layout;
	used = r->used;
	if (used > CODE_DATA)
		return 1;
	if (ring_send(&r->head, sizeof(r->head) + used)) {
		s->deferred = 1;
		stats_note(NOTE_CODE_RING_FULL);
		return 1;
	}
	stats_note(r->head.missing ? NOTE_CODE_UNREADABLE : NOTE_CODES);
	if (r->head.missing & CODE_NOT_RESIDENT)
		want_code(&r->head);
	mark_sent(&sent_codes, cfg.sent_codes, id);
	return 0;
}

static __always_inline int send_stack(struct scratch *s)
{
	struct wire_stack *stack = &s->walk.stack;
	u32 count = stack->count;

	if (count > WIRE_MAX_FRAMES)
		return -1;
	if (ring_send(stack, sizeof(*stack) + count * sizeof(struct wire_frame)))
		return -1;
	stats_note(NOTE_STACKS);
	if (stack->end == WALK_UNREADABLE)
		want_page(stack);
	/* The next sample sends it again if code objects are missing, or a page must be touched. */
	if (!s->deferred && stack->end != WALK_UNREADABLE)
		mark_sent(&sent_stacks, cfg.sent_stacks, stack->id);
	return 0;
}

/*
 * Sends the thread's name, unless the loader has it. This runs once a second for each thread and
 * stack, hence cheap. If the thread has another name by now, the old one was sent when the stack
 * was taken. Not inlined, so that it takes none of the 512 bytes of BPF stack while frames are
 * walked.
 */
static __attribute__((noinline)) int send_thread(struct task_struct *task,
						 const struct count_key *key)
{
	struct thread_key id = { key->proc.start_ns, key->tid, key->proc.exec_id };
	struct wire_thread t = { .kind = RECORD_THREAD, .tid = key->tid, .proc = key->proc };
	u64 comm[2] = {}, *sent = bpf_map_lookup_elem(&sent_threads, &id);

	if (sent && *sent == key->life)
		return 0;
	t.life = task_life_read(&t.start_ns, &comm, task);
	if (t.life != key->life)
		return 0;
	__builtin_memcpy(t.comm, comm, sizeof(t.comm));
	task_comm_read(&t.leader_comm, BPF_CORE_READ(task, group_leader));
	t.thread_pointer = task_thread_pointer(task, false);
	t.ns_tid = task_ns_pid(task);
	t.ns_tgid = task_ns_pid(BPF_CORE_READ(task, group_leader));
	for (u32 view = 0; view < CGROUP_VIEWS; view++)
		t.cgroup[view] = cgroup_id_read(task, view);
	if (!ring_send(&t, sizeof(t)))
		bpf_map_update_elem(&sent_threads, &id, &t.life, BPF_ANY);
	return 0;
}

/*
 * Tells the loader about the process of the walk with that index in scratches, at once. Not inlined: the
 * event takes 104 bytes of the stack.
 */
__attribute__((weak, noinline)) int tell_of_walk(u32 index, u32 kind)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &index);
	struct wire_event event = { .kind = kind };

	if (!s)
		return 0;
	event.proc = s->walk.stack.proc;
	if (bpf_ringbuf_output(&events, &event, sizeof(event), BPF_RB_FORCE_WAKEUP))
		stats_note(NOTE_EVENT_LOST);
	return 0;
}

/* Adds @add samples to @key. */
static __always_inline enum wire_fate count(struct task_struct *task, const struct count_key *key,
					    u64 add)
{
	u64 *n;
	void *set;
	u32 zero = 0;

	set = bpf_map_lookup_elem(&count_sets, &zero);
	if (!set)
		return FATE_BROKEN;
	n = bpf_map_lookup_elem(set, key);
	if (n) {
		__sync_fetch_and_add(n, add);
		return FATE_SHOWN;
	}
	if (bpf_map_update_elem(set, key, &add, BPF_NOEXIST))
		return FATE_COUNTS_FULL;
	send_thread(task, key);
	return FATE_SHOWN;
}

#endif
