/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes with several interpreters: finds the one that a thread runs. */
#ifndef KRAIT_INTERPS_BPF_H
#define KRAIT_INTERPS_BPF_H

#include "scratch.bpf.h"

static __always_inline bool in_entry(const struct scratch *s, const struct py_layout *l, u64 pc)
{
	return (l->flags & PY_ENTRY_WINDOW) && pc - s->proc.entry < s->proc.at_entry.len;
}

/* What a thread has in one interpreter, the weakest evidence first. */
enum presence { NOWHERE, MAY_BORROW, HAS_STATE, HAS_FRAMES, IS_ENTERING };

/* Selects interpreter number @index of this process for the walk; NULL: there is none. */
static __always_inline const struct py_layout *interps_use(struct scratch *s, u32 index)
{
	struct interp_key key = { .proc = s->walk.stack.proc, .index = index };
	struct proc_info *info;

	info = index ? bpf_map_lookup_elem(&more_interps, &key)
		     : bpf_map_lookup_elem(&procs, &key.proc);
	if (!info)
		return NULL;
	s->proc = *info;
	s->layout = s->proc.layout;
	s->walk.code_type = s->proc.code_type;
	return bpf_map_lookup_elem(&layouts, &s->layout);
}

/* Selects interpreter number @index for the walk and returns what the thread has in it. */
static __always_inline enum presence interps_look(pywalk_source *src, struct scratch *s, u32 index,
						  u64 pc)
{
	const struct py_layout *l = interps_use(s, index);
	u64 top = 0;
	int go;

	if (!l)
		return NOWHERE;
	if (in_entry(s, l, pc))
		return IS_ENTERING;
	go = pywalk_find(src, &s->walk, l, &s->proc);
	if (go == PYWALK_SCAN && s->walk.borrowed)
		return s->walk.frameless ? HAS_STATE : MAY_BORROW;
	if (go == PYWALK_SCAN)
		return HAS_FRAMES; /* perhaps: the walk will tell */
	if (go != PYWALK_GO)
		return s->walk.stack.end == WALK_UNREADABLE ? HAS_FRAMES : NOWHERE;
	return pywalk_top(src, &s->walk, l, &top) || top ? HAS_FRAMES : HAS_STATE;
}

#endif
