/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that krait starts in order to record it. It is forked early, before krait has any
 * descriptor, limit or signal of its own that could be passed on, and waits until it is let go, when
 * everything is there that sees its first instruction.
 *
 *	child_new ─► waits ─► child_go ─► exec ─► ... ─► child_ended ─► child_status
 *	               └ krait ends: so does it
 */
#ifndef KRAIT_CHILD_H
#define KRAIT_CHILD_H

#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/types.h>

#include "base/err.h"
#include "proc/account.h"

struct child;

/*
 * Forks. What comes of it will be @argv (NULL-terminated), run as @as; NULL: as the caller. From here
 * on the caller has SIGCHLD blocked and at its default, to be read from a signalfd; the child gets
 * back what was. NULL: @err says why.
 */
struct child *child_new(char **argv, const struct account *as, struct err *err);
/* One that was not let go ends; another goes on. */
void child_free(struct child *c);

pid_t child_pid(const struct child *c);
/* Lets it execute its program. Whether that can be is known when it has ended. */
void child_go(struct child *c);
/* Sends a signal, unless it has ended. */
void child_signal(const struct child *c, int signal);
/* Passes on what this process was sent, unless the terminal sent it to both. */
void child_pass(const struct child *c, const struct signalfd_siginfo *info);
/* False: what it is to execute cannot be; known once it has ended. */
bool child_began(const struct child *c);
/* Has it ended? Its descendants do not count. */
bool child_ended(struct child *c);
/* Waits until it has. One that was not let go is ended. */
void child_wait(struct child *c);
/*
 * Of one that ended: what a shell would return for it: its status, 128 + N if signal N ended it, and
 * with @err filled 126 (cannot be executed), 127 (not found) or 1 (could not become the user).
 */
int child_status(const struct child *c, struct err *err);

#endif
