/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that krait starts in order to record it. krait forks it early, so that it inherits none of
 * krait's descriptors, limits and signal settings. The child then waits until sampling is set up, so that
 * it is recorded from its first instruction.
 *
 *	child_new ─► waits ─► child_go ─► exec ─► ... ─► child_ended ─► child_status
 *	               └ it ends if krait does
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
 * Forks a child that will execute @argv (NULL-terminated) as user @as; NULL: as the caller. From here on
 * SIGCHLD is blocked in the caller and has its default action, so that a signalfd can read it; the child
 * restores the previous settings. NULL: @err says why.
 */
struct child *child_new(char **argv, const struct account *as, struct err *err);
/* A child that still waits is ended; a running program continues. */
void child_free(struct child *c);

pid_t child_pid(const struct child *c);
/* Lets it execute its program. Whether that worked is known when it has ended. */
void child_go(struct child *c);
/* Sends it a signal, unless it has ended. */
void child_signal(const struct child *c, int signal);
/* Forwards a signal that krait received, unless the terminal sent it to both processes. */
void child_pass(const struct child *c, const struct signalfd_siginfo *info);
/* False: its program could not be executed. Valid once it has ended. */
bool child_began(const struct child *c);
/* Has it ended? Its descendants do not count. */
bool child_ended(struct child *c);
/* Waits until it has ended. A child that still waits is ended first. */
void child_wait(struct child *c);
/*
 * The exit status that a shell would report for an ended child: its own, 128 + N if signal N ended it, or
 * with @err filled 126 (cannot be executed), 127 (not found) or 1 (could not become the user).
 */
int child_status(const struct child *c, struct err *err);

#endif
