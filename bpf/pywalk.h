/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The walker finds a thread's PyThreadState and follows its Python frames. It calls no BPF helper
 * and uses no map, only read_user(): the sampler runs it in the interrupted thread, wall-clock mode
 * from another task, the unit tests on memory images. A file that includes it first defines:
 *
 *	pywalk_source		type of the memory to read; the walker only passes pointers to it
 *	int read_user(pywalk_source *src, void *to, u32 len, u64 address)	0 or < 0
 *	u64 stack_end(pywalk_source *src, u64 sp)	end of the C stack that sp is in; 0: unknown
 *	pywalk_content		optional: another way to call pywalk_characters()
 *	pywalk_note_seat(w, at)	optional: the frames so far and since the seat before it run in the C
 *				frame with the seat @at (3.11+; 0 in 3.11, see pywalk_cframe())
 *	pywalk_drop_seats(w)	optional: the seats noted so far are not this walk's
 *	pywalk_note_frame(w, c, f)	optional: pywalk_step_noting() has examined a function's frame
 *
 *	pywalk_find ─► GO ──────────────► pywalk_start ─► pywalk_step ... ─► pywalk_finish
 *	          └──► SCAN ─► pywalk_scan ... ─┘              ▲   │ its root: is the caller in
 *	                       ▲                               ├───┘ another interpreter?
 *	                       └───────────────────────────────┘ the state is another thread's
 *
 * pywalk_next() runs the next step, whichever it is. Steps return PYWALK_MORE until the walk ends.
 * Invariants:
 *  - All memory read is hostile: lengths and buffer offsets are masked, the caller runs and bounds
 *    the loop over steps, and a frame is rejected if its code object is not of type code.
 *  - Recorded frames are right; enum walk_end says why frames are missing.
 *  - A read is expensive, its length is not (87 ns for 8 bytes, 110 ns for 4,096): thread states
 *    and code objects are read whole, the data stack (3.11+) in pages and walked in the buffer.
 *
 * A code object's address does not identify it: a program that compiles and drops code gets the
 * same addresses again within microseconds, for the code object, its name, file name and line
 * table. So the identity mixes several words of the code object (ident[]). Before 3.12 none of them
 * is unique, and the identity also takes the length and hash, or the content, of the name and of
 * the file name.
 */
#ifndef KRAIT_PYWALK_H
#define KRAIT_PYWALK_H

#include "pylayout.h"

#define PYWALK_FN static inline __attribute__((always_inline))

#ifndef pywalk_note_seat
#define pywalk_note_seat(w, at) ((void)0)
#define pywalk_drop_seats(w)    ((void)0)
#endif
#ifndef pywalk_note_frame
#define pywalk_note_frame(w, c, f) ((void)0)
#endif

enum {
	PYWALK_PAGE = 4096,
	PYWALK_STR = 128, /* bytes of a str read at once: header and short content */
	PYWALK_RT = 32,
	PYWALK_KNOWN_BITS = 4,
	PYWALK_NEAR = 1024,   /* bytes above the stack pointer searched for a state's address */
	PYWALK_REACH = 65536, /* bytes above it in which such a state's seat must lie */
	PYWALK_BLOCK = 1024,  /* bytes of the stack read at once to search for a frame */
	PYWALK_FIRST = 256,   /* bytes searched first: the frame is nearly always there */
	PYWALK_BELOW = 8192,  /* bytes below it searched, too: greenlets switch stacks first */
	PYWALK_FEW = 16,      /* words of the stack compared in one step */
	PYWALK_INTERPS = 8,   /* interpreters whose states are recognized */
	PYWALK_REGS = 32,
	PYWALK_JOIN_MAX = 4096, /* interpreters, states and frames examined to find a caller */
};

/* What pywalk_step() does when it is not walking. */
enum pywalk_join {
	JOIN_NONE,
	JOIN_LIST, /* goes through all states of all interpreters */
	JOIN_SEAT, /* follows the frames of one state to its first entry frame */
};

/* What pywalk_scan() does. */
enum pywalk_search {
	SEARCH_NONE,
	SEARCH_LIST,     /* goes through all states */
	SEARCH_ATTACHED, /* reads which state the thread is attached to, then: */
	SEARCH_INTERPS,  /* notes the interpreters, then: */
	SEARCH_STACK,    /* reads the stack near the stack pointer, then: */
	SEARCH_NEAR,     /* tests its words one by one */
	SEARCH_BLOCK,    /* reads a block of the stack, then: */
	SEARCH_FRAME,    /* searches the block for the pointer to a frame */
};

/* A generator's caller may be known from a register alone. Proofs still missing to believe it: */
enum pywalk_proof {
	PROOF_SHIM = 1, /* it runs in the same call of the interpreter */
	PROOF_END = 2,  /* no frame that it or its callers called is still in the data stack */
};

/* Return values of pywalk_find() and of the steps. */
enum { PYWALK_MORE, PYWALK_GO, PYWALK_SCAN, PYWALK_END };

/* A code object, cached for one walk: recursion and chains of wrappers meet the same ones again. */
struct pywalk_code {
	__u64 addr;
	__u64 walk; /* number of the walk that read it; the next may find another object there */
	__u64 id;
	__u64 tlbc;        /* array of per-thread bytecode copies; 0: none */
	__u32 frame_flags; /* FRAME_UNREADABLE: only addr is known */
	__u32 flags;       /* co_flags */
	__u32 words;       /* of a frame after its header */
	__u32 hidden;      /* not a function: its frames are not recorded */
};

/*
 * Fields that every walk touches come first and close together: between two samples the program
 * fills the caches, and each missing cache line costs more than a read_user().
 */
struct pywalk {
	/* In: set by the caller. */
	__u64 seed;      /* of the process, so that ids of different processes differ */
	__u64 thread_id; /* pthread_self() */
	__u32 ns_tid;    /* in the thread's innermost pid namespace */
	__u32 max_depth; /* 1..WIRE_MAX_FRAMES */
	__u64 code_type;
	__u64 sp;        /* of user code; 0: unknown */
	__u64 stack_top; /* end of the C stack that sp is in; 0: unknown */
	__u8 has_top;    /* stack_top is set; else pywalk_stack_top() sets it when needed */
	__u8 leader;     /* the thread is the first one of its process */
	__u8 asleep;     /* the thread is not on a CPU */
	__u8 in_loop;    /* the thread is in the interpreter's loop (up to 3.10) */
	__u32 index;     /* of this struct among all, for the caller's use */

	/* The walk. */
	__u64 walk;   /* number of this walk */
	__u64 tstate; /* address of the loaded state */
	__u64 next;   /* frame to read */
	__u64 window; /* address of page[0] */
	__u32 window_len;
	__u32 steps;
	__u64 low;  /* last frame seen in the data stack */
	__u64 file; /* name of the last code object's file; most callers share it */
	__u64 file_hash;
	__u64 hash;
	__u64 top_hash; /* hash of the top frame alone */
	__u32 total;    /* frames recorded, including overwritten ones */
	__u32 slot;
	__u64 seam;    /* where the caller of a fresh top frame must end; 0: nothing to check */
	__u64 walked;  /* state whose frames were walked last (3.12+) */
	__u64 inner;   /* its innermost entry frame (seat) on the C stack; 0: none */
	__u64 outer;   /* its outermost one */
	__u64 interps; /* address of the list of interpreters */
	__u32 learned; /* new value for proc_info.slot; 0: no change */
	__u32 pad3;
	union {
		__u64 of_chain;
		struct {
			__u8 root_ok; /* the last frame may be a root */
			__u8 fresh;   /* the top frame has not started: its link may be stale */
			__u8 inlined; /* the top frame was called without a new C frame */
			__u8 waiting; /* the top frame's stack pointer is saved: it does not run yet */
			__u8 unproven; /* missing proofs of a caller from a register: pywalk_proof */
			__u8 doubt;    /* a link is in doubt: every frame needs examination */
		};
	};
	union {
		__u64 of_state;
		struct {
			union {
				__u16 astray; /* the next step reads no frame of this state */
				struct {
					__u8 search; /* enum pywalk_search */
					__u8 join;   /* enum pywalk_join */
				};
			};
			__u8 holder;   /* the loaded state is the runtime's current (up to 3.11) */
			__u8 borrowed; /* the loaded state was found on the C stack */
			__u8 judge; /* the first entry frame tells if the state is this thread's */
			__u8 asked; /* attached state: was read, or does not exist (before 3.12) */
			__u8 detached;   /* the thread is attached to no state */
			__u8 one_interp; /* the process is known to have one interpreter */
		};
	};
	union {
		__u64 of_entry;
		struct {
			__u8 has_regs; /* regs[] is filled */
			__u8 entering; /* in the prologue, no valid chain yet: walk the caller's */
			__u8 entered;  /* after that: the new frame is linked but has not started */
			__u8 checked;  /* the frame from a register is the data stack's innermost */
		};
	};

	/* Where user code stopped, and its registers (struct pt_regs). */
	__u64 in_reg;   /* the register that holds the running frame; 0: do not use it */
	__u64 resumed;  /* a generator that is not linked to the frame that resumes it */
	__s64 shim;     /* from the _PyCFrame to the shim of the same C frame */
	__u32 in_entry; /* offset of the pc from proc_info.entry */
	__u32 pad1;
	__u64 regs[PYWALK_REGS];

	/* The search for a state. */
	__u64 running;   /* the runtime's current state (up to 3.11) */
	__u64 frameless; /* a state of this thread without frames; 0: none */
	__u64 refused;   /* a state that another thread uses; 0: none */
	__u64 last;      /* last word of the stack that was tested */
	__u32 near;      /* offset of the next word to test */
	__u32 near_end;
	__u64 block;    /* address of the stack block to search for a frame */
	__u32 in_block; /* offset in page[] of the next words to compare */
	__u32 below;    /* the block lies below the stack pointer */
	__u64 known_interps[PYWALK_INTERPS];

	/* The scan of all thread states. */
	__u64 interp, state, found;
	__u32 matches;
	__u32 scan_left;

	/* Callers in other interpreters (3.12+). */
	__u64 seen;   /* state being examined */
	__u64 top;    /* its first frame */
	__u64 chain;  /* its next frame to read */
	__u64 caller; /* the state with the lowest seat above outer; 0: none yet */
	__u64 caller_seat;
	__u64 caller_top;
	__u32 join_left;
	__u32 in_doubt; /* the order of this thread's states is unknown */
	__u32 has_frames;
	__u32 pad2;

	/* Buffers: 8 bytes of slack where a masked offset may end. */
	__u8 rt[PYWALK_RT];
	__u8 ts[PY_TS_MAX + 8];
	__u8 code[256 + 8];
	__u8 str[PYWALK_STR + 8];
	__u8 page[PYWALK_PAGE + 8];

	struct pywalk_code known[1 << PYWALK_KNOWN_BITS];

	struct wire_stack stack;
	struct wire_frame frames[WIRE_MAX_FRAMES];
};

PYWALK_FN __u64 pywalk_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
	return hash ^ (hash >> 32);
}

PYWALK_FN __u64 pywalk_seed(const struct proc_key *proc)
{
	return pywalk_mix(pywalk_mix(proc->start_ns, proc->tgid), proc->exec_id);
}

PYWALK_FN __u64 ts_u64(const struct pywalk *w, __u16 off)
{
	return *(const __u64 *)(w->ts + (off & (PY_TS_MAX - 8)));
}

PYWALK_FN __u64 page_u64(const struct pywalk *w, __u32 off)
{
	return *(const __u64 *)(w->page + (off & (PYWALK_PAGE - 8)));
}

PYWALK_FN __u32 page_u32(const struct pywalk *w, __u32 off)
{
	return *(const __u32 *)(w->page + (off & (PYWALK_PAGE - 4)));
}

PYWALK_FN __u16 page_u16(const struct pywalk *w, __u32 off)
{
	return *(const __u16 *)(w->page + (off & (PYWALK_PAGE - 2)));
}

PYWALK_FN __u8 page_u8(const struct pywalk *w, __u32 off)
{
	return w->page[off & (PYWALK_PAGE - 1)];
}

PYWALK_FN __u64 code_u64(const struct pywalk *w, __u16 off)
{
	return *(const __u64 *)(w->code + (off & 0xf8));
}

PYWALK_FN __u32 code_u32(const struct pywalk *w, __u16 off)
{
	return *(const __u32 *)(w->code + (off & 0xfc));
}

PYWALK_FN __u64 str_u64(const struct pywalk *w, __u32 off)
{
	return *(const __u64 *)(w->str + (off & (PYWALK_STR - 8)));
}

PYWALK_FN int pywalk_end(struct pywalk *w, __u32 end)
{
	w->stack.end = end;
	return PYWALK_END;
}

/* Memory at @addr was not resident: the loader touches it, so that the next sample is whole. */
PYWALK_FN int pywalk_fault(struct pywalk *w, __u64 addr)
{
	w->stack.fault = addr;
	return pywalk_end(w, WALK_UNREADABLE);
}

/* --- thread state ----------------------------------------------------------------------------- */

PYWALK_FN int pywalk_load_state(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
				__u64 state)
{
	w->tstate = state;
	return read_user(src, w->ts, l->ts_size & (PY_TS_MAX - 1), state);
}

/* Is the loaded state this thread's? After a fork() by C code only thread_id is right. */
PYWALK_FN int pywalk_mine(const struct pywalk *w, const struct py_layout *l)
{
	if (ts_u64(w, l->ts_thread_id) == w->thread_id)
		return 1;
	return l->ts_native_id && ts_u64(w, l->ts_native_id) == w->ns_tid;
}

/* Number of the thread-specific slot (pthread key); < 0: not created yet, or unreadable. */
PYWALK_FN int pywalk_key(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			 const struct proc_info *p)
{
	__u64 near = p->key - p->current; /* the runtime's current state lies just before the key */
	__u64 far = p->key - p->interps;  /* the list of interpreters lies a little before it */
	__u32 made, key;

	if (p->current && near >= 4 && near <= PYWALK_RT - 4) {
		key = *(__u32 *)(w->rt + (near & (PYWALK_RT - 4)));
		made = *(__u32 *)(w->rt + ((near - 4) & (PYWALK_RT - 4)));
	} else if (!p->current && far >= 16 && far < PYWALK_PAGE - 4 &&
		   !read_user(src, w->page, (far + 4) & (PYWALK_PAGE - 1), p->interps)) {
		/* The same read tells whether there is only one interpreter. */
		w->window_len = 0;
		w->one_interp = page_u64(w, 0) == page_u64(w, 8);
		made = page_u32(w, far - 4);
		key = page_u32(w, far);
	} else {
		if (read_user(src, w->rt, 8, p->key - 4))
			return -1;
		made = *(__u32 *)w->rt;
		key = *(__u32 *)(w->rt + 4);
	}
	if (((l->flags & PY_KEY_FLAG) && !made) || key >= 1024)
		return -1;
	return key;
}

/* Address of the pointer in slot @key of this thread; 0: the thread never used that slot. */
PYWALK_FN __u64 pywalk_slot(pywalk_source *src, struct pywalk *w, const struct proc_info *p,
			    __u32 key)
{
	__u64 self = w->thread_id, block;

	if (p->tss == TSS_GLIBC && key < 32)
		return self + p->tss_first + 16 * key + 8;
	if (p->tss == TSS_GLIBC) {
		if (read_user(src, &block, 8, self + p->tss_second + 8 * (key / 32)) || !block)
			return 0;
		return block + 16 * (key % 32) + 8;
	}
	if (read_user(src, &block, 8, self + p->tss_first) || !block)
		return 0;
	return block + 8 * key;
}

/*
 * Is there only one interpreter, as far as known? Before 3.12 the slot keeps the thread's first
 * state even while the thread runs a subinterpreter's.
 */
PYWALK_FN int pywalk_alone(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			   const struct proc_info *p)
{
	__u64 heads[2], next; /* the list's head, the main interpreter */

	if (!p->current || !p->interps)
		return 1;
	if (read_user(src, heads, 16, p->interps))
		return 1;
	if (heads[0] == heads[1])
		return 1;
	return read_user(src, &next, 8, heads[0] + l->in_next) || !next;
}

/* Address of this thread's variable in a module's block; 0: the thread never used it. */
PYWALK_FN __u64 pywalk_dynamic(pywalk_source *src, struct pywalk *w, __u32 first, __u32 second,
			       __s64 offset)
{
	__u64 dtv, block;

	if (read_user(src, &dtv, 8, w->thread_id + second) ||
	    read_user(src, &block, 8, dtv + first) || block + 1 < 2)
		return 0;
	return block + offset;
}

/* Address of this thread's variable; 0: the thread never used it. */
PYWALK_FN __u64 pywalk_variable(pywalk_source *src, struct pywalk *w, const struct proc_info *p)
{
	if (p->tss == TSS_STATIC_TLS)
		return w->thread_id + p->tss_base + p->tls;
	return pywalk_dynamic(src, w, p->tss_first, p->tss_second, p->tls);
}

/* Is there no interpreter, not yet or no longer? A program may link libpython and not use it. */
PYWALK_FN int pywalk_idle(pywalk_source *src, struct pywalk *w, const struct proc_info *p)
{
	__u64 head;

	return p->interps && !read_user(src, &head, 8, p->interps) && !head;
}

PYWALK_FN int pywalk_begin_scan(pywalk_source *src, struct pywalk *w, const struct proc_info *p)
{
	if (!p->interps || read_user(src, &w->interp, 8, p->interps) || !w->interp)
		return pywalk_end(w, WALK_NO_STATE);
	w->search = SEARCH_LIST;
	w->state = 0;
	w->found = 0;
	w->matches = 0;
	return PYWALK_SCAN;
}

/* @top: first frame of the loaded state, 0: none. Returns < 0 if it is unreadable. */
PYWALK_FN int pywalk_top(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			 __u64 *top)
{
	__u64 at = ts_u64(w, l->ts_frame);

	if ((l->flags & PY_CFRAME) && at)
		return read_user(src, top, 8, at + l->cf_frame);
	*top = at;
	return 0;
}

/* --- whose state? ----------------------------------------------------------------------------- */

/*
 * A thread may use a state that another thread made (PyEval_AcquireThread, PyThreadState_Swap).
 * Three things tell which thread uses a state:
 *  - The attached state: from 3.12 on, a thread-local variable that is NULL while the thread is
 *    detached.
 *  - The seat: an object that the interpreter's innermost loop keeps in its C frame. It is a
 *    _PyCFrame (3.10 to 3.12), the entry frame (3.13+) or, before 3.10, the pointer to the running
 *    PyFrameObject. It lies above the stack pointer in the C stack of the thread that uses the
 *    state.
 *  - The state's own address, which is stored on that stack near the stack pointer.
 * The variable is certain. The seat alone can only refute a state. Seat and address together find
 * the state of a thread that made none. Freed states do no harm: a state is believed only while its
 * interpreter's list contains it.
 */
enum pywalk_seat {
	SEAT_UNKNOWN, /* this version has none, or the end of the stack is unknown */
	SEAT_NONE,    /* no frames */
	SEAT_HERE,
	SEAT_ELSEWHERE,
};

/* Called only in doubt: it reads six words of kernel memory, mostly cache misses. */
PYWALK_FN __u64 pywalk_stack_top(pywalk_source *src, struct pywalk *w)
{
	if (!w->has_top)
		w->stack_top = stack_end(src, w->sp);
	w->has_top = 1;
	return w->stack_top;
}

/*
 * Is @seat so close above the stack pointer that it lies in the same stack? A thread's stack ends
 * at its thread pointer, and more than a page (a guard page at least) separates it from the used
 * part of the next.
 */
PYWALK_FN int pywalk_is_next(const struct pywalk *w, __u64 seat)
{
	return seat - w->sp < PYWALK_PAGE && (seat < w->thread_id || w->thread_id < w->sp);
}

/*
 * Is @seat in the stack that execve made? It is the first thread's, also while that thread runs on another
 * stack. Every other stack whose end is known ends at the thread pointer.
 */
PYWALK_FN int pywalk_is_first_stack(pywalk_source *src, const struct pywalk *w, __u64 seat)
{
	return w->leader && stack_end(src, seat) > w->thread_id + PYWALK_PAGE;
}

/* @reach: how far above the stack pointer @seat may lie; 0: up to the end of the stack. */
PYWALK_FN enum pywalk_seat pywalk_seat_at(pywalk_source *src, struct pywalk *w, __u64 seat,
					  __u64 reach)
{
	__u64 size, top;

	if (!w->sp)
		return SEAT_UNKNOWN;
	if (pywalk_is_next(w, seat))
		return SEAT_HERE;
	top = pywalk_stack_top(src, w);
	if (!top && !reach)
		return SEAT_UNKNOWN;
	size = top - w->sp;
	if (!top || (reach && reach < size))
		size = reach;
	if (!reach && w->sp - seat < PYWALK_BELOW)
		return SEAT_HERE;
	if (seat - w->sp < size || (!reach && pywalk_is_first_stack(src, w, seat)))
		return SEAT_HERE;
	return SEAT_ELSEWHERE;
}

/* Where is the seat of the loaded state, as far as the state itself tells? */
PYWALK_FN enum pywalk_seat pywalk_seat(pywalk_source *src, struct pywalk *w,
				       const struct py_layout *l, __u64 reach)
{
	__u64 seat = l->ts_cframe ? ts_u64(w, l->ts_cframe) : 0, top;

	/* A state that runs nothing points to a _PyCFrame inside itself. */
	if (seat && seat - w->tstate >= PY_TS_MAX)
		return pywalk_seat_at(src, w, seat, reach);
	return !pywalk_top(src, w, l, &top) && !top ? SEAT_NONE : SEAT_UNKNOWN;
}

/* Is some thread attached to the loaded state? */
PYWALK_FN int pywalk_is_active(const struct pywalk *w, const struct py_layout *l)
{
	enum { ACTIVE = 16 }; /* of _status in 3.12 to 3.15 */

	return l->ts_status && *(const __u32 *)(w->ts + (l->ts_status & (PY_TS_MAX - 4))) & ACTIVE;
}

/* Is the state at @at, whose first words are @head, in the list of its interpreter? */
PYWALK_FN int pywalk_is_linked(pywalk_source *src, const struct py_layout *l, __u64 at,
			       const __u64 head[3])
{
	__u64 back;

	if (read_user(src, &back, 8, head[0] ? head[0] + l->ts_next : head[2] + l->in_threads))
		return 0;
	return back == at;
}

/* Is @interp one of the noted ones? No branches, to spare the verifier. */
PYWALK_FN int pywalk_knows_interp(const struct pywalk *w, __u64 interp)
{
	__u64 differ, all = 1;
	__u32 i;

	for (i = 0; i < PYWALK_INTERPS; i++) {
		differ = w->known_interps[i] ^ interp;
		all &= (differ | -differ) >> 63;
	}
	return interp && !all;
}

/* Loads the state at @at, if there is one and a known interpreter's list contains it. */
PYWALK_FN int pywalk_load_linked(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
				 __u64 at)
{
	__u64 head[3]; /* prev, next, interp */

	return !read_user(src, head, sizeof(head), at) && pywalk_knows_interp(w, head[2]) &&
	       pywalk_is_linked(src, l, at, head) && !pywalk_load_state(src, w, l, at);
}

/* The thread made no state, or uses another one: search for it near the stack pointer. */
PYWALK_FN int pywalk_borrow(struct pywalk *w)
{
	w->search = w->asked ? SEARCH_INTERPS : SEARCH_ATTACHED;
	w->borrowed = 1;
	w->near = 0;
	w->interp = w->interps;
	return PYWALK_SCAN;
}

/* Notes one interpreter. */
PYWALK_FN int pywalk_note_interp(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	__u64 at = 0;

	if (w->near >= PYWALK_INTERPS) {
		w->search = SEARCH_STACK;
		w->near = 0;
		return PYWALK_MORE;
	}
	if (w->interp && read_user(src, &at, 8, w->interp))
		at = 0;
	w->known_interps[w->near & (PYWALK_INTERPS - 1)] = at;
	w->interp = at ? at + l->in_next : 0;
	w->near++;
	return PYWALK_MORE;
}

/* Reads the stack near the stack pointer; the words before offset w->near were tested already. */
PYWALK_FN int pywalk_read_near(pywalk_source *src, struct pywalk *w)
{
	__u64 top = pywalk_stack_top(src, w), len = top - w->sp;

	if (!top || len > PYWALK_NEAR)
		len = PYWALK_NEAR;
	len &= 2 * PYWALK_NEAR - 8;
	w->search = SEARCH_NEAR;
	w->judge = 0;
	w->window_len = 0; /* page[] holds the stack now */
	w->near_end = w->sp && !(w->sp & 7) && !read_user(src, w->page, len, w->sp) ? len : 0;
	return PYWALK_MORE;
}

/* The stack near the stack pointer holds no state that this thread uses. */
PYWALK_FN int pywalk_not_borrowed(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	w->search = SEARCH_NONE;
	if (w->frameless && !pywalk_load_state(src, w, l, w->frameless)) {
		w->holder = w->tstate == w->running && !w->asleep &&
			    ts_u64(w, l->ts_thread_id) == w->thread_id;
		return pywalk_end(w, WALK_NO_FRAME);
	}
	w->holder = 0;
	w->tstate = 0;
	return pywalk_end(w, WALK_NO_STATE);
}

/* The loaded state is the thread's. */
PYWALK_FN int pywalk_take(struct pywalk *w, const struct py_layout *l)
{
	w->search = SEARCH_NONE;
	w->holder = w->tstate == w->running;
	return PYWALK_GO;
}

/* Is @word among the next words of the block in page[]? No branches, to spare the verifier. */
PYWALK_FN int pywalk_block_has(const struct pywalk *w, __u64 word)
{
	__u64 differ, all = 1;
	__u32 i;

	for (i = 0; i < PYWALK_FEW; i++) {
		differ = page_u64(w, w->in_block + 8 * i) ^ word;
		all &= (differ | -differ) >> 63;
	}
	return !all;
}

/* Up to 3.9: is a pointer to the loaded state's frame on the C stack? PYWALK_SCAN: search on. */
PYWALK_FN int pywalk_search_frame(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	__u64 frame = ts_u64(w, l->ts_frame);

	w->window_len = 0; /* page[] holds the stack now */
	if (!read_user(src, w->page, PYWALK_FIRST, w->sp))
		for (w->in_block = 0; w->in_block < PYWALK_FIRST; w->in_block += 8 * PYWALK_FEW)
			if (pywalk_block_has(w, frame))
				return pywalk_take(w, l);
	w->search = SEARCH_BLOCK;
	w->below = 0;
	w->block = w->sp;
	return PYWALK_SCAN;
}

/* May the loaded state be in use by this thread? PYWALK_SCAN: not known yet; PYWALK_END: no. */
PYWALK_FN int pywalk_is_used(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	enum pywalk_seat seat = pywalk_seat(src, w, l, w->borrowed ? PYWALK_REACH : 0);

	if (w->tstate == w->refused || (w->detached && pywalk_is_active(w, l)))
		return PYWALK_END; /* another thread is attached to it */
	if (seat == SEAT_NONE && !w->frameless)
		w->frameless = w->tstate;
	if (seat == SEAT_NONE || seat == SEAT_ELSEWHERE)
		return PYWALK_END;
	if (seat == SEAT_HERE)
		return pywalk_take(w, l);
	w->judge = (l->flags & PY_SHIM) != 0;
	/* A thread that runs bytecode holds the GIL and uses the runtime's current state. */
	if (w->judge || (w->in_loop && w->tstate == w->running))
		return pywalk_take(w, l);
	/*
	 * What could refute it is not there: the stack's end, or a loop's _PyCFrame, as in a program whose
	 * functions are all compiled to C.
	 */
	if (!w->borrowed && (l->ts_cframe || !pywalk_stack_top(src, w)))
		return pywalk_take(w, l);
	return pywalk_search_frame(src, w, l);
}

/* Is the next word of the stack the address of a state that this thread uses? */
PYWALK_FN int pywalk_near(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	enum { LOWEST = 0x10000 };
	__u64 word;
	int go;

	if (w->near >= w->near_end)
		return pywalk_not_borrowed(src, w, l);
	word = page_u64(w, w->near);
	w->near += 8;
	if ((word & 7) || word < LOWEST || word >> 48 || word == w->last ||
	    word + PYWALK_REACH - w->sp < 2 * PYWALK_REACH)
		return PYWALK_MORE;
	w->last = word;
	if (!pywalk_load_linked(src, w, l, word))
		return PYWALK_MORE;
	go = pywalk_is_used(src, w, l);
	return go == PYWALK_GO ? PYWALK_GO : PYWALK_MORE;
}

/*
 * Loads the state that the thread is attached to (3.12+): PYWALK_GO. PYWALK_MORE: the thread is
 * attached to none, or that cannot be known.
 */
PYWALK_FN int pywalk_attached(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			      const struct proc_info *p)
{
	const struct tls_place *t = &p->attached;
	__u64 at, state = 0, head[3] = {};

	if (t->kind == TSS_STATIC_TLS)
		at = w->thread_id + p->tss_base + t->offset;
	else if (t->kind == TSS_DYNAMIC_TLS)
		at = pywalk_dynamic(src, w, t->first, t->second, t->offset);
	else
		return PYWALK_MORE;
	if (at && read_user(src, &state, 8, at))
		return PYWALK_MORE;
	w->asked = 1;
	w->detached = !state;
	if (!state)
		return PYWALK_MORE;
	if (pywalk_load_state(src, w, l, state))
		return pywalk_fault(w, state);
	if (ts_u64(w, l->ts_thread_id) == w->thread_id)
		return pywalk_take(w, l);
	head[0] = ts_u64(w, 0);
	head[2] = ts_u64(w, l->ts_interp);
	if (!pywalk_is_active(w, l) || !pywalk_is_linked(src, l, state, head))
		return PYWALK_MORE;
	return pywalk_take(w, l);
}

/* Up to 3.11: loads the runtime's current state. PYWALK_MORE: this thread does not use it. */
PYWALK_FN int pywalk_running(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			     const struct proc_info *p)
{
	__u64 state;
	int go;

	if (read_user(src, w->rt, PYWALK_RT, p->current))
		return pywalk_fault(w, p->current);
	state = *(__u64 *)w->rt;
	if (!state || pywalk_load_state(src, w, l, state))
		return PYWALK_MORE;
	w->running = state;
	if (ts_u64(w, l->ts_thread_id) != w->thread_id)
		return pywalk_seat(src, w, l, PYWALK_REACH) == SEAT_HERE ? pywalk_take(w, l)
									 : PYWALK_MORE;
	go = pywalk_is_used(src, w, l);
	if (go == PYWALK_END)
		w->refused = w->tstate;
	return go == PYWALK_END ? PYWALK_MORE : go;
}

/* Loads the state that @slot points to: PYWALK_GO. PYWALK_MORE: none, or another thread's. */
PYWALK_FN int pywalk_load_kept(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			       const struct proc_info *p, __u64 slot)
{
	__u64 state;

	if (!slot || read_user(src, &state, 8, slot) || !state)
		return PYWALK_MORE;
	if (pywalk_load_state(src, w, l, state))
		return pywalk_fault(w, state);
	if (!pywalk_mine(w, l))
		return PYWALK_MORE;
	return pywalk_alone(src, w, l, p) ? PYWALK_GO : pywalk_begin_scan(src, w, p);
}

/* The same for the thread's slot. Reads its number again only if the known one leads to none. */
PYWALK_FN int pywalk_slotted(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			     const struct proc_info *p)
{
	int go, key;

	if (p->slot) {
		go = pywalk_load_kept(src, w, l, p, pywalk_slot(src, w, p, p->slot - 1));
		if (go == PYWALK_GO || go == PYWALK_SCAN)
			return go;
		w->stack.fault = 0; /* set if another library's data stands in an old slot */
		w->stack.end = WALK_ENDLESS;
	}
	key = pywalk_key(src, w, l, p);
	if (key < 0)
		return pywalk_end(w, WALK_NO_STATE);
	w->learned = key + 1;
	return pywalk_load_kept(src, w, l, p, pywalk_slot(src, w, p, key));
}

/* Loads the state in the thread's slot or thread-local variable: PYWALK_GO. PYWALK_MORE: none. */
PYWALK_FN int pywalk_kept(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			  const struct proc_info *p)
{
	if (p->tss == TSS_STATIC_TLS || p->tss == TSS_DYNAMIC_TLS)
		return pywalk_load_kept(src, w, l, p, pywalk_variable(src, w, p));
	return p->key ? pywalk_slotted(src, w, l, p) : pywalk_begin_scan(src, w, p);
}

/*
 * @kept: the thread's own state, which is loaded; 0: it has none. From 3.12 on, unless some thread
 * is attached to @kept, the thread's attached state comes first. If there is none, the seat of
 * @kept tells whether this thread uses it. PYWALK_GO, PYWALK_SCAN or PYWALK_END.
 */
PYWALK_FN int pywalk_own(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			 const struct proc_info *p, __u64 kept)
{
	int go;

	if (!w->asked && !(kept && pywalk_is_active(w, l))) {
		go = pywalk_attached(src, w, l, p);
		if (go != PYWALK_MORE)
			return go;
		if (kept && w->tstate != kept && pywalk_load_state(src, w, l, kept))
			return pywalk_fault(w, kept);
	}
	go = kept ? pywalk_is_used(src, w, l) : PYWALK_END;
	return go == PYWALK_END ? pywalk_borrow(w) : go;
}

/* Finds the thread's state. PYWALK_GO: loaded; PYWALK_SCAN: call pywalk_scan(); PYWALK_END. */
PYWALK_FN int pywalk_find(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			  const struct proc_info *p)
{
	int go;

	w->of_state = 0;
	w->running = 0;
	w->frameless = 0;
	w->refused = 0;
	w->last = 0;
	w->interps = p->interps;
	w->asked = p->current != 0; /* before 3.12 there is no such variable */
	if (p->current) {
		go = pywalk_running(src, w, l, p);
		if (go != PYWALK_MORE)
			return go;
	}
	go = pywalk_kept(src, w, l, p);
	if (go == PYWALK_GO || go == PYWALK_MORE)
		go = pywalk_own(src, w, l, p, go == PYWALK_GO ? w->tstate : 0);
	return go;
}

/*
 * Up to 3.9: does the loaded state's frame belong to a function compiled to C? The C stack of such
 * a function need not hold a pointer to the frame.
 */
PYWALK_FN int pywalk_is_in_c(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	__u64 frame = ts_u64(w, l->ts_frame), code, bytes, size;
	__s32 lasti;

	return !read_user(src, &lasti, 4, frame + l->fr_instr) && lasti < 0 &&
	       !read_user(src, &code, 8, frame + l->fr_code) &&
	       !read_user(src, &bytes, 8, code + l->co_code) &&
	       !read_user(src, &size, 8, bytes + l->by_size) && !size;
}

/*
 * Up to 3.9: reads a block of the stack to search for the pointer to the loaded state's frame. If
 * no block holds it, another thread runs that frame, or the frame belongs to a compiled function.
 * In the second case the thread's own state is believed, unless the thread sleeps while the runtime
 * runs that state. The own state is also believed if the stack is too large to search.
 */
PYWALK_FN int pywalk_read_block(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	int far = !w->below && w->block - w->sp >= PYWALK_REACH;
	__u64 top = pywalk_stack_top(src, w);

	if (top && w->block >= top && !w->borrowed && !w->below) {
		w->below = 1;
		w->block = w->sp - PYWALK_BELOW;
	} else if (w->below ? w->block >= w->sp : top && w->block >= top) {
		w->below = 0;
		if (!w->borrowed && !(w->asleep && w->tstate == w->running) &&
		    pywalk_is_in_c(src, w, l))
			return pywalk_take(w, l);
		w->refused = w->tstate;
		if (!w->borrowed)
			pywalk_borrow(w);
		else
			w->search = SEARCH_STACK; /* the words that are left */
		return PYWALK_MORE;
	}
	w->window_len = 0;
	if (far || read_user(src, w->page, PYWALK_BLOCK, w->block)) {
		w->search = SEARCH_STACK;
		return w->borrowed ? PYWALK_MORE : pywalk_take(w, l);
	}
	w->block += PYWALK_BLOCK;
	w->in_block = 0;
	w->search = SEARCH_FRAME;
	return PYWALK_MORE;
}

PYWALK_FN int pywalk_frame_here(struct pywalk *w, const struct py_layout *l)
{
	if (w->in_block >= PYWALK_BLOCK) {
		w->search = SEARCH_BLOCK;
		return PYWALK_MORE;
	}
	if (pywalk_block_has(w, ts_u64(w, l->ts_frame)))
		return pywalk_take(w, l);
	w->in_block += 8 * PYWALK_FEW;
	return PYWALK_MORE;
}

/* End of the list: this thread has one state with frames, none, or several (ambiguous). */
PYWALK_FN int pywalk_scanned(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	if (!w->found)
		return pywalk_end(w, w->matches ? WALK_NO_FRAME : WALK_NO_STATE);
	if (w->matches > 1)
		return pywalk_end(w, WALK_AMBIGUOUS);
	if (pywalk_load_state(src, w, l, w->found))
		return pywalk_fault(w, w->found);
	w->search = SEARCH_NONE;
	return PYWALK_GO;
}

/* Examines one interpreter or one thread state of the list. */
PYWALK_FN int pywalk_list(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	__u64 top = 0;

	if (w->state) {
		if (pywalk_load_state(src, w, l, w->state))
			return pywalk_end(w, WALK_AMBIGUOUS);
		if (ts_u64(w, l->ts_thread_id) == w->thread_id &&
		    pywalk_seat(src, w, l, 0) != SEAT_ELSEWHERE && !pywalk_top(src, w, l, &top) &&
		    top) {
			w->matches++;
			w->found = w->state;
		}
		w->state = ts_u64(w, l->ts_next);
		return PYWALK_MORE;
	}
	if (!w->interp)
		return pywalk_scanned(src, w, l);
	if (read_user(src, &w->state, 8, w->interp + l->in_threads) ||
	    read_user(src, &w->interp, 8, w->interp + l->in_next))
		return pywalk_end(w, WALK_AMBIGUOUS);
	return PYWALK_MORE;
}

/* One step of the search that pywalk_find() began. PYWALK_MORE, PYWALK_GO or PYWALK_END. */
PYWALK_FN int pywalk_scan(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			  const struct proc_info *p)
{
	switch (w->search) {
	case SEARCH_ATTACHED:
		w->search = SEARCH_INTERPS;
		return pywalk_attached(src, w, l, p);
	case SEARCH_LIST:
		return pywalk_list(src, w, l);
	case SEARCH_INTERPS:
		return pywalk_note_interp(src, w, l);
	case SEARCH_STACK:
		return pywalk_read_near(src, w);
	case SEARCH_NEAR:
		return pywalk_near(src, w, l);
	case SEARCH_BLOCK:
		return pywalk_read_block(src, w, l);
	case SEARCH_FRAME:
		return pywalk_frame_here(w, l);
	}
	return pywalk_end(w, WALK_NO_STATE);
}

/*
 * For the only thread of a program after execve, whose thread pointer may be stale. If
 * pywalk_find() returned @go without a state and the process has exactly one state, that state is
 * this thread's. PYWALK_GO or @go.
 */
PYWALK_FN int pywalk_adopt(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			   const struct proc_info *p, int go)
{
	__u64 interp, next, state;

	if (go == PYWALK_GO || w->search == SEARCH_BLOCK)
		return go;
	if (!p->interps || read_user(src, &interp, 8, p->interps) || !interp ||
	    read_user(src, &next, 8, interp + l->in_next) || next ||
	    read_user(src, &state, 8, interp + l->in_threads) || !state ||
	    pywalk_load_state(src, w, l, state) || ts_u64(w, l->ts_next))
		return go;
	if (l->ts_native_id && ts_u64(w, l->ts_native_id) != w->ns_tid)
		return go;
	w->search = SEARCH_NONE;
	w->judge = 0;
	w->stack.end = WALK_ENDLESS;
	w->stack.fault = 0;
	return PYWALK_GO;
}

/* --- the GIL ---------------------------------------------------------------------------------- */

/* Bytes of struct _gil_runtime_state in every version with a GIL. */
enum { PYWALK_GIL_SIZE = 224 };

/* Address of the GIL that the loaded state takes; 0: not known (3.6), or there is none. */
PYWALK_FN __u64 pywalk_gil(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			   const struct proc_info *p)
{
	__u64 gil;

	if (l->gil_before)
		return p->current ? p->current - l->gil_before : 0;
	if (!l->in_gil || !w->tstate ||
	    read_user(src, &gil, 8, ts_u64(w, l->ts_interp) + l->in_gil))
		return 0;
	return gil;
}

/*
 * Does the loaded state hold the GIL? From 3.12 on a state becomes active after it takes the GIL
 * and inactive before it drops the GIL. No further read is needed, so every sample reports it.
 */
PYWALK_FN int pywalk_holds_gil(const struct pywalk *w, const struct py_layout *l)
{
	if (!l->in_gil || w->detached)
		return w->holder;
	return w->tstate && pywalk_is_active(w, l);
}

/* Checks the lock: 3.12's PyThreadState_Swap() makes a state active, then waits for the GIL. */
PYWALK_FN int pywalk_has_locked(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
				const struct proc_info *p)
{
	enum { HOLDER = 1, LOCKED = 2 };
	__u64 head[3], gil;

	if (!l->in_gil)
		return 1;
	gil = pywalk_gil(src, w, l, p);
	return gil && !read_user(src, head, sizeof(head), gil) && head[HOLDER] == w->tstate &&
	       (__u32)head[LOCKED] == 1;
}

/*
 * Does the loaded state's interpreter collect garbage? The interpreter has one flag for all of its
 * threads, so this says something only about a thread that holds the GIL. Unknown (3.6, free-threaded): no.
 */
PYWALK_FN int pywalk_collects(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			      const struct proc_info *p)
{
	__u64 at = 0;
	__u32 flag;

	if (l->in_collecting && w->tstate)
		at = ts_u64(w, l->ts_interp) + l->in_collecting;
	else if (l->collecting_before && p->current)
		at = p->current - l->collecting_before;
	return at && !read_user(src, &flag, sizeof(flag), at) && flag;
}

/* --- entering the interpreter (3.11, 3.12) ---------------------------------------------------- */

/* Does it depend on the registers where a thread is that stopped at @pc? */
PYWALK_FN int pywalk_wants_regs(const struct proc_info *p, __u64 pc)
{
	const struct proc_entry *e = &p->at_entry;
	__u64 off = pc - p->entry;

	return off < e->runs || (off < e->code && e->frame_reg && e->shim);
}

/* Notes that user code stopped at @pc. Call it before pywalk_start(). */
PYWALK_FN void pywalk_stopped(struct pywalk *w, const struct py_layout *l,
			      const struct proc_info *p, __u64 pc)
{
	const struct proc_entry *e = &p->at_entry;
	__u64 off = pc - p->entry;

	if (!(l->flags & PY_ENTRY_WINDOW))
		return;
	if (off < e->runs) {
		w->in_entry = off;
		w->entering = off < e->len;
		w->entered = !w->entering;
	} else if (off < e->code && w->has_regs && e->frame_reg && e->shim) {
		w->in_reg = w->regs[(e->frame_reg - 1) & (PYWALK_REGS - 1)];
		w->shim = e->shim;
	}
}

/*
 * The caller's frame while the prologue has published a _PyCFrame but not filled it yet: from a
 * register of the prologue, or from the shim if that is linked already. 0: unknown.
 */
PYWALK_FN __u64 pywalk_caller(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			      const struct proc_info *p)
{
	const struct proc_entry *e = &p->at_entry;
	__u64 at, frame;

	if (e->shim && w->in_entry >= e->shim_from)
		at = ts_u64(w, l->ts_frame) + e->shim + l->fr_back;
	else if (!w->has_regs)
		return 0;
	else if (e->caller_reg && w->in_entry >= e->caller_from)
		return w->regs[(e->caller_reg - 1) & (PYWALK_REGS - 1)];
	else if (e->previous_reg)
		at = w->regs[(e->previous_reg - 1) & (PYWALK_REGS - 1)] + l->cf_frame;
	else
		return 0;
	return read_user(src, &frame, 8, at) ? 0 : frame;
}

/*
 * Is the frame that ends at @end the innermost of the data stack? Only then a frame from a register
 * is believed. It ends where the data stack ends, or where a last frame begins that has not started
 * to run.
 */
PYWALK_FN int pywalk_innermost(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			       __u64 end)
{
	__u64 top, code, instr;
	__u32 words;

	if (read_user(src, &top, 8, w->tstate + l->ts_chunk + 8))
		return 0;
	if (end == top)
		return 1;
	if (read_user(src, &code, 8, end + l->fr_code) ||
	    read_user(src, &instr, 8, end + l->fr_instr) || instr + 2 != code + l->co_bytecode ||
	    read_user(src, w->rt, 4, code + l->co_stacksize) ||
	    read_user(src, w->rt + 4, 4, code + l->co_nlocalsplus))
		return 0;
	words = *(__u32 *)w->rt + *(__u32 *)(w->rt + 4);
	return end + l->fr_locals + 8 * (__u64)words == top;
}

/* --- resuming a generator (3.12) -------------------------------------------------------------- */

/*
 * The interpreter publishes a generator's frame before it links it to the frame that resumes it,
 * and removes the link before it continues with the resuming frame. In between, at most a register
 * holds the resuming frame. The register is believed if
 *  - its frame runs in this call of the interpreter: the first shim of its chain is this call's;
 *  - no function called from it is still running: the first frame of its chain that lies in the
 *    data stack is the last frame there;
 *  - it resumed no other generator: either its stack pointer is not saved, so it runs, or the value
 *    on top of its stack is this generator.
 * The register is used only if the interpreter's own code was interrupted: that code runs one
 * frame.
 */
PYWALK_FN void pywalk_ask_running(struct pywalk *w, const struct py_layout *l, __u64 at)
{
	enum { HEAD = 64 }; /* from a generator's type to its frame */

	w->next = w->in_reg;
	w->resumed = at - HEAD - l->ob_type;
	w->waiting = 1;
	w->unproven = PROOF_SHIM | PROOF_END;
}

PYWALK_FN int pywalk_is_resumer(pywalk_source *src, const struct pywalk *w,
				const struct py_layout *l, __u32 off, __u64 at)
{
	__u32 saved = page_u32(w, off + l->fr_stacktop);
	__u64 top;

	if (saved == ~0U)
		return 1;
	return !read_user(src, &top, 8, at + l->fr_locals + 8 * (__u64)saved - 8) &&
	       top == w->resumed;
}

/* Is it impossible that the frame from @at to @end is a caller of the resumed generator? */
PYWALK_FN int pywalk_disproved(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			       __u32 off, __u64 at, __u8 owner, __u64 end)
{
	__u64 top;

	if (w->steps == 1 && !pywalk_is_resumer(src, w, l, off, at))
		return 1;
	if (owner != 0 || !(w->unproven & PROOF_END))
		return 0;
	if (read_user(src, &top, 8, w->tstate + l->ts_chunk + 8) || top != end)
		return 1;
	w->unproven &= ~PROOF_END;
	return 0;
}

/* --- code objects ----------------------------------------------------------------------------- */

/* Mixes the characters of the str whose header is in str[] into @hash. */
PYWALK_FN __u64 pywalk_characters(const struct pywalk *w, const struct py_layout *l, __u64 hash)
{
	__u32 head = l->us_length, state, bytes, from, i;
	__u64 word;

	state = *(__u32 *)(w->str + ((l->us_state - head) & (PYWALK_STR - 4)));
	from = ((state >> (l->us_ascii_bit & 31)) & 1 ? l->us_ascii : l->us_compact) - head;
	bytes = (__u32)str_u64(w, 0) * ((state >> (l->us_kind & 31)) & 7);
	for (i = 0; i < PYWALK_STR / 8; i++) {
		if (from + i * 8 >= PYWALK_STR || i * 8 >= bytes)
			break;
		word = str_u64(w, from + i * 8);
		if (bytes - i * 8 < 8)
			word &= (1ULL << ((bytes - i * 8) * 8)) - 1;
		hash = pywalk_mix(hash, word);
	}
	return hash;
}

#ifndef pywalk_content
#define pywalk_content pywalk_characters
#endif

/* Hash of a str's content, enough to tell the str from another one at the same address. */
PYWALK_FN __u64 pywalk_str(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			   __u64 str)
{
	__u32 head = l->us_length;
	__u64 hash = w->seed, word;
	int whole = 1;

	if (read_user(src, w->str, PYWALK_STR, str + head)) {
		whole = 0;
		if (read_user(src, w->str, 24, str + head))
			return 0;
	}
	word = str_u64(w, l->us_hash - head);
	hash = pywalk_mix(hash, str_u64(w, 0));
	if (word != ~0ULL || !whole)
		return pywalk_mix(hash, word);
	return pywalk_content(w, l, hash);
}

/*
 * Identity of the loaded code object. Each word is multiplied by an odd constant of its own, which
 * the CPU does in parallel; the sum is mixed once.
 */
PYWALK_FN __u64 pywalk_identity(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
				__u64 code)
{
	__u64 file = code_u64(w, l->co_file);
	__u64 sum = code * 0x9e3779b97f4a7c15ULL;

	sum += code_u64(w, l->co_ident[0]) * 0xbf58476d1ce4e5b9ULL;
	sum += code_u64(w, l->co_ident[1]) * 0x94d049bb133111ebULL;
	sum += code_u64(w, l->co_ident[2]) * 0xd6e8feb86659fd93ULL;
	sum += code_u64(w, l->co_ident[3]) * 0xc2b2ae3d27d4eb4fULL;
	sum += code_u64(w, l->co_ident[4]) * 0xa0761d6478bd642fULL;
	sum += code_u64(w, l->co_ident[5]) * 0xe7037ed1a0b428dbULL;
	if (l->flags & PY_CODE_VERSION)
		return pywalk_mix(w->seed, sum);
	if (file != w->file) {
		w->file = file;
		w->file_hash = pywalk_str(src, w, l, file);
	}
	sum += w->file_hash * 0x8ebc6af09c88c6e3ULL;
	sum += pywalk_str(src, w, l, code_u64(w, l->co_qualname ? l->co_qualname : l->co_name));
	return pywalk_mix(w->seed, sum);
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Loads the frame at @at into page[]. Returns its offset there, or < 0. */
PYWALK_FN int pywalk_load_frame(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
				__u64 at)
{
	__u32 in_page = at & (PYWALK_PAGE - 1), size = l->fr_size & (PY_FRAME_MAX - 1);
	__u64 off = at - w->window;
	__u32 len = size;

	if (off < PYWALK_PAGE && off + size <= w->window_len)
		return (__u32)off;
	w->window = at;
	/* Callers lie below: fetch the page from its start, if this looks like the data stack. */
	if ((l->flags & PY_IFRAME) && in_page + size <= PYWALK_PAGE &&
	    w->low - at < 4 * PYWALK_PAGE) {
		w->window = at - in_page;
		len = in_page + size;
	}
	if (len > PYWALK_PAGE)
		return -1;
	w->window_len = len;
	if (read_user(src, w->page, len, w->window)) {
		w->window_len = 0;
		return -1;
	}
	return (__u32)(at - w->window);
}

/*
 * 3.11 and 3.12 publish a new frame before they link it: until the frame starts, its link may be
 * left over from an earlier frame at this address. The true callers bear marks:
 *  - the first caller in the data stack (generators lie elsewhere) ends where the new frame begins;
 *  - a caller that called without a new C frame has saved its stack pointer, one in C code has not;
 *  - a caller that waits for a value has no return_offset, one that waits for a generator has
 *    (3.12).
 * An entry frame bears no mark: the frame that C code last called at this address was linked to an
 * entry frame, too, perhaps to the one in use. No frame behind it is believed before the new frame
 * runs.
 */
PYWALK_FN void pywalk_fresh(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			    __u32 off, __u64 at, __u8 owner)
{
	enum { CHUNK_TOP = 16, CHUNK_DATA = 24 };
	__u64 chunk = ts_u64(w, l->ts_chunk), before, top;

	w->fresh = 1;
	w->inlined = !(l->flags & PY_IS_ENTRY) || !page_u8(w, off + l->fr_entry);
	w->waiting = page_u32(w, off + l->fr_stacktop) != ~0U;
	w->seam = owner == 0 ? at : 0;
	if (!w->seam || at - chunk < CHUNK_DATA || at - chunk > CHUNK_DATA + 8)
		return;
	/* The new frame is the first of its chunk: the caller is the last of the previous chunk. */
	if (!read_user(src, &before, 8, chunk) && before &&
	    !read_user(src, &top, 8, before + CHUNK_TOP))
		w->seam = before + CHUNK_DATA + 8 * top;
}

/* Is it impossible that this frame is a caller of the fresh top frame? */
PYWALK_FN int pywalk_stale(struct pywalk *w, const struct py_layout *l, const struct pywalk_code *c,
			   __u32 off, __u64 at, __u8 owner, int compiled)
{
	__u32 saved = page_u32(w, off + l->fr_stacktop) != ~0U;

	if (compiled) /* such a frame bears no marks and calls from C code */
		return w->steps == 1 && w->inlined;
	if (c->frame_flags)
		return w->seam != 0;
	if (w->steps == 1 && saved != w->inlined && (w->inlined || !(l->flags & PY_IS_ENTRY)))
		return 1;
	if (w->steps == 1 && w->inlined && w->seam && l->fr_return &&
	    page_u16(w, off + l->fr_return))
		return 1;
	if (owner != 0 || !w->seam)
		return 0;
	if (at + l->fr_locals + 8 * (__u64)c->words != w->seam)
		return 1;
	w->seam = 0;
	return 0;
}

/*
 * A function compiled to C (Nuitka) links a frame like any other, but the frame runs no bytecode.
 * Returns the PyFrameObject of such a frame; 0: the interpreter runs the frame.
 *  - From 3.11 on it lies inside its own frame object. A running frame of the interpreter never
 *    does: it lies in the data stack or in a generator, and its frame object, if any, lies
 *    elsewhere. A frame object is at least its header and a frame long, and a generator's frame
 *    follows a header of its own. So a frame that is nearer to its frame object lies inside it.
 *  - Before 3.11 its code object is empty.
 */
PYWALK_FN __u64 pywalk_compiled(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
				const struct pywalk_code *c, __u32 off, __u64 at, __u8 owner,
				__s32 lasti)
{
	/* Type, f_back, f_frame, f_trace, f_lineno, flags; and less than a generator's header. */
	enum { HEAD = 40, GENERATOR = 64 };
	__u64 object, code, size, nearest = HEAD + l->ob_type + l->fr_locals + GENERATOR;

	if (l->flags & PY_IFRAME) {
		if (!owner)
			return 0;
		object = page_u64(w, off + l->fr_object);
		return at - object < nearest ? object : 0;
	}
	if (lasti >= 0 || read_user(src, &code, 8, c->addr + l->co_code) ||
	    read_user(src, &size, 8, code + l->by_size))
		return 0;
	return size ? 0 : at;
}

/* Line of the last call: a compiled function stores it before each call, and nothing else. */
PYWALK_FN __s32 pywalk_line(pywalk_source *src, const struct py_layout *l, __u64 object)
{
	__s32 line;

	return read_user(src, &line, 4, object + l->fo_line) || line < 0 ? 0 : line;
}

PYWALK_FN void pywalk_record(struct pywalk *w, const struct py_layout *l,
			     const struct pywalk_code *c, __s32 lasti, __u32 flags)
{
	struct wire_frame *f = &w->frames[w->slot & (WIRE_MAX_FRAMES - 1)];

	f->code = c->id;
	f->addr = c->addr;
	f->lasti = lasti;
	f->flags = c->frame_flags | flags;
	if (!w->total && l->ts_executor && ts_u64(w, l->ts_executor))
		f->flags |= FRAME_COMPILED;
	w->hash = pywalk_mix(w->hash, c->id + ((__u64)f->flags << 32 | (__u32)lasti) *
						      0x9e3779b97f4a7c15ULL);
	if (!w->total)
		w->top_hash = w->hash;
	w->total++;
	w->slot++;
	if (w->slot >= w->max_depth)
		w->slot = 0;
}

/* Cache entry for @code; it may still hold another code object. */
PYWALK_FN struct pywalk_code *pywalk_known(struct pywalk *w, __u64 code)
{
	return &w->known[(code * 0x9e3779b97f4a7c15ULL) >> (64 - PYWALK_KNOWN_BITS)];
}

/* Fills the entry @c. 1: @code is a code object; 0: it is not; < 0: not resident. */
PYWALK_FN int pywalk_load_code(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			       struct pywalk_code *c, __u64 code)
{
	if ((code & 7) || code >> 48)
		return 0;
	if (c->addr == code && c->walk == w->walk)
		return 1;
	c->addr = code;
	c->walk = w->walk;
	c->tlbc = 0;
	if (read_user(src, w->code, l->co_size & 0xff, code)) {
		c->id = pywalk_mix(w->seed, code);
		c->frame_flags = FRAME_UNREADABLE;
		c->hidden = 0;
		return -1;
	}
	if (code_u64(w, l->ob_type) != w->code_type) {
		c->addr = 0;
		return 0;
	}
	c->frame_flags = 0;
	c->flags = code_u32(w, l->co_flags);
	c->words = code_u32(w, l->co_stacksize) + code_u32(w, l->co_nlocalsplus);
	c->hidden =
		(l->flags & PY_INIT_CLEANUP) && code_u64(w, l->co_file) == code_u64(w, l->co_name);
	if (l->co_tlbc)
		c->tlbc = code_u64(w, l->co_tlbc);
	c->id = pywalk_identity(src, w, l, code);
	return 1;
}

/* Start of the bytecode that the frame runs: the code object's own, or a per-thread copy. */
PYWALK_FN __u64 pywalk_bytecode(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
				const struct pywalk_code *c, __u32 off)
{
	enum { ENTRIES = 8, TOO_MANY = 1 << 16 };
	__u32 copy = l->fr_tlbc ? page_u32(w, off + l->fr_tlbc) : 0;
	__u64 start;

	if (!copy)
		return c->addr + l->co_bytecode;
	if (!c->tlbc || copy >= TOO_MANY || read_user(src, &start, 8, c->tlbc + ENTRIES + 8 * copy))
		return 0;
	return start;
}

PYWALK_FN __s32 pywalk_lasti(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			     const struct pywalk_code *c, __u32 off)
{
	__u64 start;
	__s32 lasti;

	if (l->co_bytecode) {
		start = pywalk_bytecode(src, w, l, c, off);
		return start ? (__s32)(page_u64(w, off + l->fr_instr) - start) : LASTI_UNKNOWN;
	}
	lasti = (__s32)page_u32(w, off + l->fr_instr);
	return (l->flags & PY_LASTI_UNITS) && lasti > 0 ? (__s32)((__u32)lasti * 2) : lasti;
}

/*
 * greenlet moves C stacks, so before it switches it takes the entry frames on them out of the chain
 * (3.12+). The frame called from the outermost entry frame then has no caller. Such a root is
 * believed only at the bottom of a data stack: the first frame of a chunk that has no previous
 * chunk.
 */
PYWALK_FN int pywalk_bottom(pywalk_source *src, struct pywalk *w, __u64 at, __u8 owner)
{
	enum { CHUNK_SIZE = 8, CHUNK_FIRST = 32, CHUNK_MIN = 1 << 14 };
	__u64 size;

	if (w->next || w->fresh || owner || read_user(src, w->rt, CHUNK_FIRST, at - CHUNK_FIRST))
		return 0;
	size = *(__u64 *)(w->rt + CHUNK_SIZE);
	return !*(__u64 *)w->rt && size >= CHUNK_MIN && !(size & (CHUNK_MIN - 1));
}

/* Can the frame at @at be the outermost one? */
PYWALK_FN int pywalk_can_end(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			     const struct pywalk_code *c, __u32 off, __u64 at, __u8 owner)
{
	enum { GENERATOR = 0x20 | 0x80 | 0x200 };

	if (l->flags & PY_SHIM)
		return pywalk_bottom(src, w, at, owner);
	if (l->flags & PY_IS_ENTRY)
		return page_u8(w, off + l->fr_entry) && !page_u8(w, off + l->fr_owner);
	if ((l->flags & PY_GEN_NEEDS_BACK) && !c->frame_flags)
		return !(c->flags & GENERATOR);
	return 1;
}

/* Forgets all frames. */
PYWALK_FN void pywalk_forget(struct pywalk *w)
{
	w->next = 0;
	w->window = 0;
	w->window_len = 0;
	w->steps = 0;
	w->seam = 0;
	w->of_chain = 0;
	w->hash = w->seed;
	w->total = 0;
	w->slot = 0;
	w->inner = 0;
	w->outer = 0;
	pywalk_drop_seats(w);
}

/*
 * The first entry frame, at @at, tells whether the state is this thread's: PYWALK_GO. If not,
 * forgets its frames and searches for another state.
 */
PYWALK_FN int pywalk_judge(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			   __u64 at)
{
	enum { STATE_MAX = 0x8000 }; /* in 3.15 the last entry frame lies in the state */

	w->judge = 0;
	if (at - w->tstate >= STATE_MAX &&
	    pywalk_seat_at(src, w, at, w->borrowed ? PYWALK_REACH : 0) == SEAT_HERE)
		return PYWALK_GO;
	if (!w->borrowed && !pywalk_stack_top(src, w))
		return PYWALK_GO; /* nothing can refute it */
	if (at - w->tstate < STATE_MAX && !w->frameless)
		w->frameless = w->tstate;
	pywalk_forget(w);
	w->search = SEARCH_STACK; /* the words that are left */
	if (!w->borrowed)
		pywalk_borrow(w);
	return PYWALK_MORE;
}

/* Starts at the loaded state's top frame. PYWALK_MORE or PYWALK_END. */
PYWALK_FN int pywalk_start(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			   const struct proc_info *p)
{
	if (w->entering)
		w->next = pywalk_caller(src, w, l, p);
	else if (pywalk_top(src, w, l, &w->next))
		return pywalk_fault(w, ts_u64(w, l->ts_frame));
	if (!w->next)
		return pywalk_end(w, WALK_NO_FRAME);
	w->low = w->next;
	w->walked = w->tstate;
	w->doubt = w->entering;
	return PYWALK_MORE;
}

/* --- callers in other interpreters (3.12+) ---------------------------------------------------- */

/*
 * A thread that runs code of a sub-interpreter has a state in each interpreter, and the frames of
 * each state end with an entry frame. The entry frames tell which interpreter called which: they
 * lie in the thread's one C stack, callers above callees.
 *
 *	C stack   high  main: entry frame        walked last
 *	            :   sub: entry frame         <- its callers are those of the next seat above
 *	          low   (where the thread is)
 *
 * If a state's innermost entry frame lies between two of another state, the two call each other in
 * turn, and the marker [other interpreter] stands for the callers. If it lies below all walked
 * frames, or beyond the end of the stack, another thread uses that state. A process with one
 * interpreter skips all this.
 */
PYWALK_FN int pywalk_several(pywalk_source *src, const struct pywalk *w)
{
	__u64 heads[2]; /* the list's head, the main interpreter */

	return w->interps && !read_user(src, heads, 16, w->interps) && heads[0] != heads[1];
}

/* The walk reached the root of a state's frames. */
PYWALK_FN int pywalk_root(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	if (!(l->flags & PY_SHIM) || w->one_interp || !pywalk_several(src, w))
		return pywalk_end(w, WALK_COMPLETE);
	if (read_user(src, &w->interp, 8, w->interps))
		return pywalk_end(w, WALK_OTHER);
	w->state = 0;
	w->caller = 0;
	w->in_doubt = 0;
	w->join_left = PYWALK_JOIN_MAX;
	w->join = JOIN_LIST;
	return PYWALK_MORE;
}

/* All states were examined: continues with the caller's frames. */
PYWALK_FN int pywalk_joined(struct pywalk *w)
{
	w->join = JOIN_NONE;
	if (w->in_doubt)
		return pywalk_end(w, WALK_OTHER);
	if (!w->caller)
		return pywalk_end(w, WALK_COMPLETE);
	w->walked = w->caller;
	w->next = w->caller_top;
	w->low = w->next;
	w->inner = 0;
	w->root_ok = 0;
	w->fresh = 0;
	w->seam = 0;
	return PYWALK_MORE;
}

/* Examines one state, in page[]: ts[] keeps the thread's own. */
PYWALK_FN int pywalk_join_state(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	w->seen = w->state;
	w->window_len = 0; /* page[] holds the state now */
	if (read_user(src, w->page, l->ts_size & (PY_TS_MAX - 1), w->seen))
		return pywalk_end(w, WALK_OTHER);
	w->state = page_u64(w, l->ts_next);
	if (page_u64(w, l->ts_thread_id) != w->thread_id || w->seen == w->walked)
		return PYWALK_MORE;
	w->top = page_u64(w, l->ts_frame);
	if ((l->flags & PY_CFRAME) && w->top && read_user(src, &w->top, 8, w->top + l->cf_frame))
		return pywalk_end(w, WALK_OTHER);
	w->chain = w->top;
	w->low = w->top;
	w->has_frames = 0;
	w->join = JOIN_SEAT;
	return PYWALK_MORE;
}

PYWALK_FN int pywalk_join_list(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	if (w->state)
		return pywalk_join_state(src, w, l);
	if (!w->interp)
		return pywalk_joined(w);
	if (read_user(src, &w->state, 8, w->interp + l->in_threads) ||
	    read_user(src, &w->interp, 8, w->interp + l->in_next))
		return pywalk_end(w, WALK_OTHER);
	return PYWALK_MORE;
}

/* Does the entry frame lie on the stack? In 3.15 the last one of a chain lies in the state. */
PYWALK_FN int pywalk_is_seat(__u64 at, __u64 state)
{
	enum { STATE_MAX = 0x8000 };

	return at - state >= STATE_MAX;
}

/*
 * Does @seat lie above outer, in the same stack? A thread's stack ends below its thread pointer;
 * the main thread's stack lies above all others.
 */
PYWALK_FN int pywalk_is_above(const struct pywalk *w, __u64 seat)
{
	return seat > w->outer && (w->outer > w->thread_id || seat < w->thread_id);
}

/* Notes the seat of the state w->seen. @seat 0: it has none. */
PYWALK_FN int pywalk_join_note(struct pywalk *w, __u64 seat)
{
	w->join = JOIN_LIST;
	if (!w->has_frames)
		return PYWALK_MORE;
	if (!seat || !w->inner || (seat > w->inner && seat < w->outer)) {
		w->in_doubt = 1;
	} else if (pywalk_is_above(w, seat) && (!w->caller || seat < w->caller_seat)) {
		w->caller = w->seen;
		w->caller_top = w->top;
		w->caller_seat = seat;
	}
	return PYWALK_MORE;
}

/* Follows one frame of the state w->seen. */
PYWALK_FN int pywalk_join_seat(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	__u64 at = w->chain;
	int off;

	if (!at)
		return pywalk_join_note(w, 0);
	off = (at & 7) || at >> 48 ? -1 : pywalk_load_frame(src, w, l, at);
	if (off < 0)
		return pywalk_end(w, WALK_OTHER);
	w->chain = page_u64(w, off + l->fr_back);
	if (page_u8(w, off + l->fr_owner) < l->owner_shim)
		w->has_frames = 1;
	else if (pywalk_is_seat(at, w->seen))
		return pywalk_join_note(w, at);
	return PYWALK_MORE;
}

PYWALK_FN int pywalk_join(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	if (!w->join_left)
		return pywalk_end(w, WALK_OTHER);
	w->join_left--;
	return w->join == JOIN_LIST ? pywalk_join_list(src, w, l) : pywalk_join_seat(src, w, l);
}

/* --- steps ------------------------------------------------------------------------------------ */

/* An entry frame has no code. It marks on the C stack the loop that runs the frames before it. */
PYWALK_FN int pywalk_entry(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			   __u64 at)
{
	if ((w->unproven & PROOF_SHIM) && at != ts_u64(w, l->ts_frame) + w->shim)
		return pywalk_end(w, WALK_INCOMPLETE);
	w->unproven &= ~PROOF_SHIM;
	if (w->judge && pywalk_judge(src, w, l, at) != PYWALK_GO)
		return PYWALK_MORE;
	w->root_ok = 1;
	if (pywalk_is_seat(at, w->walked)) {
		w->inner = w->inner ? w->inner : at;
		w->outer = at;
		pywalk_note_seat(w, at);
	}
	if (w->steps == 1 && w->waiting)
		return pywalk_end(w, WALK_INCOMPLETE);
	if (w->steps == 1)
		w->inlined = 0;
	return PYWALK_MORE;
}

/* A function's frame under examination. */
struct pywalk_frame {
	__u64 at;
	__u64 object; /* PyFrameObject of a function compiled to C; 0: the interpreter runs it */
	__u32 off;    /* in page[] */
	__s32 lasti;  /* if object is set, the line */
	__u8 owner;
};

/*
 * Can examination be skipped? It can for nearly every frame: no link is in doubt, and the frame
 * lies in the data stack (3.11+) and has started to run.
 */
PYWALK_FN int pywalk_is_plain(const struct pywalk *w, const struct pywalk_frame *f)
{
	return !w->doubt && !f->owner && f->lasti >= 0;
}

/* PYWALK_MORE if the link to the frame can be believed. PYWALK_END: stack.end says why not. */
PYWALK_FN int pywalk_examine(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			     const struct pywalk_code *c, struct pywalk_frame *f)
{
	__u64 end = f->at + l->fr_locals + 8 * (__u64)c->words;

	f->object = pywalk_compiled(src, w, l, c, f->off, f->at, f->owner, f->lasti);
	if (w->entering && f->owner == 0 && !f->object && !w->checked) {
		w->checked = pywalk_innermost(src, w, l, end);
		if (!w->checked)
			return pywalk_end(w, WALK_ENTERING);
	}
	if (f->object)
		f->lasti = pywalk_line(src, l, f->object);
	else if (!w->steps && (l->flags & PY_CONTIGUOUS) && f->lasti < 0 && !w->entered &&
		 page_u32(w, f->off + l->fr_stacktop) != ~0U)
		pywalk_fresh(src, w, l, f->off, f->at, f->owner);
	if (w->fresh && w->steps && pywalk_stale(w, l, c, f->off, f->at, f->owner, f->object != 0))
		return pywalk_end(w, WALK_INCOMPLETE);
	if (w->unproven && (f->object || c->frame_flags ||
			    pywalk_disproved(src, w, l, f->off, f->at, f->owner, end)))
		return pywalk_end(w, WALK_INCOMPLETE);
	if (!w->steps && !w->next && f->owner == 1 && w->in_reg && !f->object && !w->fresh)
		pywalk_ask_running(w, l, f->at);
	w->doubt = w->fresh | w->entering | w->unproven;
	return PYWALK_MORE;
}

/* One frame. PYWALK_MORE or PYWALK_END. @noting, constant: calls pywalk_note_frame(). */
PYWALK_FN int pywalk_step_noting(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
				 int noting)
{
	struct pywalk_frame f = { .at = w->next };
	struct pywalk_code *c;
	__u64 code;
	int off;

	if (!f.at)
		return w->root_ok ? pywalk_root(src, w, l) : pywalk_end(w, WALK_INCOMPLETE);
	if ((f.at & 7) || f.at >> 48)
		return pywalk_end(w, WALK_INCOMPLETE);
	off = pywalk_load_frame(src, w, l, f.at);
	if (off < 0)
		return pywalk_fault(w, f.at);
	f.off = off;
	f.owner = (l->flags & PY_IFRAME) ? page_u8(w, f.off + l->fr_owner) : 0;
	w->next = page_u64(w, f.off + l->fr_back);
	if ((l->flags & PY_SHIM) && f.owner >= l->owner_shim)
		return pywalk_entry(src, w, l, f.at);
	code = page_u64(w, f.off + l->fr_code) & ~3ULL;
	c = pywalk_known(w, code);
	if (!pywalk_load_code(src, w, l, c, code))
		return pywalk_end(w, WALK_INCOMPLETE);
	f.lasti = pywalk_lasti(src, w, l, c, f.off);
	if (!pywalk_is_plain(w, &f) && pywalk_examine(src, w, l, c, &f) != PYWALK_MORE)
		return PYWALK_END;
	if (f.owner == 0)
		w->low = f.at;
	if (noting)
		pywalk_note_frame(w, c, &f);
	w->steps++;
	w->root_ok = f.object || pywalk_can_end(src, w, l, c, f.off, f.at, f.owner);
	if (!c->hidden)
		pywalk_record(w, l, c, f.lasti, f.object ? FRAME_LINE : 0);
	if ((l->flags & PY_IS_ENTRY) && !f.object && page_u8(w, f.off + l->fr_entry))
		pywalk_note_seat(w, 0);
	return PYWALK_MORE;
}

PYWALK_FN int pywalk_step(pywalk_source *src, struct pywalk *w, const struct py_layout *l)
{
	return pywalk_step_noting(src, w, l, 0);
}

/*
 * 3.10 and 3.11: the _PyCFrame of the loop that called the one with the _PyCFrame @at; 0: the innermost
 * one. They are the seats. Returns 0 behind the last.
 */
PYWALK_FN __u64 pywalk_cframe(pywalk_source *src, const struct pywalk *w, const struct py_layout *l,
			      __u64 at)
{
	if (!l->ts_cframe || !w->tstate)
		return 0;
	if (!at)
		at = ts_u64(w, l->ts_cframe);
	else if (read_user(src, &at, 8, at + l->cf_frame + 8)) /* previous */
		return 0;
	return at - w->tstate < PY_TS_MAX ? 0 : at; /* a thread state contains one, too */
}

/* The next step while w->astray: of the search, or for a caller in another interpreter. */
PYWALK_FN int pywalk_astray(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			    const struct proc_info *p)
{
	int go;

	if (!w->search)
		return pywalk_join(src, w, l);
	go = pywalk_scan(src, w, l, p);
	return go == PYWALK_GO ? pywalk_start(src, w, l, p) : go;
}

/* The next step of the search or of the walk. PYWALK_MORE or PYWALK_END. */
PYWALK_FN int pywalk_next(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
			  const struct proc_info *p)
{
	return w->astray ? pywalk_astray(src, w, l, p) : pywalk_step(src, w, l);
}

PYWALK_FN int pywalk_next_noting(pywalk_source *src, struct pywalk *w, const struct py_layout *l,
				 const struct proc_info *p)
{
	return w->astray ? pywalk_astray(src, w, l, p) : pywalk_step_noting(src, w, l, 1);
}

/* Before each walk. */
PYWALK_FN void pywalk_reset(struct pywalk *w)
{
	w->tstate = 0;
	w->of_state = 0;
	w->of_entry = 0;
	w->learned = 0;
	w->in_reg = 0;
	w->walk++;
	w->file = 0;
	w->file_hash = 0;
	pywalk_forget(w);
	w->stack.fault = 0;
	w->stack.end = WALK_ENDLESS;
}

/* Drops all frames but the top one: they were seen through a link that nothing confirmed. */
PYWALK_FN void pywalk_take_back(struct pywalk *w)
{
	w->total = w->total <= w->max_depth;
	w->slot = w->total < w->max_depth ? w->total : 0;
	w->hash = w->total ? w->top_hash : w->seed;
}

/* In the prologue, while there is no valid chain, only a complete stack is shown. */
PYWALK_FN void pywalk_enter(struct pywalk *w)
{
	if (w->checked && w->total && w->stack.end == WALK_COMPLETE)
		return;
	w->total = 0;
	w->slot = 0;
	w->hash = w->seed;
	w->stack.fault = 0;
	w->stack.end = WALK_ENTERING;
}

/* Drops the callers that came from a register and were not proved. */
PYWALK_FN void pywalk_disown(struct pywalk *w)
{
	pywalk_take_back(w);
	w->stack.fault = 0;
	w->stack.end = WALK_INCOMPLETE;
}

/*
 * After the last step: a thread's own block of memory, where its thread pointer points, is there as long
 * as the thread. If it cannot be read (the kernel moves it into a huge page, for instance), nothing is
 * known of the thread's state, least of all that there is none.
 */
PYWALK_FN void pywalk_check_absence(pywalk_source *src, struct pywalk *w)
{
	__u64 word;

	if (w->stack.end == WALK_NO_STATE && w->thread_id && !(w->thread_id >> 56) &&
	    read_user(src, &word, 8, w->thread_id))
		pywalk_fault(w, w->thread_id);
}

/* At the very end: completes the stack's header; frames[] then holds stack.count frames. */
PYWALK_FN void pywalk_finish(struct pywalk *w)
{
	int cut;

	if (w->search && w->stack.end == WALK_ENDLESS)
		w->stack.end = WALK_AMBIGUOUS; /* the search ran out of steps */
	if (w->judge && w->borrowed) { /* nothing proved that these frames are this thread's */
		pywalk_forget(w);
		w->stack.end = WALK_NO_STATE;
	}
	if (w->seam && w->total > 1 && w->stack.end != WALK_COMPLETE)
		pywalk_take_back(w);
	if (w->entering)
		pywalk_enter(w);
	if (w->unproven)
		pywalk_disown(w);
	cut = w->total > w->max_depth;
	if (!w->total && w->stack.end == WALK_COMPLETE)
		w->stack.end = WALK_NO_FRAME; /* nothing but entry frames */
	if (cut && w->stack.end == WALK_COMPLETE)
		w->stack.end = WALK_TRUNCATED;
	w->stack.kind = RECORD_STACK;
	w->stack.count = cut ? w->max_depth : w->total;
	w->stack.first = cut ? w->slot : 0;
	w->stack.id = pywalk_mix(w->hash, w->stack.end);
}

#endif
