/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * krait and the child share a socket pair. One byte from krait lets the child execute its program; the child
 * answers only if it cannot. exec closes the child's end. If krait ends, its own end is closed, and a child that
 * still waits ends, too.
 */
#include "session/child.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

enum stage { STAGE_GROUPS, STAGE_GID, STAGE_UID, STAGE_ENVIRONMENT, STAGE_EXEC };

static const char *const stage_texts[] = {
	[STAGE_GROUPS] = "cannot set the groups of",
	[STAGE_GID] = "cannot set the group of",
	[STAGE_UID] = "cannot become",
	[STAGE_ENVIRONMENT] = "cannot set the environment of",
};

/* Why the program was not executed. */
struct answer {
	enum stage stage;
	int error;
};

struct child {
	char **argv;
	pid_t pid;
	int line;   /* socket */
	int status; /* as waitpid() gives it */
	bool gone, ended, failed;
	struct answer answer; /* what failed */
	sigset_t mask;        /* of signals, for the child */
	struct sigaction chld;
};

/* Exit statuses of a shell. */
enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127, KILLED = 128 };

static int status_of(const struct answer *a)
{
	if (a->stage != STAGE_EXEC)
		return EXIT_FAILURE;
	return a->error == ENOENT || a->error == ENOTDIR ? NOT_FOUND : NOT_EXECUTABLE;
}

/* --- in the child ----------------------------------------------------------------------------- */

static int set_environment(const struct account *as)
{
	const char *const names[] = { "USER", "LOGNAME", "HOME" };
	const char *const values[] = { as->name, as->name, as->home };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (values[i] && setenv(names[i], values[i], 1))
			return -1;
	return 0;
}

/* Changes groups first, while the uid still permits it. True, or errno and *@ret_stage say what failed. */
static bool become(const struct account *as, enum stage *ret_stage)
{
	*ret_stage = STAGE_GROUPS;
	if (setgroups(as->groups.len, as->groups.at))
		return false;
	*ret_stage = STAGE_GID;
	if (setresgid(as->gid, as->gid, as->gid))
		return false;
	*ret_stage = STAGE_UID;
	if (setresuid(as->uid, as->uid, as->uid))
		return false;
	*ret_stage = STAGE_ENVIRONMENT;
	return !set_environment(as);
}

static bool wait_for_go(int line)
{
	ssize_t n;
	char byte;

	do {
		n = recv(line, &byte, 1, 0);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

_Noreturn static void run(const struct child *c, int line, const struct account *as)
{
	struct answer a = {};

	sigaction(SIGCHLD, &c->chld, NULL);
	sigprocmask(SIG_SETMASK, &c->mask, NULL);
	if (!wait_for_go(line))
		_exit(EXIT_FAILURE);
	if (!as || become(as, &a.stage)) {
		a.stage = STAGE_EXEC;
		execvp(c->argv[0], c->argv);
	}
	a.error = errno;
	send(line, &a, sizeof(a), MSG_NOSIGNAL);
	_exit(status_of(&a));
}

/* --- in krait --------------------------------------------------------------------------------- */

static int start(struct child *c, const struct account *as)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t chld;
	int line[2];

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line))
		return -errno;
	c->line = line[0];
	sigaction(SIGCHLD, &usual, &c->chld);
	sigprocmask(SIG_BLOCK, &chld, &c->mask);
	c->pid = fork();
	if (!c->pid) {
		close(line[0]);
		run(c, line[1], as);
	}
	close(line[1]);
	return c->pid < 0 ? -errno : 0;
}

struct child *child_new(char **argv, const struct account *as, struct err *err)
{
	struct child *c = calloc(1, sizeof(*c));
	int code = -ENOMEM;

	if (c) {
		*c = (struct child){ .argv = argv, .pid = -1, .line = -1 };
		code = start(c, as);
	}
	if (!code)
		return c;
	err_set(err, code, "child: '%s': cannot fork: %s", argv[0], strerror(-code));
	child_free(c);
	return NULL;
}

void child_free(struct child *c)
{
	if (!c)
		return;
	if (c->pid > 0 && !c->gone)
		child_wait(c);
	close_fd(&c->line);
	free(c);
}

pid_t child_pid(const struct child *c)
{
	return c->pid;
}

void child_go(struct child *c)
{
	c->gone = true;
	send(c->line, "", 1, MSG_NOSIGNAL);
}

void child_signal(const struct child *c, int signal)
{
	if (!c->ended)
		kill(c->pid, signal);
}

/* A key on the terminal signals the whole foreground process group; any other signal was sent to krait alone. */
static bool reached_both(const struct signalfd_siginfo *info)
{
	return info->ssi_code == SI_KERNEL &&
	       (info->ssi_signo == SIGINT || info->ssi_signo == SIGQUIT);
}

void child_pass(const struct child *c, const struct signalfd_siginfo *info)
{
	if (!reached_both(info))
		child_signal(c, info->ssi_signo);
}

bool child_began(const struct child *c)
{
	return !c->failed;
}

static void reap(struct child *c, int options)
{
	pid_t pid;

	do {
		pid = waitpid(c->pid, &c->status, options);
	} while (pid < 0 && errno == EINTR);
	if (!pid)
		return;
	c->ended = true;
	c->failed =
		recv(c->line, &c->answer, sizeof(c->answer), MSG_DONTWAIT) == sizeof(c->answer) &&
		c->answer.stage <= STAGE_EXEC;
}

bool child_ended(struct child *c)
{
	if (!c->ended)
		reap(c, WNOHANG);
	return c->ended;
}

void child_wait(struct child *c)
{
	if (!c->gone)
		child_signal(c, SIGKILL); /* even one that is stopped */
	if (!c->ended)
		reap(c, 0);
}

static int fail(const struct child *c, const struct answer *a, struct err *err)
{
	const char *name = c->argv[0];

	if (a->stage != STAGE_EXEC)
		return err_set(err, -a->error, "record: '%s': %s its user: %s", name,
			       stage_texts[a->stage], strerror(a->error));
	if (a->error == ENOENT && !strchr(name, '/'))
		return err_set(err, -a->error, "record: '%s': not found in PATH", name);
	if (a->error == ENOENT)
		return err_set(err, -a->error,
			       "record: '%s': no such file, or the interpreter in its first line "
			       "does not exist",
			       name);
	return err_set(err, -a->error, "record: '%s': cannot be executed: %s", name,
		       strerror(a->error));
}

int child_status(const struct child *c, struct err *err)
{
	if (c->failed)
		fail(c, &c->answer, err);
	if (WIFSIGNALED(c->status))
		return KILLED + WTERMSIG(c->status);
	return WEXITSTATUS(c->status);
}
