/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The native walker: from the registers of a frame to those of its caller, by the rows of native.h.
 * Like pywalk.h it calls no BPF helper and uses no map, so that the kernel, the loader and the tests
 * run the same source. A file that includes it first defines:
 *
 *	natwalk_source		type of what is walked; the walker only passes pointers to it
 *	int read_user(natwalk_source *src, void *to, u32 len, u64 address)	0 or < 0
 *	const struct native_map *native_map_at(natwalk_source *src, u32 i)	or NULL
 *	const struct native_chunk *native_chunk_at(natwalk_source *src, u32 number)	or NULL
 *	const struct native_pool *native_pool_at(natwalk_source *src, u32 i)	or NULL
 *	int natwalk_a64(natwalk_source *src)	1: the registers are aarch64's; 0: x86-64's
 *
 *	natwalk_start ─► natwalk_step ─► NATWALK_MORE: w->frame, and the registers of its caller
 *	                    ▲      │      └─► natwalk_step ...
 *	                    │      └───► NATWALK_END: w->frame, w->end
 *	                    └── natwalk_resume: the registers of a caller are known otherwise
 *
 * A step records nothing. Its caller takes w->frame and the part of the stack that belongs to it,
 * [w->low, w->high): a frame of the interpreter's loop is recognized by what lies in it.
 *
 * Invariants:
 *  - All memory read is hostile: buffer offsets are masked, the stack pointer only grows except at a
 *    signal frame, and the caller bounds the number of steps.
 *  - The stack is read to the end of a page at once and walked in the buffer: a read costs more than
 *    a frame. The mapping of the last frame is tried first.
 *  - Searches have no branches, because the verifier follows both ways of each.
 */
#ifndef KRAIT_NATWALK_H
#define KRAIT_NATWALK_H

#include "native.h"

#define NATWALK_FN static inline __attribute__((always_inline))

enum {
	NATWALK_WINDOW = 4096,
	NATWALK_REGS = 32,
};

/* Return values of natwalk_step(). */
enum { NATWALK_MORE, NATWALK_END };

struct natwalk {
	/* The registers of the current frame. */
	__u64 pc, sp, fp;
	__u64 regs[NATWALK_REGS]; /* others, by DWARF's numbers, if has_regs */
	__u64 lr;                 /* aarch64: x30, if live */
	__u32 live;               /* pc is an instruction that runs; else a return address */
	__u32 has_regs;           /* set by the caller for the first frame */
	__u32 fp_lost;            /* fp is unknown */
	__u32 pad;

	/* Mappings of the process. */
	__u32 first_map, maps;

	/* The frame that the last step left, and why the walk ended if it did. */
	__u64 frame;     /* NATIVE_FRAME_* */
	__u64 low, high; /* its part of the stack; high 0: unknown */
	__u64 stop_pc;   /* where the walk ended */
	__u32 end;       /* enum native_end */
	__u32 chunk;     /* NATIVE_NO_CHUNK: its number */
	__u32 unproven;  /* the caller was guessed, and there is a call before its address */
	__u32 refused;   /* NATIVE_NO_CHUNK: and it will not be compiled */
	__u32 pad2;

	__u32 window_len;
	__u64 window; /* address of stack[0] */
	struct native_map map;
	__u8 stack[NATWALK_WINDOW + 8];
};

/* --- numbers -------------------------------------------------------------------------------------- */

/* 1: a < b; the difference must be below 2^63. */
NATWALK_FN __u64 natwalk_below(__u64 a, __u64 b)
{
#ifdef __bpf__
	asm volatile("%0 -= %1; %0 >>= 63" : "+r"(a) : "r"(b)); /* compilers make a branch of it */
	return a;
#else
	return (a - b) >> 63;
#endif
}

NATWALK_FN __u16 natwalk_u16(const struct native_pool *p, __u32 at)
{
	return p->at[at & (NATIVE_POOL - 1)];
}

/* --- the stack ------------------------------------------------------------------------------------ */

/* Reads the word at @at of the stack. 0 or < 0. */
NATWALK_FN int natwalk_word(natwalk_source *src, struct natwalk *w, __u64 at, __u64 *ret)
{
	__u64 off = at - w->window;
	__u32 len;

	if (at & 7)
		return -1;
	if (off >= w->window_len || off >= NATWALK_WINDOW) {
		len = NATWALK_WINDOW - (at & (NATWALK_WINDOW - 1));
		if (len > NATWALK_WINDOW)
			return -1;
		w->window_len = 0;
		if (read_user(src, w->stack, len, at))
			return -1;
		w->window = at;
		w->window_len = len;
		off = 0;
	}
	*ret = *(__u64 *)(w->stack + (off & (NATWALK_WINDOW - 8)));
	return 0;
}

/* An address without the signature that aarch64 may have put into its upper bits. */
NATWALK_FN __u64 natwalk_address(natwalk_source *src, __u64 pc)
{
	return natwalk_a64(src) ? pc & NATIVE_FRAME_WHERE : pc;
}

/* Is there a call before the return address @ra? */
NATWALK_FN int natwalk_behind_call(natwalk_source *src, __u64 ra)
{
	__u32 insn, is = 0, n;
	__u8 b[8];

	if (natwalk_a64(src)) { /* bl; blr, blraa and the like */
		if (read_user(src, &insn, 4, ra - 4))
			return 0;
		return (insn & 0xfc000000) == 0x94000000 || (insn & 0xfefff000) == 0xd63f0000;
	}
	if (read_user(src, b, 8, ra - 8))
		return 0;
	for (n = 2; n <= 7; n++) /* call *ADDRESS: ff /2 */
		is |= (b[8 - n] == 0xff) & ((b[9 - n] & 0x38) == 0x10);
	return is | (b[3] == 0xe8);
}

/* --- rows ----------------------------------------------------------------------------------------- */

/* Finds the mapping of @pc for w->map. 0 or < 0: none. */
NATWALK_FN int natwalk_find_map(natwalk_source *src, struct natwalk *w, __u64 pc)
{
	__u32 at = w->first_map, end = at + w->maps, step, next;
	const struct native_map *m;

	if (pc - w->map.start < w->map.end - w->map.start)
		return 0;
	for (step = NATIVE_MAX_MAPS / 2; step; step >>= 1) {
		if (step >= w->maps)
			continue;
		next = at + step;
		m = native_map_at(src, next);
		if (!m)
			return -1;
		at += step & -(natwalk_below(next, end) & ~natwalk_below(pc, m->start));
	}
	m = native_map_at(src, at);
	if (!m || pc < m->start || pc >= m->end || !w->maps)
		return -1;
	w->map = *m;
	return 0;
}

/*
 * The last of @n ascending numbers from @base on that is at most @off; 0 if none is. @most: a power of
 * two, more than half of the largest n.
 */
NATWALK_FN __u32 natwalk_last(const struct native_pool *p, __u32 base, __u32 n, __u32 off,
			      __u32 most)
{
	__u32 at = 0, step;

	for (step = most; step; step >>= 1) {
		if (step >= n)
			continue;
		at += step & -(natwalk_below(at + step, n) &
			       ~natwalk_below(off, natwalk_u16(p, base + at + step)));
	}
	return at;
}

/* The rule for byte @off of a chunk. */
NATWALK_FN __u32 natwalk_rule(const struct native_pool *p, const struct native_chunk *c, __u32 off)
{
	__u32 body = c->where & (NATIVE_POOL - 1), offsets = body + NATIVE_BUCKETS + 1;
	__u32 bucket = off >> NATIVE_BUCKET_BITS, low, rows;

	low = natwalk_u16(p, body + bucket);
	rows = natwalk_u16(p, body + bucket + 1) + 1 - low;
	low += natwalk_last(p, offsets + low, rows, off, 1 << (NATIVE_BUCKET_BITS - 1));
	return natwalk_u16(p, offsets + c->rows + low);
}

/* Where the function with byte @off begins; @off itself if that is not in the chunk. */
NATWALK_FN __u32 natwalk_function(const struct native_pool *p, const struct native_chunk *c,
				  __u32 off)
{
	__u32 body = c->where & (NATIVE_POOL - 1), start,
	      funcs = body + NATIVE_BUCKETS + 1 + 2 * c->rows;

	if (!c->funcs)
		return off;
	start = natwalk_u16(p, funcs + natwalk_last(p, funcs, c->funcs, off, NATIVE_MAX_FUNCS / 2));
	return start <= off ? start : off;
}

/* --- steps ---------------------------------------------------------------------------------------- */

/* Where a rule says that the caller's registers are. */
struct natwalk_rule {
	__u64 cfa;
	__s32 fp, ra; /* enum native_place, or distance from the CFA */
	__u32 guess;
};

NATWALK_FN int natwalk_end(struct natwalk *w, __u32 end)
{
	w->end = end;
	w->stop_pc = w->pc;
	return NATWALK_END;
}

/* The value of register number @reg. 0, or NATIVE_NO_REGISTER. */
NATWALK_FN __u32 natwalk_register(natwalk_source *src, struct natwalk *w, __u32 reg, __u64 *ret)
{
	if (reg == (natwalk_a64(src) ? 31 : 7)) {
		*ret = w->sp;
		return 0;
	}
	if (reg == (natwalk_a64(src) ? 29 : 6)) {
		*ret = w->fp;
		return w->fp_lost ? NATIVE_NO_REGISTER : 0;
	}
	*ret = w->regs[reg & (NATWALK_REGS - 1)];
	return w->has_regs ? 0 : NATIVE_NO_REGISTER;
}

/* 0, or an enum native_end. */
NATWALK_FN __u32 natwalk_narrow(natwalk_source *src, struct natwalk *w, __u32 rule,
				struct natwalk_rule *ret)
{
	__u32 n = rule >> NATIVE_N_SHIFT & NATIVE_N, k = rule & NATIVE_K;

	if ((rule & NATIVE_FP) && w->fp_lost)
		return NATIVE_NO_REGISTER;
	ret->cfa = (rule & NATIVE_FP ? w->fp : w->sp) + 8 * n;
	ret->guess = 0;
	ret->fp = k;
	ret->ra = -8;
	if (k > NATIVE_LOST)
		ret->fp = -8 * (__s32)(natwalk_a64(src) && k == NATIVE_AT_BASE ? n : k);
	if (natwalk_a64(src))
		ret->ra = k == NATIVE_KEEP ? NATIVE_PLACE_KEEP : ret->fp + 8;
	return 0;
}

/* The same of the wide rule at @at of the pool. */
NATWALK_FN __u32 natwalk_wide(natwalk_source *src, struct natwalk *w, const struct native_pool *p,
			      __u32 at, struct natwalk_rule *ret)
{
	__u32 flags = natwalk_u16(p, at + 1), end;
	__s32 offset = natwalk_u16(p, at + 4) | (__u32)natwalk_u16(p, at + 5) << 16;
	__u64 cfa;

	end = natwalk_register(src, w, natwalk_u16(p, at), &cfa);
	if (end)
		return end;
	cfa += (__s64)offset;
	if (flags & NATIVE_DEREF) {
		if (natwalk_word(src, w, cfa, &cfa))
			return NATIVE_UNREADABLE;
		cfa += (__s16)natwalk_u16(p, at + 6);
	}
	ret->cfa = cfa;
	ret->guess = flags & NATIVE_GUESS;
	ret->fp = (__s16)natwalk_u16(p, at + 2);
	ret->ra = (__s16)natwalk_u16(p, at + 3);
	return 0;
}

/* Takes a register from where a rule says. 0 or NATIVE_UNREADABLE. */
NATWALK_FN __u32 natwalk_saved(natwalk_source *src, struct natwalk *w, __u64 cfa, __s32 place,
			       __u64 *value)
{
	__u64 at = place == NATIVE_PLACE_AT_FP ? w->fp : cfa + (__s64)place;

	return natwalk_word(src, w, at, value) ? NATIVE_UNREADABLE : 0;
}

/* The caller's registers by a rule. 0, or an enum native_end. */
NATWALK_FN __u32 natwalk_apply(natwalk_source *src, struct natwalk *w, const struct natwalk_rule *r)
{
	__u64 fp = w->fp, ra = w->lr;
	__u32 in_register =
		r->ra == NATIVE_PLACE_KEEP; /* aarch64, and only before the first call */

	w->high = r->cfa;
	if ((r->cfa & 7) || r->cfa < w->sp || (r->cfa == w->sp && !in_register))
		return NATIVE_STUCK;
	if (in_register && !w->live)
		return NATIVE_NO_REGISTER;
	if (r->fp == NATIVE_PLACE_AT_FP && w->fp_lost)
		return NATIVE_NO_REGISTER;
	if (r->fp == NATIVE_PLACE_LOST)
		w->fp_lost = 1;
	else if (r->fp != NATIVE_PLACE_KEEP) {
		if (natwalk_saved(src, w, r->cfa, r->fp, &fp))
			return NATIVE_UNREADABLE;
		w->fp_lost = 0;
	}
	if (!in_register && natwalk_saved(src, w, r->cfa, r->ra, &ra))
		return NATIVE_UNREADABLE;
	ra = natwalk_address(src, ra);
	if (r->guess && !natwalk_behind_call(src, ra))
		return NATIVE_NO_ROW;
	w->unproven = r->guess;
	w->sp = r->cfa;
	w->fp = fp;
	w->pc = ra;
	w->live = w->has_regs = 0;
	return 0;
}

/*
 * The registers that a signal interrupted. The kernel has put them on the stack, in struct ucontext;
 * aarch64 has struct siginfo before it.
 */
NATWALK_FN __u32 natwalk_signal(natwalk_source *src, struct natwalk *w)
{
	__u32 a64 = natwalk_a64(src);
	__u64 base = w->sp, sp, fp, pc, lr = 0;

	if (natwalk_word(src, w, base + (a64 ? 544 : 120), &fp) ||
	    (a64 && natwalk_word(src, w, base + 552, &lr)) ||
	    natwalk_word(src, w, base + (a64 ? 560 : 160), &sp) ||
	    natwalk_word(src, w, base + (a64 ? 568 : 168), &pc))
		return NATIVE_UNREADABLE;
	w->sp = sp;
	w->fp = fp;
	w->pc = natwalk_address(src, pc);
	w->lr = lr;
	w->live = 1;
	w->has_regs = w->fp_lost = 0;
	return 0;
}

/* Applies the rule of one row. 0, or an enum native_end, NATIVE_COMPLETE included. */
NATWALK_FN __u32 natwalk_by_row(natwalk_source *src, struct natwalk *w, const struct native_pool *p,
				const struct native_chunk *c, __u32 rule, __u32 *complete)
{
	struct natwalk_rule r = {};
	__u32 end = 0;

	if (rule < NATIVE_SPECIAL) {
		end = natwalk_narrow(src, w, rule, &r);
	} else if (rule >= NATIVE_WIDE) {
		end = natwalk_wide(src, w, p,
				   c->where + NATIVE_BUCKETS + 1 + 2 * c->rows + c->funcs +
					   NATIVE_WIDE_WORDS * (rule - NATIVE_WIDE),
				   &r);
	} else if (rule == NATIVE_SIGNAL) {
		return natwalk_signal(src, w);
	} else if (rule == NATIVE_PLT11 || rule == NATIVE_PLT10) {
		r.cfa = w->sp + 8 + ((w->pc & 15) >= (rule == NATIVE_PLT11 ? 11 : 10) ? 8 : 0);
		r.ra = -8;
	} else {
		*complete = rule == NATIVE_OUTERMOST;
		return rule == NATIVE_COMPLEX ? NATIVE_NO_RULE : NATIVE_NO_ROW;
	}
	if (end)
		return end;
	end = natwalk_apply(src, w, &r);
	*complete = !end && !w->pc;
	return end;
}

/* The chunk with @pc of the mapping w->map, and the pool with its body; 0: not compiled. */
NATWALK_FN const struct native_chunk *natwalk_chunk(natwalk_source *src, struct natwalk *w,
						    __u64 pc, const struct native_pool **pool)
{
	const struct native_chunk *c;

	w->chunk = w->map.chunk + (__u32)((pc - w->map.bias) >> NATIVE_CHUNK_BITS);
	c = native_chunk_at(src, w->chunk);
	w->refused = c && c->state == NATIVE_REFUSED;
	if (!c || c->state != NATIVE_READY)
		return 0;
	*pool = native_pool_at(src, c->where >> NATIVE_POOL_BITS);
	return *pool ? c : 0;
}

/* Before the first step: user code stopped at @pc with these registers. Fills no mappings. */
NATWALK_FN void natwalk_start(struct natwalk *w, __u64 pc, __u64 sp, __u64 fp)
{
	w->pc = pc;
	w->sp = sp;
	w->fp = fp;
	w->live = 1;
	w->fp_lost = 0;
	w->window_len = 0;
	w->map.start = w->map.end = 0;
	w->end = NATIVE_COMPLETE;
}

/* After an end: the walk goes on in a caller whose registers are known otherwise. */
NATWALK_FN void natwalk_resume(natwalk_source *src, struct natwalk *w, __u64 pc, __u64 sp, __u64 fp)
{
	w->pc = natwalk_address(src, pc);
	w->sp = sp;
	w->fp = fp;
	w->live = w->has_regs = w->fp_lost = 0;
}

/*
 * Leaves one frame: w->frame and its part of the stack are set, and the registers are its caller's.
 * NATWALK_END: there is no known caller, w->end says why. NATIVE_NO_CHUNK: the same step works once
 * chunk number w->chunk is compiled.
 */
NATWALK_FN int natwalk_step(natwalk_source *src, struct natwalk *w)
{
	__u64 pc = w->pc - !w->live, flag = w->live ? 0 : NATIVE_FRAME_RETURN;
	const struct native_pool *pool;
	const struct native_chunk *c;
	__u32 off, end, complete = 0;

	w->low = w->sp;
	w->high = 0;
	w->unproven = 0;
	w->frame = NATIVE_FRAME_ABSOLUTE | flag | (w->pc & NATIVE_FRAME_WHERE);
	if (natwalk_find_map(src, w, pc))
		return natwalk_end(w, NATIVE_NO_MAPPING);
	if (w->map.flags & NATIVE_MAP_ANON)
		return natwalk_end(w, NATIVE_NO_FILE);
	if (w->map.flags & NATIVE_MAP_OPAQUE)
		return natwalk_end(w, NATIVE_NOT_READ);
	c = natwalk_chunk(src, w, pc, &pool);
	off = (pc - w->map.bias) & (NATIVE_CHUNK - 1);
	w->frame = flag | (__u64)w->chunk << NATIVE_CHUNK_BITS | off;
	if (!c)
		return natwalk_end(w, NATIVE_NO_CHUNK);
	end = natwalk_by_row(src, w, pool, c, natwalk_rule(pool, c, off), &complete);
	if (complete)
		return natwalk_end(w, NATIVE_COMPLETE);
	return end ? natwalk_end(w, end) : NATWALK_MORE;
}

#endif
