/* SPDX-License-Identifier: BSD-2-Clause */
/* proc/task: the texts of /proc, and a child that sleeps, runs, or is gone. */
#include <asm/unistd.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "child.h"
#include "proc/task.h"
#include "tap.h"

TEST(status)
{
	struct task_now t = {};

	task_parse_status("Name:\tweb\\nState:\tX\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t90\n"
			  "NSpid:\t4711\t90\t7\nVmStk:\t     136 kB\n"
			  "voluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n",
			  &t);
	CHECK_EQ(t.state, 'S');
	CHECK_EQ(t.ns_tid, 7);
	CHECK_EQ(t.stack_len, 136 * 1024);
	CHECK_EQ(t.switches, 695);
}

TEST(status_without_lines)
{
	struct task_now t = { .ns_tid = 4711 };

	task_parse_status("", &t);
	task_parse_status("NSpid:\t", &t);
	task_parse_status("x\nNSpid:\t\nState:\t", &t);
	CHECK_EQ(t.ns_tid, 4711);
	CHECK_EQ(t.state, 0);
	CHECK_EQ(t.switches, 0);
}

TEST(syscall_texts)
{
	static const struct {
		const char *text;
		struct task_now want;
	} rows[] = {
		{ "running\n", { .call = TASK_NO_CALL } },
		{ "", { .call = TASK_NO_CALL } },
		{ "202 0x7f01 0x80", { .call = TASK_NO_CALL } },
		{ "-1 0x7ffc10 0x401000\n",
		  { .call = TASK_NO_CALL, .sp = 0x7ffc10, .pc = 0x401000, .parked = true } },
		{ "202 0x7f01 0x80 0x0 0x0 0x0 0x0 0x7ffc10 0x7f02\n",
		  { .call = 202, .first = 0x7f01, .sp = 0x7ffc10, .pc = 0x7f02, .parked = true } },
		{ "0 0xffffffffffffffff 0x1 0x2 0x3 0x4 0x5 0xffffffffffff0000 0x1\n",
		  { .first = UINT64_MAX, .sp = 0xffffffffffff0000, .pc = 1, .parked = true } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct task_now t = { .call = TASK_NO_CALL };

		task_parse_syscall(rows[i].text, &t);
		CHECK_EQ(t.call, rows[i].want.call);
		CHECK_EQ(t.first, rows[i].want.first);
		CHECK_EQ(t.sp, rows[i].want.sp);
		CHECK_EQ(t.pc, rows[i].want.pc);
		CHECK_EQ(t.parked, rows[i].want.parked);
	}
}

static bool nothing(const void *ctx)
{
	return true;
}

static bool read_asleep(pid_t pid, struct task_now *t)
{
	for (int i = 0; i < 10000; i++) {
		if (task_read(pid, pid, t))
			return false;
		if (t->parked)
			return true;
		usleep(100);
	}
	return false;
}

TEST(a_child_that_sleeps)
{
	pid_t pid = child_start(nothing, NULL);
	struct task_now t;

	if (!CHECK(read_asleep(pid, &t)))
		return;
	CHECK_EQ(t.state, 'S');
	CHECK_EQ(t.ns_tid, pid);
	CHECK(t.sp && t.pc);
	CHECK(!t.frozen);
	CHECK(task_rested(pid, pid, &t));
	kill(pid, SIGSTOP);
	do
		CHECK_EQ(task_read(pid, pid, &t), 0);
	while (t.state != 'T');
	CHECK(t.parked);
	CHECK(task_rested(pid, pid, &t));
	child_stop(pid);
	CHECK(!task_rested(pid, pid, &t));
	CHECK_EQ(task_read(pid, pid, &t), -ESRCH);
}

static volatile sig_atomic_t handled;

static void handle(int sig)
{
	handled++;
}

static bool with_handler(const void *ctx)
{
	return signal(SIGUSR1, handle) != SIG_ERR;
}

/* The child goes on sleeping at the same place; only the count of its switches tells that it ran. */
TEST(a_child_that_ran_in_between)
{
	pid_t pid = child_start(with_handler, NULL);
	struct task_now before, after;

	if (!CHECK(read_asleep(pid, &before)))
		return;
	kill(pid, SIGUSR1);
	do
		CHECK(read_asleep(pid, &after));
	while (after.switches == before.switches);
	CHECK_EQ(after.sp, before.sp);
	CHECK_EQ(after.pc, before.pc);
	CHECK(!task_rested(pid, pid, &before));
	CHECK(task_rested(pid, pid, &after));
	child_stop(pid);
}
