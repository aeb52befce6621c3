/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unwindstep PID STEPS: is the native walk right at every instruction? Single-steps a thread that
 * computes, keeps a shadow stack of its calls, and compares all return addresses with the walk's.
 * x86-64 only.
 *
 *	steps N levels N right N wrong N marked N
 *
 * right: the walk is complete and the same. marked: it is not complete, says so, and what it has is
 * the same. The first of those that are wrong or marked are printed. What was on the stack at the
 * start is the walk's own word; it must be complete.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "native/hostwalk.h"
#include "native/space.h"
#include "proc/rmem.h"
#include "tests/hostmem.h"

#if !defined(__x86_64__)
int main(void)
{
	return 77;
}
#else

enum { DEPTH = 1024, LONGEST = 15 /* bytes of an instruction */, SHOWN = 10, STARTS = 1000 };

struct level {
	uint64_t ra, slot; /* a return address, and where it lies */
};

struct stepper {
	pid_t pid;
	struct hostmem mem;
	struct natfiles *files;
	struct hostwalk *walk;
	space_maps maps;
	struct hostwalk_frame frames[DEPTH];
	struct level shadow[DEPTH]; /* root first */
	size_t depth;
	unsigned long steps, levels, right, wrong, marked;
};

static int read_target(void *ctx, void *to, size_t len, uint64_t addr)
{
	return rmem_read(((struct stepper *)ctx)->pid, addr, to, len);
}

static size_t walk_once(struct stepper *s, const struct user_regs_struct *r, uint32_t *ret_end)
{
	struct hostwalk_target t = { s->maps.at, s->maps.len, read_target, s };
	struct hostwalk_regs regs = {
		.pc = r->rip,
		.sp = r->rsp,
		.fp = r->rbp,
		.has_all = true,
		.all = { r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp, r->r8,
			 r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15 },
	};

	return hostwalk_stack(s->walk, &t, &regs, s->frames, DEPTH, ret_end);
}

/* The number of return addresses: frame i + 1 is where frame i returns to. */
static size_t walk(struct stepper *s, const struct user_regs_struct *r, uint32_t *ret_end)
{
	size_t n = walk_once(s, r, ret_end);

	if (*ret_end == NATIVE_NO_MAPPING || *ret_end == NATIVE_NO_FILE) {
		space_read(s->files, s->pid, &s->maps);
		n = walk_once(s, r, ret_end);
	}
	return n ? n - 1 : 0;
}

static struct level level(const struct stepper *s, size_t i)
{
	return (struct level){ s->frames[i + 1].pc, s->frames[i].high - 8 };
}

/* Steps once. False: the target has ended, or got a signal. */
static bool step(struct stepper *s, struct user_regs_struct *r)
{
	struct user_regs_struct before = *r;
	uint64_t word;
	int status;

	if (ptrace(PTRACE_SINGLESTEP, s->pid, 0, 0) || waitpid(s->pid, &status, __WALL) < 0 ||
	    !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP ||
	    ptrace(PTRACE_GETREGS, s->pid, 0, r))
		return false;
	while (s->depth && s->shadow[s->depth - 1].slot < r->rsp)
		s->depth--;
	/* A call pushes the address behind itself and goes elsewhere, perhaps not far. */
	if (r->rsp != before.rsp - 8 || rmem_read(s->pid, r->rsp, &word, 8) ||
	    word - before.rip - 1 >= LONGEST || word == r->rip || s->depth == DEPTH)
		return true;
	s->shadow[s->depth++] = (struct level){ word, r->rsp };
	return true;
}

/*
 * libffi moves the return address of the function that is running to a frame that it has made, and
 * leaves the old place. The shadow follows if the same address is in the new place.
 */
static void follow_moved(struct stepper *s, size_t n)
{
	struct level *top = s->depth ? &s->shadow[s->depth - 1] : NULL, got;
	uint64_t word;

	if (!top || !n)
		return;
	got = level(s, 0);
	if (got.ra == top->ra && got.slot > top->slot &&
	    (s->depth == 1 || got.slot < top[-1].slot) && !rmem_read(s->pid, got.slot, &word, 8) &&
	    word == got.ra)
		top->slot = got.slot;
}

static void judge(struct stepper *s, const struct user_regs_struct *r)
{
	uint32_t end;
	size_t n = walk(s, r, &end), i;
	bool same = true;

	follow_moved(s, n);
	for (i = 0; i < n && i < s->depth && same; i++) {
		struct level got = level(s, i), want = s->shadow[s->depth - 1 - i];

		same = got.ra == want.ra && got.slot == want.slot;
	}
	same = same && n <= s->depth && (end != NATIVE_COMPLETE || n == s->depth);
	s->steps++;
	s->levels += n;
	s->right += same && end == NATIVE_COMPLETE;
	s->marked += same && end != NATIVE_COMPLETE;
	s->wrong += !same;
	if ((!same && s->wrong <= SHOWN) || (same && end != NATIVE_COMPLETE && s->marked <= SHOWN))
		printf("%s at %#llx: end %u, %zu of %zu levels, level %zu\n",
		       same ? "marked" : "wrong", (unsigned long long)r->rip, end, n, s->depth, i);
}

/* Steps until the walk is complete, and believes it. */
static bool begin(struct stepper *s, struct user_regs_struct *r)
{
	uint32_t end;
	size_t n;

	for (int i = 0; i < STARTS; i++) {
		n = walk(s, r, &end);
		if (end == NATIVE_COMPLETE) {
			for (size_t k = 0; k < n; k++)
				s->shadow[n - 1 - k] = level(s, k);
			s->depth = n;
			return true;
		}
		if (!step(s, r))
			return false;
	}
	return false;
}

static int run(struct stepper *s, unsigned long steps)
{
	struct user_regs_struct r;
	int status;

	if (ptrace(PTRACE_ATTACH, s->pid, 0, 0) || waitpid(s->pid, &status, __WALL) < 0 ||
	    ptrace(PTRACE_GETREGS, s->pid, 0, &r) || space_read(s->files, s->pid, &s->maps) ||
	    !begin(s, &r))
		return 1;
	while (s->steps < steps && step(s, &r))
		judge(s, &r);
	ptrace(PTRACE_DETACH, s->pid, 0, 0);
	printf("steps %lu levels %lu right %lu wrong %lu marked %lu\n", s->steps, s->levels,
	       s->right, s->wrong, s->marked);
	return s->steps == steps ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct stepper s;
	int status;

	if (argc != 3)
		return 2;
	s.pid = atoi(argv[1]);
	hostmem_init(&s.mem, 1 << 16, HOSTMEM_POOLS);
	s.files = natfiles_new(&s.mem.memory);
	s.walk = hostwalk_new(s.files, &s.mem.memory, EM_X86_64);
	if (!s.files || !s.walk)
		return 1;
	status = run(&s, strtoul(argv[2], NULL, 10));
	vec_done(&s.maps);
	hostwalk_free(s.walk);
	natfiles_free(s.files);
	hostmem_done(&s.mem);
	return status;
}
#endif
