/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a Python program one machine instruction at a time and walks its stack after each: what a
 * profiler's interrupt could have seen at that instruction.
 *
 *	step STEPS PROGRAM [ARGUMENT...]
 *
 * On aarch64 the CPU needs atomic instructions (LSE): a loop of exclusive loads and stores never ends
 * when it is stepped.
 *
 * The program says READY when it is warm, reads a byte, and goes on. Nothing is judged here; the
 * output says what was seen, in the order of time:
 *
 *	stack N END FRAME...	a stack that was not seen before; fields are separated by tabs
 *	run N STEPS FROM TO	it was there for so many steps; where the first and the last one
 *				stood, in bytes from _PyEval_EvalFrameDefault
 *
 * A FRAME, leaf first, is name|file|line|instruction|code; END is a number of enum walk_end.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hmap.h"
#include "proc/elf.h"
#include "proc/maps.h"
#include "proc/rmem.h"
#include "py/code.h"
#include "py/detect.h"
#include "py/linetable.h"
#include "py/walk.h"

enum { PATIENCE_MS = 60000 };

struct target {
	pid_t pid;
	int in, out; /* its standard input and output */
	struct python py;
	uint64_t eval; /* &_PyEval_EvalFrameDefault */
	struct walk *walk;
	struct codes *codes;
	struct hmap *stacks; /* wire_stack.id -> uint32_t number */
};

/* Equal stacks of consecutive steps. */
struct run {
	uint32_t stack;
	unsigned long steps;
	int64_t from, to;
};

static int fail(const char *what, int err)
{
	fprintf(stderr, "step: %s: %s\n", what, strerror(err < 0 ? -err : err));
	return 1;
}

/* --- the program -------------------------------------------------------------------------------- */

static void target_done(struct target *t)
{
	if (t->pid > 0) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, NULL, 0);
	}
	close_fd(&t->in);
	close_fd(&t->out);
	walk_free(t->walk);
	codes_free(t->codes);
	hmap_free(t->stacks);
}

static void run_child(char **argv, int in, int out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	execvp(argv[0], argv);
	_exit(127);
}

static int target_start(struct target *t, char **argv)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return -errno;
	t->in = in[1];
	t->out = out[0];
	t->pid = fork();
	if (!t->pid)
		run_child(argv, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	return t->pid < 0 ? -errno : 0;
}

static int await_ready(const struct target *t)
{
	struct pollfd p = { .fd = t->out, .events = POLLIN };
	char said[64] = "";
	size_t len = 0;

	while (!strstr(said, "READY\n")) {
		ssize_t n;

		if (poll(&p, 1, PATIENCE_MS) <= 0 || len == sizeof(said) - 1)
			return -ETIMEDOUT;
		n = read(t->out, said + len, sizeof(said) - 1 - len);
		if (n <= 0)
			return -EPIPE;
		len += n;
	}
	return 0;
}

/* Stops it, and sees to it that it can go on. */
static int seize(const struct target *t)
{
	int status;

	if (ptrace(PTRACE_SEIZE, t->pid, 0, PTRACE_O_EXITKILL) ||
	    ptrace(PTRACE_INTERRUPT, t->pid, 0, 0) || waitpid(t->pid, &status, 0) != t->pid)
		return -errno;
	return write(t->in, "\n", 1) == 1 ? 0 : -errno;
}

/* One instruction; a system call is one, too. */
static int single_step(const struct target *t, int *signal)
{
	int status;

	if (ptrace(PTRACE_SINGLESTEP, t->pid, 0, *signal) || waitpid(t->pid, &status, 0) != t->pid)
		return -errno;
	if (!WIFSTOPPED(status))
		return -ECHILD;
	*signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
	return 0;
}

/* --- what is seen ------------------------------------------------------------------------------- */

static int read_target(void *ctx, void *to, size_t len, uint64_t addr)
{
	const struct target *t = ctx;

	return rmem_read(t->pid, addr, to, len);
}

/* Its names and lines, read from the process as the loader reads what the kernel could not. */
static int learn(struct target *t, const struct proc_key *proc, const struct wire_frame *f)
{
	struct wire_code record = {
		.missing = CODE_NO_OBJECT | CODE_NO_NAME | CODE_NO_QUALNAME | CODE_NO_FILE |
			   CODE_NO_TABLE,
		.proc = *proc,
		.id = f->code,
		.addr = f->addr,
	};

	if (codes_known(t->codes, f->code))
		return 0;
	return codes_add(t->codes, &record, NULL, &t->py.layout, t->py.info.code_type);
}

static void print_frame(const struct target *t, const struct wire_frame *f)
{
	struct code_text text = {};

	codes_text(t->codes, f->code, f->lasti, &text);
	if (text.line == LINE_NONE) /* code of the compiler's own */
		codes_text(t->codes, f->code, -1, &text);
	printf("\t%s|%s|%d|%d|%#llx", text.name ? text.name : "?", text.file ? text.file : "?",
	       text.line, f->lasti, (unsigned long long)f->addr);
}

static void print_stack(struct target *t, const struct wire_stack *s,
			const struct wire_frame *frames, uint32_t number)
{
	printf("stack\t%u\t%u", number, s->end);
	for (uint32_t i = 0; i < s->count; i++) {
		const struct wire_frame *f = &frames[(s->first + i) % s->count];

		if (!learn(t, &s->proc, f))
			print_frame(t, f);
	}
	putchar('\n');
}

#if defined(__x86_64__)
static int read_registers(pid_t pid, struct walk_thread *ret, uint64_t *ret_regs)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs))
		return -errno;
	memcpy(ret_regs, &regs, 16 * sizeof(*ret_regs));
	ret->thread_pointer = regs.fs_base;
	ret->pc = regs.rip;
	return 0;
}
#else
static int read_registers(pid_t pid, struct walk_thread *ret, uint64_t *ret_regs)
{
	struct user_regs_struct regs;
	struct iovec all = { &regs, sizeof(regs) },
		     tls = { &ret->thread_pointer, sizeof(ret->thread_pointer) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &all) ||
	    ptrace(PTRACE_GETREGSET, pid, NT_ARM_TLS, &tls))
		return -errno;
	ret->pc = regs.pc;
	memcpy(ret_regs, regs.regs, sizeof(regs.regs));
	return 0;
}
#endif

static int walk_once(struct target *t, uint32_t *ret_stack, int64_t *ret_place)
{
	uint64_t regs[WALK_REGS] = {};
	struct walk_thread thread = { .proc.tgid = t->pid, .ns_tid = t->pid, .regs = regs };
	const struct wire_frame *frames;
	const struct wire_stack *s;
	uint32_t *number;
	bool fresh;
	int err = read_registers(t->pid, &thread, regs);

	if (err)
		return err;
	s = walk_stack(t->walk, &t->py.layout, &t->py.info, &thread, &frames);
	number = hmap_put(t->stacks, &s->id, &fresh);
	if (!number)
		return -ENOMEM;
	if (fresh) {
		*number = hmap_count(t->stacks);
		print_stack(t, s, frames, *number);
	}
	*ret_stack = *number;
	*ret_place = thread.pc - t->eval;
	return 0;
}

static void print_run(const struct run *r)
{
	if (r->steps)
		printf("run\t%u\t%lu\t%" PRId64 "\t%" PRId64 "\n", r->stack, r->steps, r->from,
		       r->to);
}

static int step_through(struct target *t, unsigned long steps)
{
	struct run run = {};
	int signal = 0, err;

	for (unsigned long i = 0; i < steps; i++) {
		uint32_t stack = 0;
		int64_t place = 0;

		err = single_step(t, &signal);
		if (!err)
			err = walk_once(t, &stack, &place);
		if (err)
			return err;
		if (stack != run.stack) {
			print_run(&run);
			run = (struct run){ .stack = stack, .from = place };
		}
		run.steps++;
		run.to = place;
	}
	print_run(&run);
	return 0;
}

/* 0: this file does not define it. */
static uint64_t eval_in(const struct target *t, const struct mapping *m)
{
	static const char *const name[] = { "_PyEval_EvalFrameDefault" };
	_cleanup_(elf_closep) struct elf_file *e = NULL;
	struct elf_sym sym = {};
	uint64_t bias;
	int fd = maps_open_file(t->pid, m);

	if (fd < 0)
		return 0;
	e = elf_open(fd, NULL);
	if (!e || elf_symbols(e, name, &sym, 1) != 1 || elf_bias(e, m->start, m->offset, &bias))
		return 0;
	return bias + sym.value;
}

static int find_eval(struct target *t)
{
	_cleanup_(maps_closep) struct maps *maps = NULL;
	struct mapping m;
	int err;

	maps = maps_open(t->pid, &err);
	if (!maps)
		return err;
	while (!t->eval && (err = maps_next(maps, &m)) > 0)
		if (m.exec && m.inode)
			t->eval = eval_in(t, &m);
	return t->eval ? 0 : -ENOENT;
}

static int detect(struct target *t)
{
	struct detect *d = detect_new();
	struct err why = {};
	int kind;

	if (!d)
		return -ENOMEM;
	kind = detect_process(d, t->pid, &t->py, &why);
	detect_free(d);
	if (kind == DETECT_PYTHON)
		return find_eval(t);
	if (why.code)
		fprintf(stderr, "step: %s\n", why.text);
	return kind < 0 ? kind : -ENOTSUP;
}

int main(int argc, char **argv)
{
	_cleanup_(target_done) struct target t = { .pid = -1, .in = -1, .out = -1 };
	int err;

	if (argc < 3) {
		fprintf(stderr, "usage: step STEPS PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	t.walk = walk_new(read_target, &t);
	t.codes = codes_new();
	t.stacks = hmap_new(sizeof(uint64_t), sizeof(uint32_t));
	if (!t.walk || !t.codes || !t.stacks)
		return fail("start", ENOMEM);
	err = target_start(&t, argv + 2);
	if (!err)
		err = await_ready(&t);
	if (err)
		return fail(argv[2], err);
	err = detect(&t);
	if (err)
		return fail("which Python it is", err);
	err = seize(&t);
	if (!err)
		err = step_through(&t, strtoul(argv[1], NULL, 10));
	return err ? fail("step", err) : 0;
}
