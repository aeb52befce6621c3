/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A thread's native stack, merged with its Python stack by address. Walking C frames alone does not
 * tell which of them run Python, and how many Python frames each: a call from Python to Python may
 * or may not take a C frame. The interpreter's loop keeps an object in each of its C frames, the
 * seat, and the Python walk passes by all seats:
 *
 *	C stack                                   Python frames
 *	sorted, list_sort      no seat            -
 *	loop   [low ... seat ... high)  ────────► f, g
 *	object_call            no seat            -
 *	loop   [low ... seat ... high)  ────────► main
 *
 * So a C frame that contains the next seat is the loop, and has exactly the Python frames up to that
 * seat, whatever the compiler has made of the loop's code. high - seat is the same for all C frames
 * of a build: where the walk cannot go on (code compiled at run time, a library without unwind
 * information), it goes on in the caller of the next seat's C frame. Only the frames between are
 * missing, and the reason stands in their place.
 *
 * Versions before 3.10 have no seats. There, a frame whose address is in the loop's code is marked,
 * and each has one Python frame, in order.
 *
 * A file that includes it first defines what natwalk.h needs.
 */
#ifndef KRAIT_NATSTACK_H
#define KRAIT_NATSTACK_H

#include "natwalk.h"
#include "wire.h"

enum {
	NATSTACK_AHEAD =
		3, /* seats compared: the C frames of those before may not have been seen */
	NATSTACK_LOWEST = 4096, /* no code lies below */
};

struct natstack {
	struct natwalk walk;

	/* In. */
	__u32 seats;   /* in seat[], innermost first */
	__u32 by_code; /* there are none: look at code */
	__u64 delta;   /* struct native_proc; may be learned */
	__u32 fp_saved;
	__u32 pad;
	struct proc_code code;

	/* The stack so far. */
	__u32 next; /* of seat[] */
	__u32 passed;
	__u64 hash;
	__u32 unfinished; /* the loader can walk on from here */
	__u32 unmapped;   /* an address was in no mapping: it may be in a new one */
	__u32 pad2;
	__u32 count;
	__u64 frame[WIRE_MAX_NATIVE];

	struct wire_seat seat[WIRE_MAX_SEATS];
};

NATWALK_FN struct wire_seat *natstack_seat(struct natstack *s, __u32 i)
{
	return &s->seat[i & (WIRE_MAX_SEATS - 1)];
}

/* After natwalk_start() and the fields under "In". */
NATWALK_FN void natstack_start(struct natstack *s)
{
	s->next = 0;
	s->passed = 0;
	s->hash = 0;
	s->unfinished = 0;
	s->unmapped = 0;
	s->count = 0;
}

NATWALK_FN __u64 natstack_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
	return hash ^ (hash >> 32);
}

NATWALK_FN void natstack_add(struct natstack *s, __u64 frame)
{
	frame |= (__u64)s->passed << NATIVE_FRAME_PASSED;
	s->frame[s->count & (WIRE_MAX_NATIVE - 1)] = frame;
	s->hash = natstack_mix(s->hash, frame);
	s->count++;
}

/* Is the seat with number @i in the C frame that was left? */
NATWALK_FN int natstack_has(struct natstack *s, __u32 i)
{
	const struct natwalk *w = &s->walk;

	return i < s->seats && natstack_seat(s, i)->at - w->low < w->high - w->low;
}

/* The C frame that was left contains seat number @i. */
NATWALK_FN void natstack_take(struct natstack *s, __u32 i)
{
	__u32 frames = natstack_seat(s, i)->frames;

	s->next = i + 1;
	if (frames < WIRE_MAX_FRAMES && frames > s->passed)
		s->passed = frames;
}

/* NATIVE_FRAME_LOOP if the C frame that was left has the next seat. */
NATWALK_FN __u64 natstack_pair(struct natstack *s)
{
	__u32 i;

	if (!s->walk.high)
		return 0;
	for (i = 0; i < NATSTACK_AHEAD; i++)
		if (natstack_has(s, s->next + i)) {
			natstack_take(s, s->next + i);
			return NATIVE_FRAME_LOOP;
		}
	return 0;
}

/* The same where there are no seats. @pc: of the frame. */
NATWALK_FN __u64 natstack_by_code(const struct natstack *s, __u64 pc)
{
	__u64 off = pc - s->code.text;
	__u32 i, in = 0;

	for (i = 0; i < WIRE_LOOP_PARTS; i++)
		in |= off - s->code.loop[i].from < s->code.loop[i].len;
	return in ? NATIVE_FRAME_LOOP : 0;
}

/* The walk has just left a C frame of the loop to its caller: where were seat and frame pointer? */
NATWALK_FN void natstack_learn(natwalk_source *src, struct natstack *s)
{
	struct natwalk *w = &s->walk;
	__u64 fp;

	if (s->delta || !s->next)
		return;
	s->delta = w->high - natstack_seat(s, s->next - 1)->at;
	s->fp_saved = !natwalk_word(src, w, w->high - 16, &fp) && fp == w->fp && !w->fp_lost;
}

/*
 * The leaf counts by the start of its function: by each of its instructions, a program would have
 * three times as many stacks.
 */
NATWALK_FN __u64 natstack_leaf(natwalk_source *src, struct natwalk *w)
{
	const struct native_chunk *c;
	const struct native_pool *pool;
	__u64 frame = w->frame;

	if (frame & NATIVE_FRAME_ABSOLUTE)
		return frame;
	c = native_chunk_at(src, w->chunk);
	pool = c && c->state == NATIVE_READY ? native_pool_at(src, c->where >> NATIVE_POOL_BITS)
					     : 0;
	if (!pool)
		return frame;
	return (frame & ~(__u64)(NATIVE_CHUNK - 1)) |
	       natwalk_function(pool, c, frame & (NATIVE_CHUNK - 1));
}

/* Goes on in the caller of the next seat's C frame. NATWALK_MORE, or NATWALK_END: that is not known. */
NATWALK_FN int natstack_resume(natwalk_source *src, struct natstack *s)
{
	struct natwalk *w = &s->walk;
	__u64 cfa, pc, fp = 0;

	if (s->next >= s->seats || !s->delta)
		return NATWALK_END;
	cfa = natstack_seat(s, s->next)->at + s->delta;
	if (cfa <= w->sp || natwalk_word(src, w, cfa - 8, &pc) ||
	    (s->fp_saved && natwalk_word(src, w, cfa - 16, &fp)))
		return NATWALK_END;
	natstack_take(s, s->next);
	natstack_add(s, NATIVE_FRAME_ABSOLUTE | NATIVE_FRAME_LOOP);
	natwalk_resume(src, w, pc, cfa, fp);
	w->fp_lost = !s->fp_saved;
	return NATWALK_MORE;
}

/* The walk cannot go on. NATWALK_MORE: it does, further out. */
NATWALK_FN int natstack_broken(natwalk_source *src, struct natstack *s)
{
	struct natwalk *w = &s->walk;

	if ((w->end == NATIVE_NO_CHUNK && !w->refused) ||
	    (w->end == NATIVE_NO_MAPPING && !w->maps)) {
		s->unfinished = 1;
		return NATWALK_END;
	}
	s->unmapped |= w->end == NATIVE_NO_MAPPING;
	natstack_add(s, NATIVE_FRAME_ABSOLUTE | w->end);
	return natstack_resume(src, s);
}

/* One frame. NATWALK_MORE or NATWALK_END. */
NATWALK_FN int natstack_step(natwalk_source *src, struct natstack *s)
{
	struct natwalk *w = &s->walk;
	__u64 pc = w->pc - !w->live, loop;
	__u32 live = w->live;
	int go;

	if (s->count >= WIRE_MAX_NATIVE - 4) {
		natstack_add(s, NATIVE_FRAME_ABSOLUTE | NATIVE_DEEP);
		return NATWALK_END;
	}
	go = natwalk_step(src, w);
	if (go == NATWALK_END && w->end == NATIVE_NO_CHUNK && !w->refused)
		return natstack_broken(src, s);
	loop = s->by_code ? natstack_by_code(s, pc) : natstack_pair(s);
	if (pc >= NATSTACK_LOWEST)
		natstack_add(s, (s->count ? w->frame : natstack_leaf(src, w)) | loop);
	if (go == NATWALK_MORE) {
		if (loop && !live)
			natstack_learn(src, s);
		return NATWALK_MORE;
	}
	return w->end == NATIVE_COMPLETE ? NATWALK_END : natstack_broken(src, s);
}

#endif
