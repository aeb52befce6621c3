/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The native walker on absurd stacks. The code is that of frames.h with functions of every kind; the
 * input is
 *
 *	machine 1  pc 4  registers 8 each: sp fp lr, one other  stack ...
 *
 * What must hold: a walk makes a bounded number of reads; frames lie one above the other, except at a
 * signal frame; the same memory gives the same stack.
 */
#include <errno.h>

#include "fuzz.h"
#include "frames.h"
#include "hostmem.h"
#include "native/hostwalk.h"

enum { MAX = 256, READS = 8, STACK_AT = 0x20000, SIGNAL = 0x700 };

#define CODE(bytes) bytes, sizeof(bytes) - 1

static const uint64_t bias = 0x7f0000100000;

/* One machine's code. */
struct world {
	struct frames f;
	struct hostmem mem;
	struct natfiles *files;
	struct hostwalk *walk;
	struct native_map map;
};

static struct world worlds[2];
static struct input stack;
static unsigned long reads;

static void add_functions(struct frames *f)
{
	static const struct {
		const char *program;
		size_t n;
	} programs[2][7] = {
		{ { CODE("") },
		  { CODE("\x0e\x10\x86\2\x0d\6") },
		  { CODE("\x0e\x20\x86\3") },
		  { CODE("\x07\x10") },
		  { CODE("\x07\6\x50\x0c\6\x10\x50\x0c\x0a\x10\x50\x0f\5\x77\x08\6\x23\x8") },
		  { CODE("\x0f\x0b\x77\x08\x80\0\x3f\x1a\x3b\x2a\x33\x24\x22") },
		  { CODE("\x0e\x80\x80\x80\x10\x10\6\2\x76\0") } },
		{ { CODE("") },
		  { CODE("\x2d\x0e\x20\x9d\4\x9e\3\x0d\x1d") },
		  { CODE("\x0e\x10\x9e\2") },
		  { CODE("\x07\x1e") },
		  { CODE("\x0e\xa0\x04\x9d\x44\x9e\x43") },
		  { CODE("\x0c\x10\x10") },
		  { CODE("\x07\x1d\x50\x0c\x1d\x10\x9e\1") } },
	};
	bool a64 = f->machine == EM_AARCH64;

	for (uint32_t i = 0; i < 7; i++)
		frames_function(f, FRAMES_TEXT + 0x100 * i, 0x80, programs[a64][i].program,
				programs[a64][i].n);
	if (a64) {
		memcpy(f->file + FRAMES_TEXT + SIGNAL, "\x68\x11\x80\xd2\1\0\0\xd4", 8);
		return;
	}
	frames_cie_bytes(f, CODE("zRS\0\1\x78\x10\1\x1b"));
	frames_function(f, FRAMES_TEXT + SIGNAL, 0x10, CODE(""));
}

static void set_up(void)
{
	static const struct file_id id = { .inode = 7 };

	for (size_t i = 0; i < 2; i++) {
		struct world *w = &worlds[i];

		frames_init(&w->f, i ? EM_AARCH64 : EM_X86_64);
		add_functions(&w->f);
		hostmem_init(&w->mem, 16, 4);
		w->files = natfiles_new(&w->mem.memory);
		MUST(!natfiles_add(w->files, &id, frames_open(&w->f)));
		w->walk = hostwalk_new(w->files, &w->mem.memory, w->f.machine);
		w->map = (struct native_map){ bias, bias + FRAMES_SIZE, bias,
					      natfiles_chunk(w->files, 0), 0 };
	}
}

static void make_seeds(void)
{
	for (uint64_t i = 0; i < 8; i++) {
		struct buf seed = {}, name = {};

		give(&seed, i % 2, 1);
		give(&seed, FRAMES_TEXT + 0x100 * i + 0x20, 4);
		give(&seed, STACK_AT, 8);
		give(&seed, STACK_AT + 64, 8);
		give(&seed, bias + FRAMES_TEXT + 0x120, 8);
		give(&seed, STACK_AT + 32, 8);
		for (uint64_t k = 0; k < 48; k++)
			give(&seed,
			     k % 3 ? STACK_AT + 16 * k : bias + FRAMES_TEXT + 0x100 * (k % 8) + 9,
			     8);
		buf_printf(&name, "seed-%u", (unsigned int)i);
		seed_write(name.data, &seed);
		buf_done(&seed);
		buf_done(&name);
	}
}

/* Zeroes follow the input's bytes, up to the end of the page. */
static int read_stack(void *ctx, void *to, size_t len, uint64_t addr)
{
	struct world *w = ctx;
	uint64_t at = addr - STACK_AT;
	size_t n;

	reads++;
	if (addr >= bias && addr - bias < FRAMES_SIZE && len <= FRAMES_SIZE - (addr - bias)) {
		memcpy(to, w->f.file + (addr - bias), len);
		return 0;
	}
	if (addr < STACK_AT || at >= stack.left)
		return -EFAULT;
	n = len < stack.left - at ? len : stack.left - at;
	memset(to, 0, len);
	memcpy(to, stack.at + at, n);
	return 0;
}

static size_t walk(struct world *w, const struct hostwalk_regs *regs, struct hostwalk_frame *frames,
		   uint32_t *end)
{
	struct hostwalk_target t = { &w->map, 1, read_stack, w };

	reads = 0;
	return hostwalk_stack(w->walk, &t, regs, frames, MAX, end);
}

/* The same stack with seats anywhere in it: merged, and again to the same result. */
static void walk_copy(struct world *w, const struct hostwalk_regs *regs)
{
	static uint64_t frames[2][WIRE_MAX_NATIVE];
	static struct wire_copy c;
	struct hostwalk_target t = { &w->map, 1, read_stack, w };
	size_t n[2];

	c = (struct wire_copy){ .pc = regs->pc, .sp = regs->sp, .fp = regs->fp, .seats = 8 };
	memcpy(c.regs, regs->all, sizeof(c.regs));
	for (uint32_t i = 0; i < c.seats; i++)
		c.seat[i] = (struct wire_seat){ .at = i < stack.left / 8
							      ? STACK_AT + 8 * stack.at[8 * i]
							      : STACK_AT + 64 * i,
						.frames = i * (stack.left & 7) };
	c.delta = stack.left & 0xf8;
	c.by_code = stack.left & 1;
	c.code.text = bias;
	c.code.loop[0].len = FRAMES_TEXT + 0x180;
	for (int i = 0; i < 2; i++) {
		reads = 0;
		n[i] = hostwalk_copy(w->walk, &t, &c, frames[i]);
		MUST(reads <= READS * WIRE_MAX_NATIVE);
	}
	MUST(n[0] == n[1] && n[0] && n[0] <= WIRE_MAX_NATIVE);
	MUST(!memcmp(frames[0], frames[1], n[0] * sizeof(frames[0][0])));
	for (size_t i = 0; i + 1 < n[0]; i++)
		MUST((frames[0][i] >> NATIVE_FRAME_PASSED & 0x1fff) <=
		     (frames[0][i + 1] >> NATIVE_FRAME_PASSED & 0x1fff));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hostwalk_frame frames[MAX], again[MAX];
	struct input in = { data, size };
	struct world *w = &worlds[take(&in, 1) % 2];
	struct hostwalk_regs regs = { .pc = bias + take(&in, 4), .has_all = true };
	uint32_t end, end_again;
	size_t n;

	regs.sp = take(&in, 8);
	regs.fp = take(&in, 8);
	regs.lr = take(&in, 8);
	regs.all[10] = regs.all[16] = take(&in, 8);
	stack = in;
	n = walk(w, &regs, frames, &end);
	MUST(n && n <= MAX && end < NATIVE_END_KINDS && (end != NATIVE_DEEP || n == MAX));
	MUST(reads <= READS * n);
	for (size_t i = 1; i < n; i++)
		MUST(!frames[i - 1].high ||
		     (frames[i].low == frames[i - 1].high && frames[i].low >= frames[i - 1].low));
	MUST(walk(w, &regs, again, &end_again) == n && end == end_again);
	MUST(!memcmp(frames, again, n * sizeof(*frames)));
	walk_copy(w, &regs);
	return 0;
}
