/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Unwind rows: for each instruction of a file, where its caller's registers are. The loader compiles
 * them from the file's .eh_frame, the native walker (natwalk.h) applies them, in the kernel and on
 * the host. They hold no addresses of a process, so all processes share them.
 *
 *	mapping (struct native_map) ── address - bias ──► address in the file
 *	                                                  │        │
 *	                                          upper bits      lower 16 bits
 *	                                                  ▼        ▼
 *	                          chunk (struct native_chunk)    offset ──► row ──► rule
 *
 * A chunk is 64 KiB of a file's addresses. A file has consecutive chunk numbers. The body of a chunk
 * is an array of u16 in a pool, and does not cross the end of the pool:
 *
 *	index[NATIVE_BUCKETS + 1]  the row that holds at the first byte of each bucket; the last row
 *	offsets[rows]              first byte of each row, ascending, the first one 0
 *	rules[rows]                what holds from there to the next row
 *	funcs[funcs]               first bytes of functions, ascending
 *	wides[wides]               struct native_wide: what does not fit into 16 bits
 *
 * A rule has the CFA (canonical frame address: the stack pointer before the call, on x86-64 without
 * the return address) and the place of the caller's frame pointer (rbp, x29). On x86-64 the return
 * address is at CFA - 8. On aarch64 it is beside the frame pointer (a frame record), or still in x30.
 *
 *	bit 15      0: CFA = sp + 8 * n, 1: CFA = fp + 8 * n
 *	bits 14..5  n
 *	bits 4..0   k  0 NATIVE_KEEP  frame pointer unchanged; aarch64: return address in x30
 *	               1 NATIVE_LOST  frame pointer unknown; not used on aarch64
 *	               2..30          frame pointer at CFA - 8 * k; aarch64: return address above it
 *	               31             x86-64: the same; aarch64: frame record at CFA - 8 * n (the base)
 *
 * Rules from NATIVE_SPECIAL on have meanings of their own.
 */
#ifndef KRAIT_NATIVE_H
#define KRAIT_NATIVE_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

enum native_limits {
	NATIVE_CHUNK_BITS = 16,
	NATIVE_CHUNK = 1 << NATIVE_CHUNK_BITS, /* bytes of text */
	NATIVE_BUCKET_BITS = 8,
	NATIVE_BUCKETS = NATIVE_CHUNK >> NATIVE_BUCKET_BITS,
	NATIVE_MAX_ROWS = 1 << 14, /* of a chunk; 1,500 are usual */
	NATIVE_MAX_FUNCS = 1 << 14,
	NATIVE_POOL_BITS = 17, /* u16s of a pool: 256 KiB */
	NATIVE_POOL = 1 << NATIVE_POOL_BITS,
	NATIVE_MAX_MAPS = 1024, /* executable mappings of a process; a power of two */
};

enum native_rule {
	NATIVE_KEEP = 0,
	NATIVE_LOST = 1,
	NATIVE_AT_BASE = 31, /* aarch64 */
	NATIVE_K = 31,       /* mask */
	NATIVE_N_SHIFT = 5,
	NATIVE_N = 0x3ff, /* mask, after the shift */
	NATIVE_FP = 0x8000,

	NATIVE_SPECIAL = 0xfc00,
	NATIVE_NONE = NATIVE_SPECIAL, /* nothing is known here */
	NATIVE_OUTERMOST,             /* there is no caller */
	NATIVE_SIGNAL,                /* a signal handler returns to here */
	NATIVE_PLT11,                 /* CFA = sp + 8, from byte 11 of each 16 on sp + 16 */
	NATIVE_PLT10,                 /* the same from byte 10 on */
	NATIVE_COMPLEX,               /* there is unwind information, but no rule for it */
	NATIVE_WIDE = 0xfc20,         /* plus the number of a wide rule of this chunk */
	NATIVE_MAX_WIDES = 0x10000 - NATIVE_WIDE,
};

/* Where a wide rule finds a register: one of these, or its distance from the CFA (never these). */
enum native_place {
	NATIVE_PLACE_KEEP = 0,  /* unchanged */
	NATIVE_PLACE_LOST = 1,  /* unknown */
	NATIVE_PLACE_AT_FP = 2, /* in the word that the frame pointer points to */
};

enum native_wide_flags {
	NATIVE_DEREF = 1, /* CFA = *(base + offset) + add; else base + offset */
	NATIVE_GUESS =
		2, /* no unwind information says so: check for a call before the return address */
};

/* A wide rule; in a pool it is only aligned to 2 bytes. */
struct native_wide {
	__u16 base; /* DWARF's number of a register */
	__u16 flags;
	__s16 fp; /* enum native_place, or distance of the frame pointer from the CFA */
	__s16 ra; /* the same for the return address */
	__u16 offset_low, offset_high;
	__s16 add;
	__u16 pad;
};

enum { NATIVE_WIDE_WORDS = 8 };
_Static_assert(sizeof(struct native_wide) == 2 * NATIVE_WIDE_WORDS, "native");

enum native_chunk_state {
	NATIVE_ABSENT, /* not compiled */
	NATIVE_ASKED,  /* the loader knows that it is wanted */
	NATIVE_READY,
	NATIVE_REFUSED, /* cannot be compiled */
};

struct native_chunk {
	__u32 where; /* number of the pool << NATIVE_POOL_BITS | first u16 of the body */
	__u32 state; /* enum native_chunk_state; READY is written last */
	__u16 rows, funcs, wides;
	__u16 pad;
};
_Static_assert(sizeof(struct native_chunk) == 16, "native");

enum native_map_flags {
	NATIVE_MAP_ANON = 1,   /* of no file: code that was compiled at run time */
	NATIVE_MAP_OPAQUE = 2, /* of a file that cannot be read */
};

/* An executable mapping. The entries of a process are consecutive, sorted and disjoint. */
struct native_map {
	__u64 start, end;
	__u64 bias;  /* address = bias + address in the file; one file may have several */
	__u32 chunk; /* number of the chunk of address 0 of the file, modulo 2^32 */
	__u32 flags;
};
_Static_assert(sizeof(struct native_map) == 32, "native");

struct native_pool {
	__u16 at[NATIVE_POOL];
};

/*
 * A native frame, the same in every process:
 *
 *	63 ABSOLUTE  62 RETURN  61 LOOP  60..48 PASSED  47..16 number of the chunk  15..0 offset
 *
 * or, ABSOLUTE, an address in no file in bits 47..0. An ABSOLUTE address below NATIVE_END_KINDS is
 * no frame but the reason why frames are missing here. natstack.h sets LOOP and PASSED.
 */
#define NATIVE_FRAME_ABSOLUTE (1ULL << 63)
#define NATIVE_FRAME_RETURN   (1ULL << 62) /* a return address; else an instruction that runs */
#define NATIVE_FRAME_LOOP     (1ULL << 61) /* the interpreter's loop: runs Python frames */
#define NATIVE_FRAME_PASSED   48           /* the Python frames up to here, this one's included */
#define NATIVE_FRAME_WHERE    ((1ULL << 48) - 1)

/* Why a walk ended: X(symbol, text). The text stands in for the frames that are missing. */
#define NATIVE_ENDS(X)                                                                             \
	X(NATIVE_COMPLETE, NULL)                                                                   \
	X(NATIVE_NO_MAPPING, "address in no mapping")                                              \
	X(NATIVE_NO_CHUNK, "unwind rows not compiled")                                             \
	X(NATIVE_NO_ROW, "no unwind information")                                                  \
	X(NATIVE_NO_RULE, "unwind information too complex")                                        \
	X(NATIVE_NO_REGISTER, "caller's register unknown")                                         \
	X(NATIVE_UNREADABLE, "stack unreadable")                                                   \
	X(NATIVE_STUCK, "stack does not grow")                                                     \
	X(NATIVE_DEEP, "too many frames")                                                          \
	X(NATIVE_NO_FILE, "code of no file")                                                       \
	X(NATIVE_NOT_READ, "file not readable")                                                    \
	X(NATIVE_UNMATCHED, "no C frame for a Python frame")                                       \
	X(NATIVE_ASTRAY, "mappings have changed")

#define NATIVE_END_ENUM(symbol, text) symbol,
enum native_end { NATIVE_ENDS(NATIVE_END_ENUM) NATIVE_END_KINDS };

#endif
