/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A synthetic interpreter: memory that holds the structures the walker reads, built piece by piece,
 * so that a test can change one of them and check what the walker does.
 *
 *	BASE    _PyRuntime, thread, interpreter, state, code objects, strings, heap frames (upwards)
 *	STACK   the data stack: frames one after another                            (3.11+)
 *
 * Writing outside of this memory aborts the test program: only the walker may see bad addresses.
 */
#ifndef KRAIT_SYNTH_H
#define KRAIT_SYNTH_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "images/offsets.h"
#include "py/layout.h"
#include "py/walk.h"

enum { SYNTH_SIZE = 8 << 20, SYNTH_WORDS = 2, SYNTH_LASTI = 6, SYNTH_LINE = 100 };

#define SYNTH_BASE  0x200000000000ULL
#define SYNTH_STACK (SYNTH_BASE + SYNTH_SIZE / 2)

/* One version for each minor version that has a layout. */
static const uint32_t synth_versions[] = { 0x03060ff0, 0x030710f0, 0x030812f0, 0x030912f0,
					   0x030a0df0, 0x030b07f0, 0x030c01f0, 0x030d00f0 };

struct synth {
	uint32_t hex;
	struct py_layout l;
	struct proc_info info;
	struct walk_thread thread;
	struct walk *walk;
	uint8_t *memory;
	uint64_t heap, stack;        /* next free address */
	uint64_t interp, state;      /* the first interpreter and its first state */
	uint64_t top;                /* the innermost frame */
	uint64_t hole, hole_len;     /* a range that cannot be read */
	uint64_t high;               /* an address bit that reads ignore */
	uint32_t versions;           /* versions given to code objects */
	unsigned long reads;         /* by the walker */
	const struct wire_frame *at; /* frames of the last walk */
};

static inline void *synth_at(struct synth *s, uint64_t addr, size_t len)
{
	if (addr < SYNTH_BASE || addr - SYNTH_BASE > SYNTH_SIZE - len)
		abort();
	return s->memory + (addr - SYNTH_BASE);
}

static inline void synth_put(struct synth *s, uint64_t addr, uint64_t value)
{
	memcpy(synth_at(s, addr, sizeof(value)), &value, sizeof(value));
}

static inline void synth_put32(struct synth *s, uint64_t addr, uint32_t value)
{
	memcpy(synth_at(s, addr, sizeof(value)), &value, sizeof(value));
}

static inline uint64_t synth_get(struct synth *s, uint64_t addr)
{
	uint64_t value;

	memcpy(&value, synth_at(s, addr, sizeof(value)), sizeof(value));
	return value;
}

/* Zeroed memory, aligned to 16 bytes. */
static inline uint64_t synth_alloc(struct synth *s, size_t len)
{
	uint64_t addr = s->heap;

	s->heap += (len + 15) & ~15ULL;
	if (s->heap > SYNTH_STACK)
		abort();
	return addr;
}

static inline int synth_read(void *ctx, void *to, size_t len, uint64_t addr)
{
	struct synth *s = ctx;

	s->reads++;
	addr &= ~s->high;
	if (addr < SYNTH_BASE || len > SYNTH_SIZE || addr - SYNTH_BASE > SYNTH_SIZE - len)
		return -EFAULT;
	if (s->hole_len && addr < s->hole + s->hole_len && s->hole < addr + len)
		return -EFAULT;
	memcpy(to, s->memory + (addr - SYNTH_BASE), len);
	return 0;
}

/* --- thread states ---------------------------------------------------------------------------- */

static inline uint64_t synth_slot(struct synth *s, unsigned int key)
{
	return s->thread.thread_pointer + s->info.tss_first + 16 * key + 8;
}

/* Adds a state of thread @thread_id at the head of @interp's list. */
static inline uint64_t synth_state(struct synth *s, uint64_t interp, uint64_t thread_id)
{
	uint64_t state = synth_alloc(s, s->l.ts_size + 16);

	synth_put(s, state + s->l.ts_next, synth_get(s, interp + s->l.in_threads));
	synth_put(s, state + s->l.ts_interp, interp);
	synth_put(s, state + s->l.ts_thread_id, thread_id);
	synth_put(s, interp + s->l.in_threads, state);
	if (s->l.flags & PY_CFRAME)
		synth_put(s, state + s->l.ts_frame, synth_alloc(s, 32));
	return state;
}

/* Adds an interpreter at the head of the list. */
static inline uint64_t synth_interp(struct synth *s)
{
	uint64_t interp = synth_alloc(s, s->l.in_threads + s->l.in_next + 16);

	synth_put(s, interp + s->l.in_next, synth_get(s, s->info.interps));
	synth_put(s, s->info.interps, interp);
	return interp;
}

static inline void synth_top(struct synth *s, uint64_t state, uint64_t frame)
{
	uint64_t at = state + s->l.ts_frame;

	if (s->l.flags & PY_CFRAME)
		at = synth_get(s, at) + s->l.cf_frame;
	synth_put(s, at, frame);
}

static inline void synth_hold_gil(struct synth *s, uint64_t state)
{
	if (s->info.current)
		synth_put(s, s->info.current, state);
}

/* Fills in the result of detect_process(). Before 3.7 the three variables were separate. */
static inline void synth_runtime(struct synth *s)
{
	uint64_t runtime = synth_alloc(s, 4096);
	struct proc_info *p = &s->info;

	p->kind = PROC_PYTHON;
	p->current = s->l.rt_current ? runtime + s->l.rt_current : 0;
	p->key = runtime + s->l.rt_key;
	p->interps = runtime + s->l.rt_interps;
	if (s->l.version == 0x0306) {
		p->current = runtime + 1024;
		p->key = runtime + 2048;
	}
	p->code_type = synth_alloc(s, 64);
	p->tss = TSS_GLIBC;
	p->tss_first = 0x310;
	p->tss_second = 0x510;
	synth_put32(s, p->key - 4, 1);
	synth_put32(s, p->key, 0);
}

/* Maps the memory at SYNTH_BASE if that is free: then the test is itself the synthetic process. */
static inline void *synth_map(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *memory = mmap((void *)SYNTH_BASE, SYNTH_SIZE, PROT_READ | PROT_WRITE,
			    flags | MAP_FIXED_NOREPLACE, -1, 0);

	if (memory != MAP_FAILED)
		return memory;
	return mmap(NULL, SYNTH_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0);
}

static inline bool synth_is_real(const struct synth *s)
{
	return (uintptr_t)s->memory == SYNTH_BASE;
}

/* One interpreter with one thread, whose state is in slot 0 and has no frames. */
static inline struct synth *synth_new(uint32_t hex)
{
	struct synth *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->hex = hex;
	s->memory = synth_map();
	s->walk = walk_new(synth_read, s);
	if (s->memory == MAP_FAILED || !s->walk ||
	    layout_find(hex, 0, (const uint8_t *)offsets_3_13_0, sizeof(offsets_3_13_0), &s->l,
			NULL))
		abort();
	s->heap = SYNTH_BASE;
	s->stack = SYNTH_STACK + 32;
	synth_runtime(s);
	s->thread.proc = (struct proc_key){ .start_ns = 7, .tgid = 7 };
	s->thread.thread_pointer = synth_alloc(s, 4096);
	s->thread.ns_tid = 77;
	s->interp = synth_interp(s);
	synth_put(s, s->info.interps + 8, s->interp); /* interpreters.main */
	s->state = synth_state(s, s->interp, s->thread.thread_pointer);
	synth_put(s, synth_slot(s, 0), s->state);
	return s;
}

static inline void synth_free(struct synth *s)
{
	walk_free(s->walk);
	munmap(s->memory, SYNTH_SIZE);
	free(s);
}

static inline void synth_freep(struct synth **s)
{
	if (*s)
		synth_free(*s);
}

/* --- objects ---------------------------------------------------------------------------------- */

/* An ASCII str; @hash -1: not computed yet. */
static inline void synth_put_str(struct synth *s, uint64_t str, const char *text, uint64_t hash)
{
	size_t len = strlen(text);

	synth_put(s, str + s->l.us_length, len);
	synth_put(s, str + s->l.us_hash, hash);
	synth_put32(s, str + s->l.us_state, 1u << s->l.us_kind | 1u << s->l.us_ascii_bit);
	memcpy(synth_at(s, str + s->l.us_ascii, len), text, len);
}

static inline uint64_t synth_str(struct synth *s, const char *text)
{
	uint64_t str = synth_alloc(s, 256);

	synth_put_str(s, str, text, 1000 + str);
	return str;
}

/* A code object with that name; @file is a str. */
static inline uint64_t synth_code_in(struct synth *s, const char *name, uint64_t file)
{
	uint64_t code = synth_alloc(s, 256), str = synth_str(s, name), table = synth_alloc(s, 64);
	const struct py_layout *l = &s->l;

	synth_put(s, code + l->ob_type, s->info.code_type);
	synth_put(s, code + l->co_name, str);
	if (l->co_qualname)
		synth_put(s, code + l->co_qualname, str);
	synth_put(s, code + l->co_file, file);
	synth_put(s, code + l->co_table, table);
	synth_put32(s, code + l->co_firstline, SYNTH_LINE);
	if (l->flags & PY_CODE_VERSION)
		synth_put32(s, code + 92, ++s->versions);
	if (l->co_stacksize)
		synth_put32(s, code + l->co_stacksize, SYNTH_WORDS);
	return code;
}

static inline uint64_t synth_code(struct synth *s, const char *name)
{
	return synth_code_in(s, name, synth_str(s, "/synth/file.py"));
}

/* --- frames ----------------------------------------------------------------------------------- */

enum { SYNTH_THREAD, SYNTH_GENERATOR, SYNTH_SHIM = 3 };

static inline void synth_fill(struct synth *s, uint64_t frame, uint64_t code, uint8_t owner)
{
	const struct py_layout *l = &s->l;

	synth_put(s, frame + l->fr_code, code);
	synth_put(s, frame + l->fr_back, s->top);
	if (l->co_bytecode)
		synth_put(s, frame + l->fr_instr, code + l->co_bytecode + SYNTH_LASTI);
	else
		synth_put32(s, frame + l->fr_instr,
			    SYNTH_LASTI / (l->flags & PY_LASTI_UNITS ? 2 : 1));
	if (!(l->flags & PY_IFRAME))
		return;
	*(uint8_t *)synth_at(s, frame + l->fr_owner, 1) = owner;
	if (l->flags & PY_IS_ENTRY)
		*(uint8_t *)synth_at(s, frame + l->fr_entry, 1) = !s->top;
}

/* Makes @frame the current frame of the thread's state. */
static inline uint64_t synth_push(struct synth *s, uint64_t frame, uint64_t code, uint8_t owner)
{
	synth_fill(s, frame, code, owner);
	s->top = frame;
	synth_top(s, s->state, frame);
	return frame;
}

/* Space for a frame: on the data stack in versions that have one. */
static inline uint64_t synth_place(struct synth *s)
{
	uint64_t frame = s->stack;

	if (!(s->l.flags & PY_IFRAME))
		return synth_alloc(s, 128);
	s->stack += s->l.fr_locals + 8 * SYNTH_WORDS;
	return frame;
}

/* Calls @code from the current frame; C makes a thread's first call. */
static inline uint64_t synth_call(struct synth *s, uint64_t code)
{
	if (!s->top && (s->l.flags & PY_SHIM))
		synth_push(s, synth_alloc(s, 128), 0, SYNTH_SHIM);
	return synth_push(s, synth_place(s), code, SYNTH_THREAD);
}

/* Resumes a generator: its frame is on the heap. */
static inline uint64_t synth_resume(struct synth *s, uint64_t code)
{
	return synth_push(s, synth_alloc(s, 128), code, SYNTH_GENERATOR);
}

/*
 * Calls a function compiled to C, which made the frame itself. Up to 3.10 its code object is empty;
 * later the frame is part of its frame object, at offset @inside.
 */
static inline uint64_t synth_call_compiled(struct synth *s, uint64_t code, uint32_t line,
					   uint64_t inside)
{
	const struct py_layout *l = &s->l;
	uint64_t object = synth_alloc(s, 512);
	uint64_t frame = l->flags & PY_IFRAME ? object + inside : object;

	synth_push(s, frame, code, SYNTH_GENERATOR);
	synth_put32(s, object + l->fo_line, line);
	if (l->flags & PY_IFRAME) {
		synth_put(s, frame + l->fr_object, object);
		*(uint8_t *)synth_at(s, frame + l->fr_entry, 1) &= l->flags & PY_IS_ENTRY ? 0 : 255;
	} else {
		synth_put32(s, frame + l->fr_instr, (uint32_t)-1);
		synth_put(s, code + l->co_code, synth_alloc(s, 64)); /* b"" */
	}
	return frame;
}

static inline const struct wire_stack *synth_walk(struct synth *s)
{
	s->reads = 0;
	return walk_stack(s->walk, &s->l, &s->info, &s->thread, &s->at);
}

#endif
