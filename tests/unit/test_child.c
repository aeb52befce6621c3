/* SPDX-License-Identifier: BSD-2-Clause */
/* session/child: a command held before its exec: exit status, inherited state, signals. */
#include "session/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tap.h"

static void free_child(struct child **c)
{
	child_free(*c);
}

#define _child_ _cleanup_(free_child)

/* Returns `sh -c @script`, held before its exec; NULL is a failed check. */
static struct child *shell(const char *script)
{
	static char sh[] = "/bin/sh", dash_c[] = "-c";
	static char *argv[4];
	struct err err = {};
	struct child *c;

	argv[0] = sh;
	argv[1] = dash_c;
	argv[2] = (char *)(uintptr_t)script;
	c = child_new(argv, NULL, &err);
	CHECK(c);
	return c;
}

/* Lets the command go and waits for its end. Returns child_status(). */
static int run(struct child *c, struct err *err)
{
	child_go(c);
	child_wait(c);
	return child_status(c, err);
}

TEST(statuses)
{
	static const struct {
		const char *script;
		int status;
	} cases[] = { { "exit 0", 0 },
		      { "exit 3", 3 },
		      { "exit 127", 127 },
		      { "kill -TERM $$", 128 + SIGTERM },
		      { "kill -KILL $$", 128 + SIGKILL } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_child_ struct child *c = shell(cases[i].script);
		struct err err = {};

		CHECK_EQ(run(c, &err), cases[i].status);
		CHECK_EQ(err.code, 0);
		CHECK(child_began(c));
	}
}

TEST(commands_that_cannot_be_executed)
{
	static const struct {
		const char *name;
		int status;
		const char *words;
	} cases[] = { { "no-such-command-here", 127, "not found in PATH" },
		      { "", 127, "not found in PATH" },
		      { "/no/such/file", 127, "no such file" },
		      { "/dev/null/x", 127, "Not a directory" },
		      { "/etc/passwd", 126, "Permission denied" },
		      { "/", 126, "Permission denied" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *argv[] = { (char *)(uintptr_t)cases[i].name, NULL };
		struct err err = {};
		_child_ struct child *c = child_new(argv, NULL, &err);

		CHECK_EQ(run(c, &err), cases[i].status);
		CHECK(!child_began(c));
		CHECK(strstr(err.text, cases[i].words));
		if (!strstr(err.text, cases[i].words))
			printf("# %s: %s\n", cases[i].name, err.text);
	}
}

/* More groups than the kernel accepts, even from root. */
TEST(user_cannot_be_changed)
{
	enum { MANY = 70000 };
	char path[] = "/bin/true", *argv[] = { path, NULL };
	_free_ gid_t *groups = calloc(MANY, sizeof(*groups));
	const struct account as = { .groups = { groups, MANY, MANY } };
	struct err err = {};
	_child_ struct child *c = child_new(argv, &as, &err);

	CHECK_EQ(run(c, &err), EXIT_FAILURE);
	CHECK(!child_began(c));
	CHECK(strstr(err.text, "record: '/bin/true': cannot set the groups of its user"));
}

/* Returns the read end of a pipe; *@ret_write is the write end. */
static int watch(int *ret_write)
{
	int ends[2];

	CHECK(!pipe2(ends, O_CLOEXEC));
	*ret_write = ends[1];
	return ends[0];
}

TEST(command_does_not_run_before_it_is_released)
{
	int to, from = watch(&to);
	char script[64], byte;
	struct child *c;

	snprintf(script, sizeof(script), "echo x >/proc/%d/fd/%d", getpid(), to);
	c = shell(script);
	fcntl(from, F_SETFL, O_NONBLOCK);
	CHECK(read(from, &byte, 1) < 0 && errno == EAGAIN);
	CHECK(!child_ended(c));
	child_free(c);
	CHECK(read(from, &byte, 1) < 0 && errno == EAGAIN);
	close(to);
	CHECK_EQ(read(from, &byte, 1), 0);
	close(from);
}

TEST(held_child_that_is_stopped_ends)
{
	_child_ struct child *c = shell("exit 0");
	siginfo_t info;

	kill(child_pid(c), SIGSTOP);
	CHECK(!waitid(P_PID, child_pid(c), &info, WSTOPPED | WNOWAIT));
}

TEST(held_child_may_end_early)
{
	_child_ struct child *c = shell("exit 0");
	siginfo_t info;
	struct err err = {};

	kill(child_pid(c), SIGINT);
	CHECK(!waitid(P_PID, child_pid(c), &info, WEXITED | WNOWAIT));
	CHECK_EQ(run(c, &err), 128 + SIGINT);
}

/* Uses awk because shells change signal dispositions. */
TEST(signal_settings_are_restored)
{
	char awk[] = "awk", status[] = "/proc/self/status", *argv[] = { awk, NULL, status, NULL };
	/*
	 * Of the 16 hexadecimal digits, the 10th contains SIGWINCH (28, value 8), the 12th SIGCHLD
	 * (17, value 1).
	 */
	char script[] = "/^SigBlk/ { blocked = substr($2, 10, 1) substr($2, 12, 1) }"
			"/^SigIgn/ { ignored = substr($2, 12, 1) }"
			"END { exit !(blocked ~ /^[89a-f][02468ace]/ && ignored ~ /[13579bdf]/) }";
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old, now;
	sigset_t some, before, after;
	struct err err = {};
	struct child *c;

	argv[1] = script;
	sigemptyset(&some);
	sigaddset(&some, SIGWINCH);
	sigprocmask(SIG_SETMASK, &some, &before);
	sigaction(SIGCHLD, &ignore, &old);
	c = child_new(argv, NULL, &err);
	CHECK_EQ(run(c, &err), 0);
	child_free(c);
	sigaction(SIGCHLD, NULL, &now);
	CHECK(now.sa_handler == SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, &after);
	CHECK(sigismember(&after, SIGCHLD));
	sigaction(SIGCHLD, &old, NULL);
}

/* Counts the open descriptors, including the one that reads the directory. */
static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *d;
	int n = 0;

	while ((d = readdir(dir)))
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

TEST(no_descriptors_are_inherited)
{
	int before = count_descriptors();
	_child_ struct child *c = shell("set -- /proc/self/fd/*; exit $#");
	struct err err = {};

	CHECK_EQ(run(c, &err), before);
}

/* Passes on a signal with that si_code. Returns the child's status. */
static int status_after(uint32_t signo, int32_t code)
{
	const struct signalfd_siginfo info = { .ssi_signo = signo, .ssi_code = code };
	_child_ struct child *c = shell("kill -STOP $$; exit 5");
	siginfo_t state;
	struct err err = {};

	child_go(c);
	CHECK(!waitid(P_PID, child_pid(c), &state, WSTOPPED | WNOWAIT));
	child_pass(c, &info);
	child_signal(c, SIGCONT);
	child_wait(c);
	return child_status(c, &err);
}

TEST(signals_from_the_terminal_are_not_passed_on)
{
	CHECK_EQ(status_after(SIGTERM, SI_USER), 128 + SIGTERM);
	CHECK_EQ(status_after(SIGINT, SI_USER), 128 + SIGINT);
	CHECK_EQ(status_after(SIGINT, SI_KERNEL), 5);
	CHECK_EQ(status_after(SIGQUIT, SI_KERNEL), 5);
	CHECK_EQ(status_after(SIGHUP, SI_KERNEL), 128 + SIGHUP);
}
