/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Did a thread run between two moments?
 *
 *	first: status, syscall            second: syscall, status
 *	       count   off-CPU  ... reads ...     off-CPU  count
 *
 * The kernel answers syscall only after it has seen the thread switched out; the state alone may say "asleep" a
 * little before that. A run between the two answers ends with a switch, so the second count is higher.
 */
#include "proc/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { STATUS_MAX = 4096, SMALL_MAX = 256 };

/* Reads a file of the thread, with a NUL. The length, or -errno. */
static ssize_t read_file(pid_t pid, pid_t tid, const char *name, char *ret, size_t size)
{
	char path[64];
	_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, ret, size - 1);
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return n;
}

/* What follows a line's name; NULL: there is no such line. The name of the thread is escaped and cannot fake one. */
static const char *line_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? at + strlen(name) : NULL;
}

static uint64_t number_of(const char *text, const char *name)
{
	const char *at = line_of(text, name);

	return at ? strtoull(at, NULL, 10) : 0;
}

void task_parse_status(const char *text, struct task_now *ret)
{
	const char *state = line_of(text, "\nState:\t"), *ids = line_of(text, "\nNSpid:\t");

	if (state)
		ret->state = *state;
	ret->switches = number_of(text, "\nvoluntary_ctxt_switches:\t") +
			number_of(text, "\nnonvoluntary_ctxt_switches:\t");
	ret->stack_len = number_of(text, "\nVmStk:\t") << 10;
	while (ids) {
		char *end;
		long id = strtol(ids, &end, 10);

		if (end == ids)
			break;
		ret->ns_tid = id;
		ids = *end == '\t' ? end + 1 : NULL;
	}
}

/* "running", "-1 0xSP 0xPC", or "202 0xARG 0x... 0x... 0x... 0x... 0x... 0xSP 0xPC". */
void task_parse_syscall(const char *text, struct task_now *ret)
{
	unsigned long long first, sp, pc;
	long long call;

	if (sscanf(text, "%lld %llx %*x %*x %*x %*x %*x %llx %llx", &call, &first, &sp, &pc) == 4) {
		ret->call = call;
		ret->first = first;
	} else if (sscanf(text, "%lld %llx %llx", &call, &sp, &pc) != 3 || call != -1) {
		return;
	}
	ret->sp = sp;
	ret->pc = pc;
	ret->parked = true;
}

/* The kernel's function in which a frozen thread sleeps; its state alone looks like any sleep. */
static bool is_frozen(pid_t pid, pid_t tid)
{
	char text[SMALL_MAX];

	return read_file(pid, tid, "wchan", text, sizeof(text)) > 0 &&
	       (strstr(text, "freezer_trap") || strstr(text, "refrigerator"));
}

static void read_status(pid_t pid, pid_t tid, struct task_now *ret)
{
	char text[STATUS_MAX];

	if (read_file(pid, tid, "status", text, sizeof(text)) > 0)
		task_parse_status(text, ret);
}

static void read_syscall(pid_t pid, pid_t tid, struct task_now *ret)
{
	char text[SMALL_MAX];

	if (read_file(pid, tid, "syscall", text, sizeof(text)) > 0)
		task_parse_syscall(text, ret);
	else
		ret->parked = true; /* not permitted, or not in this kernel: the state must do */
}

static bool can_rest(char state)
{
	return state && state != 'R' && state != 'Z' && state != 'X';
}

int task_read(pid_t pid, pid_t tid, struct task_now *ret)
{
	*ret = (struct task_now){ .call = TASK_NO_CALL, .ns_tid = tid };
	read_status(pid, tid, ret);
	if (!ret->state)
		return -ESRCH;
	if (!can_rest(ret->state))
		return 0;
	read_syscall(pid, tid, ret);
	ret->frozen = is_frozen(pid, tid);
	return 0;
}

bool task_rested(pid_t pid, pid_t tid, const struct task_now *since)
{
	struct task_now now = { .call = TASK_NO_CALL };

	if (!since->parked)
		return false;
	read_syscall(pid, tid, &now);
	read_status(pid, tid, &now);
	return now.parked && can_rest(now.state) && now.switches == since->switches &&
	       now.sp == since->sp && now.pc == since->pc && now.call == since->call;
}
