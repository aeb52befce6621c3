/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The asyncio task that a thread runs, read in the sample: a task's address is another task's a moment later
 * (20,000 tasks one after another had 8 to 38 addresses), so its name cannot be read afterwards.
 *
 *	3.14+		thread state ─► running task ───────────────────┐
 *	3.12, 3.13	dict {loop: running task} ─► the task whose ────┴─► name: str ────────► name
 *			coroutine has a frame in this stack                 int, "Task-7" ─► coroutine ─► its
 *			                                                                      qualified name
 *
 * A default name is replaced, so that stacks stay few. A task of another type than _asyncio.Task (or one
 * derived from it) has no known fields: it goes by the outermost coroutine of the stack (3.14+).
 *
 * Everything read is hostile: a dict may have TASKS_LOOPS entries, a type TASKS_BASES bases, and a name is cut
 * to WIRE_TASK_TEXT bytes. NOTE_TASK_READS counts reads.
 */
#ifndef KRAIT_TASKNAME_BPF_H
#define KRAIT_TASKNAME_BPF_H

#include "maps.bpf.h"
#include "memory.bpf.h"
#include "task.bpf.h"

enum {
	TASKS_LOOPS = 32, /* event loops in the dict that are examined */
	TASKS_BASES = 4,
	TASKS_OBJECT = 256,
	TASKS_OF_CORO = 1, /* FRAME_OWNED_BY_GENERATOR */
	TASKS_CO_COROUTINE = 0x80,
	TASKS_KEYS = 32,  /* bytes of PyDictKeysObject before its index */
	TASKS_ENTRY = 24, /* bytes of an entry: hash, key, value */
	TASKS_BASE = 240, /* tp_base, from the end of an object's head */
};

#ifndef TASK_MAPS
#define TASK_MAPS extern
#endif

/* Written by the loader; the programs add PLACE_ASKED. */
TASK_MAPS struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct proc_key);
	__type(value, struct task_place);
	__uint(max_entries, 16384);
} task_places SEC(".maps");

struct task_scratch {
	u64 coros[WIRE_TASK_FRAMES]; /* frames of the walk's coroutines: a ring */
	u32 ncoros;
	u32 reads;
	u64 task, coro; /* the running task; its coroutine, 0: not known */
	u64 name;
	u8 object[TASKS_OBJECT + 8];
	u8 dict[TASKS_LOOPS * TASKS_ENTRY + 8];
	u8 head[128]; /* of a str, or of a dict's keys */
	struct wire_tasked record;
	u8 text[WIRE_TASK_TEXT + 8];
};

/* One for each of scratches. */
TASK_MAPS struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct task_scratch);
	__uint(max_entries, 1);
} task_scratches SEC(".maps");

static __always_inline struct task_scratch *task_scratch_of(u32 index)
{
	return bpf_map_lookup_elem(&task_scratches, &index);
}

static __always_inline void task_note_coro(u32 index, u64 at)
{
	struct task_scratch *t = task_scratch_of(index);

	if (t)
		t->coros[t->ncoros++ & (WIRE_TASK_FRAMES - 1)] = at;
}

/* Notes the frame of a coroutine, as its owner and the flags of its code tell. */
#define pywalk_note_frame(w, c, f)                                                                 \
	do {                                                                                       \
		if ((f)->owner == TASKS_OF_CORO && ((c)->flags & TASKS_CO_COROUTINE))              \
			task_note_coro((w)->index, (f)->at);                                       \
	} while (0)

#endif
