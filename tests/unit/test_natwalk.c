/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The native walker (bpf/natwalk.h) by native/hostwalk: synthetic stacks of both machines over
 * hand-written unwind information, then this program's own stack.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "frames.h"
#include "hostmem.h"
#include "native/hostwalk.h"
#include "native/space.h"
#include "proc/rmem.h"
#include "tap.h"

#define CODE(bytes) bytes, sizeof(bytes) - 1

enum {
	WORDS = 1024,
	MAX = 64,
};

static const uint64_t bias = 0x7f0000100000, stack_at = 0x7ffd00000f00;

/* A world: one file, a stack, and what a walk of it gives. */
struct world {
	struct frames f;
	struct hostmem mem;
	struct natfiles *files;
	struct hostwalk *walk;
	struct native_map maps[3];
	size_t n_maps;
	uint64_t stack[WORDS]; /* at stack_at */
	struct hostwalk_regs regs;
	struct hostwalk_frame frames[MAX];
	size_t n;
	uint32_t end;
};

static int read_world(void *ctx, void *to, size_t len, uint64_t addr)
{
	struct world *w = ctx;
	uint64_t code = addr - bias, at = addr - stack_at;

	if (addr >= stack_at && at < sizeof(w->stack)) {
		/* The rest of a page that is only partly the stack's. */
		size_t n = len < sizeof(w->stack) - at ? len : sizeof(w->stack) - at;

		memset(to, 0, len);
		memcpy(to, (char *)w->stack + at, n);
		return 0;
	}
	if (addr < bias || code + len > FRAMES_SIZE)
		return -EFAULT;
	memcpy(to, w->f.file + code, len);
	return 0;
}

/* Functions are added to w->f; then: */
static void world_open(struct world *w)
{
	static const struct file_id id = { .inode = 7 };
	int file;

	hostmem_init(&w->mem, 64, 4);
	w->files = natfiles_new(&w->mem.memory);
	file = natfiles_add(w->files, &id, frames_open(&w->f));
	CHECK_EQ(file, 0);
	CHECK_EQ(natfiles_find(w->files, &id), 0);
	w->walk = hostwalk_new(w->files, &w->mem.memory, w->f.machine);
	w->maps[0] = (struct native_map){ 0x1000, 0x2000, 0, 0, NATIVE_MAP_ANON };
	w->maps[1] = (struct native_map){ bias, bias + FRAMES_SIZE, bias,
					  natfiles_chunk(w->files, file), 0 };
	w->maps[2] = (struct native_map){ stack_at + 0x100000, stack_at + 0x101000, 0, 0,
					  NATIVE_MAP_OPAQUE };
	w->n_maps = 3;
}

static void world_walk(struct world *w, uint64_t pc)
{
	struct hostwalk_target t = { w->maps, w->n_maps, read_world, w };

	w->regs.pc = pc;
	w->n = hostwalk_stack(w->walk, &t, &w->regs, w->frames, MAX, &w->end);
}

static void world_done(struct world *w)
{
	hostwalk_free(w->walk);
	natfiles_free(w->files);
	hostmem_done(&w->mem);
	frames_done(&w->f);
}

/* Functions of the worlds, from FRAMES_TEXT on. */
enum {
	LEAF = FRAMES_TEXT,
	BY_FP = FRAMES_TEXT + 0x100,
	BY_SP = FRAMES_TEXT + 0x200,
	START = FRAMES_TEXT + 0x300,
	ODD = FRAMES_TEXT + 0x400,
	HANDLED = FRAMES_TEXT + 0x500,
	FAR = FRAMES_TEXT + 0x10000,
};

static uint64_t at(uint32_t vaddr)
{
	return bias + vaddr;
}

/* --- x86-64 --------------------------------------------------------------------------------------- */

static void open_x86(struct world *w)
{
	*w = (struct world){};
	frames_init(&w->f, EM_X86_64);
	frames_function(&w->f, LEAF, 0x80, CODE(""));
	frames_function(&w->f, BY_FP, 0x80, CODE("\x0e\x10\x86\2\x0d\6"));
	frames_function(&w->f, BY_SP, 0x80, CODE("\x0e\x20\x86\3"));
	frames_function(&w->f, START, 0x80, CODE("\x07\x10"));
	/* The frame pointer is lost; then used; CFA by r10; CFA from memory; a rule that is none. */
	frames_function(&w->f, ODD, 0x80,
			CODE("\x07\6\x50\x0c\6\x10\x50\x0c\x0a\x10\x50\x0f\5\x77\x08\6\x23\x8\x50"
			     "\x0f\1\x30"));
	frames_function(&w->f, FAR, 0x80, CODE("\x0e\x18"));
	frames_cie_bytes(&w->f, CODE("zRS\0\1\x78\x10\1\x1b"));
	frames_function(&w->f, HANDLED - 1, 0x10, CODE(""));
	world_open(w);
}

TEST(x86)
{
	struct world w;

	open_x86(&w);
	w.regs.sp = stack_at;
	w.regs.fp = stack_at + 0x28;
	w.stack[0] = at(BY_FP + 0x10);   /* called by BY_FP, whose frame is at rbp */
	w.stack[5] = 0x1111;             /* rbp that BY_FP saved */
	w.stack[6] = at(BY_SP + 0x20);   /* CFA 0x38 */
	w.stack[7 + 1] = stack_at;       /* rbp that BY_SP saved: CFA - 24 */
	w.stack[7 + 3] = at(FAR + 4);    /* CFA 0x38 + 0x20 */
	w.stack[11 + 2] = at(START + 8); /* CFA + 0x18 */
	world_walk(&w, at(LEAF + 3));
	CHECK_EQ(w.end, NATIVE_COMPLETE);
	CHECK_EQ(w.n, 5);
	CHECK_EQ(w.frames[0].where, (natfiles_chunk(w.files, 0) + 1ULL) << 16 | 3);
	CHECK_EQ(w.frames[1].where & NATIVE_FRAME_WHERE,
		 (natfiles_chunk(w.files, 0) + 1ULL) << 16 | 0x10f);
	CHECK(w.frames[1].where & NATIVE_FRAME_RETURN &&
	      !(w.frames[0].where & NATIVE_FRAME_RETURN));
	CHECK_EQ(w.frames[1].low, stack_at + 8);
	CHECK_EQ(w.frames[1].high, stack_at + 0x38);
	CHECK_EQ(w.frames[2].high, stack_at + 0x58);
	CHECK_EQ(w.frames[3].pc, at(FAR + 4));
	CHECK_EQ(w.frames[4].pc, at(START + 8));
	CHECK_EQ(w.frames[4].high, 0);
	world_done(&w);
}

TEST(x86_ends)
{
	struct world w;

	open_x86(&w);
	w.regs.sp = w.regs.fp = stack_at;
	world_walk(&w, 0x1234);
	CHECK(w.end == NATIVE_NO_FILE && w.n == 1);
	CHECK_EQ(w.frames[0].where, NATIVE_FRAME_ABSOLUTE | 0x1234);
	world_walk(&w, 0x12);
	CHECK_EQ(w.end, NATIVE_NO_MAPPING);
	world_walk(&w, stack_at + 0x100000);
	CHECK_EQ(w.end, NATIVE_NOT_READ);
	world_walk(&w, at(LEAF + 0x90));
	CHECK_EQ(w.end, NATIVE_NO_ROW);
	w.stack[0] = 0; /* no return address */
	world_walk(&w, at(LEAF));
	CHECK(w.end == NATIVE_COMPLETE && w.n == 1);
	world_walk(&w, at(ODD + 0x40));
	CHECK_EQ(w.end, NATIVE_NO_RULE);
	w.regs.sp = 0x3000;
	world_walk(&w, at(LEAF));
	CHECK_EQ(w.end, NATIVE_UNREADABLE);
	w.regs.sp = stack_at + 4;
	world_walk(&w, at(LEAF));
	CHECK_EQ(w.end, NATIVE_STUCK);
	w.regs.sp = stack_at + 0x100;
	w.regs.fp = stack_at + 8; /* a frame pointer below the stack pointer */
	world_walk(&w, at(BY_FP));
	CHECK_EQ(w.end, NATIVE_STUCK);
	world_done(&w);
}

TEST(x86_registers)
{
	struct world w;

	open_x86(&w);
	w.regs.sp = w.regs.fp = stack_at;
	w.stack[0] = at(ODD + 0x11); /* rbp is the base there */
	world_walk(&w, at(ODD + 1)); /* but it is lost here */
	CHECK(w.end == NATIVE_NO_REGISTER && w.n == 2);
	w.regs.all[10] = stack_at + 0x10;
	world_walk(&w, at(ODD + 0x20));
	CHECK_EQ(w.end, NATIVE_NO_REGISTER); /* r10 is not known */
	w.regs.has_all = true;
	w.stack[3] = at(START + 1);
	world_walk(&w, at(ODD + 0x20));
	CHECK(w.end == NATIVE_COMPLETE && w.n == 2);
	w.stack[0] = at(ODD + 0x21); /* nor is it in a caller */
	world_walk(&w, at(LEAF));
	CHECK(w.end == NATIVE_NO_REGISTER && w.n == 2);
	w.stack[1] = stack_at + 0x80; /* CFA = *(rsp + 8) + 8 */
	w.stack[16] = at(START + 1);
	world_walk(&w, at(ODD + 0x30));
	CHECK(w.end == NATIVE_COMPLETE && w.n == 2 && w.frames[0].high == stack_at + 0x88);
	world_done(&w);
}

/* The handler returns to HANDLED, where struct ucontext lies at the stack pointer. */
TEST(x86_signal)
{
	struct world w;

	open_x86(&w);
	w.regs.sp = stack_at;
	w.stack[0] = at(HANDLED);
	w.stack[1 + 15] = 0x2222;         /* rbp */
	w.stack[1 + 20] = stack_at + 400; /* rsp: another stack */
	w.stack[1 + 21] = at(LEAF);       /* rip: the first instruction, not behind a call */
	w.stack[50] = at(START + 1);
	world_walk(&w, at(LEAF + 1));
	CHECK(w.end == NATIVE_COMPLETE && w.n == 4);
	CHECK_EQ(w.frames[1].pc, at(HANDLED));
	CHECK(!(w.frames[2].where & NATIVE_FRAME_RETURN));
	CHECK_EQ(w.frames[2].where & 0xffff, 0);
	world_done(&w);
}

/* --- aarch64 -------------------------------------------------------------------------------------- */

static void open_a64(struct world *w)
{
	*w = (struct world){};
	frames_init(&w->f, EM_AARCH64);
	frames_function(&w->f, LEAF, 0x80, CODE(""));
	frames_function(&w->f, BY_FP, 0x80, CODE("\x2d\x0e\x20\x9d\4\x9e\3\x0d\x1d"));
	frames_function(&w->f, BY_SP, 0x80, CODE("\x0e\x10\x9e\2"));
	frames_function(&w->f, START, 0x80, CODE("\x07\x1e"));
	frames_function(&w->f, FAR, 0x80, CODE("\x0e\xa0\x04\x9d\x44\x9e\x43"));
	/* mov x8, #139; svc #0: sigreturn, without unwind information */
	memcpy(w->f.file + HANDLED, "\x68\x11\x80\xd2\1\0\0\xd4", 8);
	world_open(w);
}

/* --- merged with seats (bpf/natstack.h) ----------------------------------------------------------- */

enum { LOW_SEAT = 0x10, HIGH_SEAT = 0x50, PYTHONS_LOW = 2, PYTHONS_HIGH = 3 };

/*
 * Functions with frames of 0x20 bytes, and seats in two of them:
 *
 *	LEAF  8 [BY_SP LOW_SEAT) 28 [BY_SP) 48 [BY_SP HIGH_SEAT) 68 START
 */
static void open_seats(struct world *w, struct wire_copy *c)
{
	open_x86(w);
	w->stack[0] = w->stack[4] = w->stack[8] = at(BY_SP + 0x10);
	w->stack[12] = at(START + 0x10);
	*c = (struct wire_copy){ .pc = at(LEAF + 8), .sp = stack_at, .seats = 2 };
	c->seat[0] = (struct wire_seat){ .at = stack_at + LOW_SEAT, .frames = PYTHONS_LOW };
	c->seat[1] = (struct wire_seat){ .at = stack_at + HIGH_SEAT, .frames = PYTHONS_HIGH };
}

static size_t walk_copy(struct world *w, const struct wire_copy *c, uint64_t *frames)
{
	struct hostwalk_target t = { w->maps, w->n_maps, read_world, w };

	return hostwalk_copy(w->walk, &t, c, frames);
}

/* A frame of the only file. @vaddr: of a return address, the byte before it. */
static uint64_t frame_of(const struct world *w, uint32_t vaddr, uint64_t flags, uint64_t passed)
{
	uint64_t chunk = (uint32_t)(natfiles_chunk(w->files, 0) + (vaddr >> NATIVE_CHUNK_BITS));

	return flags | passed << NATIVE_FRAME_PASSED | chunk << NATIVE_CHUNK_BITS |
	       (vaddr & (NATIVE_CHUNK - 1));
}

TEST(seats)
{
	enum { CALL = BY_SP + 0xf };
	const uint64_t ret = NATIVE_FRAME_RETURN, loop = NATIVE_FRAME_RETURN | NATIVE_FRAME_LOOP;
	uint64_t frames[WIRE_MAX_NATIVE];
	struct wire_copy c;
	struct world w;

	open_seats(&w, &c);
	CHECK_EQ(walk_copy(&w, &c, frames), 5);
	CHECK_EQ(frames[0], frame_of(&w, LEAF, 0, 0)); /* the leaf by its function's start */
	CHECK_EQ(frames[1], frame_of(&w, CALL, loop, PYTHONS_LOW));
	CHECK_EQ(frames[2], frame_of(&w, CALL, ret, PYTHONS_LOW));
	CHECK_EQ(frames[3], frame_of(&w, CALL, loop, PYTHONS_HIGH));
	CHECK_EQ(frames[4], frame_of(&w, START + 0xf, ret, PYTHONS_HIGH));
	/* The C frame of the first seat was not seen: the second one has the frames of both. */
	c.seat[0].at = stack_at - 0x1000;
	CHECK_EQ(walk_copy(&w, &c, frames), 5);
	CHECK_EQ(frames[1], frame_of(&w, CALL, ret, 0));
	CHECK_EQ(frames[3], frame_of(&w, CALL, loop, PYTHONS_HIGH));
	world_done(&w);
}

TEST(goes_on_at_a_seat)
{
	const uint64_t ret = NATIVE_FRAME_RETURN, absolute = NATIVE_FRAME_ABSOLUTE,
		       passed = (uint64_t)PYTHONS_LOW << NATIVE_FRAME_PASSED,
		       all = (uint64_t)PYTHONS_HIGH << NATIVE_FRAME_PASSED;
	uint64_t frames[WIRE_MAX_NATIVE];
	struct wire_copy c;
	struct world w;

	open_seats(&w, &c);
	w.stack[4] = 0x1800; /* code of no file */
	CHECK_EQ(walk_copy(&w, &c, frames), 6);
	CHECK_EQ(frames[2], absolute | ret | passed | 0x1800);
	CHECK_EQ(frames[3], absolute | passed | NATIVE_NO_FILE);
	CHECK_EQ(frames[4], absolute | NATIVE_FRAME_LOOP | all);
	CHECK_EQ(frames[5], frame_of(&w, START + 0xf, ret, PYTHONS_HIGH));
	/* How far the caller is from a seat is not known. */
	c.seat[0] = c.seat[1];
	c.seats = 1;
	CHECK_EQ(walk_copy(&w, &c, frames), 4);
	CHECK_EQ(frames[3], absolute | NATIVE_NO_FILE);
	/* It is from an earlier walk. */
	c.delta = 0x68 - HIGH_SEAT;
	CHECK_EQ(walk_copy(&w, &c, frames), 6);
	CHECK_EQ(frames[5], frame_of(&w, START + 0xf, ret, PYTHONS_HIGH));
	world_done(&w);
}

TEST(hostile_seats)
{
	uint64_t frames[WIRE_MAX_NATIVE];
	struct wire_copy c;
	struct world w;

	open_seats(&w, &c);
	c.seats = UINT32_MAX;
	for (size_t i = 0; i < WIRE_COPY_SEATS; i++)
		c.seat[i] = (struct wire_seat){ .at = stack_at + 8, .frames = UINT32_MAX };
	CHECK(walk_copy(&w, &c, frames) <= WIRE_MAX_NATIVE);
	/* The walk can go on at each of them for ever, but not below where it is. */
	w.stack[0] = 0x1800;
	c.delta = 8;
	CHECK(walk_copy(&w, &c, frames) <= WIRE_MAX_NATIVE);
	world_done(&w);
}

TEST(loop_by_code)
{
	uint64_t frames[WIRE_MAX_NATIVE];
	struct wire_copy c;
	struct world w;

	open_seats(&w, &c);
	c.by_code = 1;
	c.seats = 0;
	c.code.text = at(0);
	c.code.loop[0].from = BY_SP;
	c.code.loop[0].len = 0x80;
	CHECK_EQ(walk_copy(&w, &c, frames), 5);
	for (size_t i = 0; i < 5; i++)
		CHECK_EQ(!!(frames[i] & NATIVE_FRAME_LOOP), i >= 1 && i <= 3);
	world_done(&w);
}

TEST(aarch64)
{
	const uint64_t signature = 0x00aa000000000000;
	struct world w;

	open_a64(&w);
	w.regs.sp = stack_at;
	w.regs.fp = stack_at + 0x10;
	w.regs.lr = at(BY_FP + 0x10); /* LEAF has not touched it */
	w.stack[2] = stack_at + 0x1000;
	w.stack[3] = at(BY_SP + 0x20) | signature; /* BY_FP's record at x29; CFA 0x30 */
	w.stack[6] = at(FAR + 4);                  /* BY_SP saved x30 alone; CFA 0x40 */
	w.stack[8] = 0x3333;                       /* FAR's record at sp; CFA 0x40 + 0x220 */
	w.stack[9] = at(START + 8) | signature;
	world_walk(&w, at(LEAF + 4));
	CHECK_EQ(w.end, NATIVE_COMPLETE);
	CHECK_EQ(w.n, 5);
	CHECK_EQ(w.frames[1].pc, at(BY_FP + 0x10));
	CHECK(w.frames[0].low == stack_at && w.frames[0].high == stack_at);
	CHECK(w.frames[1].high == stack_at + 0x30);
	CHECK_EQ(w.frames[2].pc, at(BY_SP + 0x20));
	CHECK_EQ(w.frames[3].pc, at(FAR + 4));
	CHECK_EQ(w.frames[3].high, stack_at + 0x40 + 0x220);
	CHECK_EQ(w.frames[4].pc, at(START + 8));
	/* x30 is a leaf's alone. */
	w.regs.lr = at(LEAF + 8);
	world_walk(&w, at(LEAF + 4));
	CHECK(w.end == NATIVE_NO_REGISTER && w.n == 2);
	world_done(&w);
}

TEST(aarch64_signal)
{
	struct world w;

	open_a64(&w);
	w.regs.sp = stack_at;
	w.regs.lr = at(HANDLED);
	w.stack[(544 + 0) / 8] = 0x4444;
	w.stack[552 / 8] = at(START + 4);
	w.stack[560 / 8] = stack_at + 0x400;
	w.stack[568 / 8] = at(LEAF);
	world_walk(&w, at(LEAF + 4));
	CHECK(w.end == NATIVE_COMPLETE && w.n == 4);
	CHECK_EQ(w.frames[2].pc, at(LEAF));
	CHECK_EQ(w.frames[3].pc, at(START + 4));
	world_done(&w);
}

/* --- files and pools ------------------------------------------------------------------------------ */

TEST(files)
{
	static const struct file_id other = { .inode = 8 };
	struct world w;
	uint64_t base;

	open_x86(&w);
	CHECK_EQ(natfiles_find(w.files, &other), NATFILES_NONE);
	CHECK_EQ(natfiles_of(w.files, 0, &base), NATFILES_NONE);
	CHECK_EQ(natfiles_of(w.files, natfiles_chunk(w.files, 0) + 1, &base), 0);
	CHECK_EQ(base, FRAMES_TEXT);
	CHECK_EQ(natfiles_of(w.files, 1 + FRAMES_SIZE / NATIVE_CHUNK, &base), NATFILES_NONE);
	CHECK_EQ(natfiles_compile(w.files, 63), -ENOENT);
	CHECK_EQ(natfiles_compile(w.files, UINT32_MAX), -ENOENT);
	CHECK_EQ(natfiles_add(w.files, &other, frames_open(&w.f)), 1);
	CHECK_EQ(natfiles_chunk(w.files, 1),
		 natfiles_chunk(w.files, 0) + FRAMES_SIZE / NATIVE_CHUNK);
	CHECK_EQ(natfiles_of(w.files, natfiles_chunk(w.files, 1), &base), 1);
	w.mem.max_pools = 0;
	CHECK_EQ(natfiles_compile(w.files, 2), -ENOSPC);
	CHECK_EQ(w.mem.memory.chunks[2].state, NATIVE_REFUSED);
	w.mem.max_pools = 1;
	CHECK_EQ(natfiles_compile(w.files, 2), 0);
	CHECK_EQ(w.mem.memory.chunks[2].state, NATIVE_READY);
	world_done(&w);
}

TEST(no_numbers_left)
{
	static const struct file_id id = { .inode = 8 };
	struct hostmem mem;
	struct natfiles *nf;
	struct frames f;

	hostmem_init(&mem, FRAMES_SIZE / NATIVE_CHUNK, 1);
	nf = natfiles_new(&mem.memory);
	frames_init(&f, EM_X86_64);
	frames_function(&f, FRAMES_TEXT, 0x100, CODE(""));
	CHECK_EQ(natfiles_add(nf, &id, frames_open(&f)), -ENOSPC);
	CHECK_EQ(natfiles_find(nf, &id), NATFILES_NONE);
	natfiles_free(nf);
	hostmem_done(&mem);
	frames_done(&f);
}

/* --- this program --------------------------------------------------------------------------------- */

#if defined(__x86_64__)
static int read_self(void *ctx, void *to, size_t len, uint64_t addr)
{
	return rmem_read(getpid(), addr, to, len);
}

struct self {
	struct hostmem mem;
	struct natfiles *files;
	struct hostwalk *walk;
	space_maps maps;
	struct hostwalk_frame frames[MAX];
	size_t n;
	uint32_t end;
	uint64_t fp; /* of the function that was walked from */
};

static struct self self;

static void walk_self(const ucontext_t *c)
{
	const greg_t *r = c->uc_mcontext.gregs;
	struct hostwalk_regs regs = { .pc = r[REG_RIP], .sp = r[REG_RSP], .fp = r[REG_RBP] };
	struct hostwalk_target t = { self.maps.at, self.maps.len, read_self, NULL };

	self.fp = regs.fp;
	self.n = hostwalk_stack(self.walk, &t, &regs, self.frames, MAX, &self.end);
}

/* Frames [@from, ...) of functions of this program, by their frame pointers: sanitized code keeps them. */
static void check_chain(size_t from)
{
	uint64_t fp = self.fp, next[2];
	size_t i = from;

	for (; i + 1 < self.n && !read_self(NULL, next, sizeof(next), fp) && next[0]; i++) {
		CHECK_EQ(self.frames[i + 1].pc, next[1]);
		CHECK_EQ(self.frames[i].high, fp + 16);
		fp = next[0];
	}
	CHECK(i > from + 4);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t here;

	getcontext(&here);
	walk_self(&here);
	for (size_t i = 0; i < self.n; i++)
		if (self.frames[i].pc ==
		    (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP]) {
			self.fp = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RBP];
			check_chain(i);
			return;
		}
	CHECK(!"the interrupted function is on the stack");
}

__attribute__((noinline)) static void descend(int depth, void (*at_end)(void))
{
	if (depth)
		descend(depth - 1, at_end);
	else
		at_end();
	__asm__ volatile("");
}

static void walk_here(void)
{
	ucontext_t here;

	getcontext(&here);
	walk_self(&here);
	check_chain(0);
	CHECK_EQ(self.end, NATIVE_COMPLETE);
	CHECK(self.n > 10 && self.n < MAX);
}

__attribute__((noinline)) static void do_nothing(void)
{
	__asm__ volatile("");
}

/* Calls something, since a compiler may leave out the frame pointer of a function that does not. */
static void be_interrupted(void)
{
	do_nothing();
	__asm__ volatile("ud2");
}

static void skip_ud2(int sig, siginfo_t *info, void *context)
{
	on_signal(sig, info, context);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

TEST(own_stack)
{
	struct sigaction act = { .sa_sigaction = skip_ud2, .sa_flags = SA_SIGINFO }, old;

	hostmem_init(&self.mem, 4096, 16);
	self.files = natfiles_new(&self.mem.memory);
	self.walk = hostwalk_new(self.files, &self.mem.memory, EM_X86_64);
	CHECK_EQ(space_read(self.files, getpid(), &self.maps), 0);
	CHECK(self.maps.len > 3);
	for (size_t i = 1; i < self.maps.len; i++)
		CHECK(self.maps.at[i].start >= self.maps.at[i - 1].end);
	descend(6, walk_here);
	sigaction(SIGILL, &act, &old);
	descend(6, be_interrupted);
	sigaction(SIGILL, &old, NULL);
	CHECK_EQ(self.end, NATIVE_COMPLETE);
	vec_done(&self.maps);
	hostwalk_free(self.walk);
	natfiles_free(self.files);
	hostmem_done(&self.mem);
}
#endif

TEST(space_of_nobody)
{
	struct hostmem mem;
	struct natfiles *nf;
	space_maps maps = {};

	hostmem_init(&mem, 64, 1);
	nf = natfiles_new(&mem.memory);
	CHECK_EQ(space_read(nf, 999999999, &maps), -ESRCH);
	natfiles_free(nf);
	hostmem_done(&mem);
}
