/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The buffers of one native walk, and the seats that the Python walk notes there. Only native.bpf.c and
 * natvisit.bpf.c have them, so the maps exist only if native frames are asked for. SEATS is empty
 * where the maps are defined.
 */
#ifndef KRAIT_NATSEATS_BPF_H
#define KRAIT_NATSEATS_BPF_H

#include "maps.bpf.h"
#include "memory.bpf.h"
#include "native.h"

typedef pywalk_source natwalk_source;

#ifndef SEATS
#define SEATS extern
#endif

enum {
	MMAPABLE = 1024,       /* BPF_F_MMAPABLE */
	NATIVE_MAPS = 65536,   /* entries: 1,000 processes of 65 mappings */
	NATIVE_CHUNKS = 65536, /* 4 GiB of text */
	NATIVE_POOLS = 64,     /* 16 MiB */
};

/* Written by the loader. A process has a range of its own (native_proc.maps). */
SEATS struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, MMAPABLE);
	__type(key, u32);
	__type(value, struct native_map);
	__uint(max_entries, NATIVE_MAPS);
} native_maps SEC(".maps");

SEATS struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, MMAPABLE);
	__type(key, u32);
	__type(value, struct native_chunk);
	__uint(max_entries, NATIVE_CHUNKS);
} native_chunks SEC(".maps");

/* The loader adds a pool when it needs one. */
SEATS struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, NATIVE_POOLS);
	__type(key, u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(map_flags, MMAPABLE);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(u32));
			__uint(value_size, sizeof(struct native_pool));
		});
} native_pools SEC(".maps");

SEATS struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct proc_key);
	__type(value, struct native_proc);
	__uint(max_entries, 16384);
} native_procs SEC(".maps");

static __always_inline const struct native_map *native_map_at(natwalk_source *src, u32 i)
{
	return bpf_map_lookup_elem(&native_maps, &i);
}

static __always_inline const struct native_chunk *native_chunk_at(natwalk_source *src, u32 number)
{
	return bpf_map_lookup_elem(&native_chunks, &number);
}

static __always_inline const struct native_pool *native_pool_at(natwalk_source *src, u32 i)
{
	void *pool = bpf_map_lookup_elem(&native_pools, &i);
	u32 zero = 0;

	return pool ? bpf_map_lookup_elem(pool, &zero) : NULL;
}

static __always_inline int natwalk_a64(natwalk_source *src)
{
#if defined(__TARGET_ARCH_x86)
	return 0;
#else
	return 1;
#endif
}

#include "natstack.h"

struct native_scratch {
	u32 noted; /* seats by the Python walk */
	u32 cframes;
	u64 cframe; /* the last one */
	u64 tick;   /* of the visitor, and how many copies it has sent in it */
	u32 copies;
	u32 pad;
	struct natstack stack;
	u64 cframe_at[WIRE_MAX_SEATS];
	struct wire_native head; /* stack.frame is copied behind it */
	u64 frame[WIRE_MAX_NATIVE];
	struct wire_copy copy;
	u8 copied[WIRE_COPY_PAGES * WIRE_PAGE];
};

SEATS struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct native_scratch);
	__uint(max_entries, 1); /* like map scratches */
} native_scratches SEC(".maps");

static __always_inline void natseats_note(u32 index, u64 at, u32 frames)
{
	struct native_scratch *n = bpf_map_lookup_elem(&native_scratches, &index);
	struct wire_seat *seat;

	if (!n || n->noted >= WIRE_MAX_SEATS)
		return;
	seat = natstack_seat(&n->stack, n->noted++);
	seat->at = at;
	seat->frames = frames;
}

static __always_inline void natseats_drop(u32 index)
{
	struct native_scratch *n = bpf_map_lookup_elem(&native_scratches, &index);

	if (n)
		n->noted = 0;
}

#define pywalk_note_seat(w, at) natseats_note((w)->index, at, (w)->total)
#define pywalk_drop_seats(w)    natseats_drop((w)->index)

#endif
