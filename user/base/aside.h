/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work that may hang, done by another process. Who asks for it gets an answer in any case: what was
 * found out, or that it takes too long. Then the process that hangs is left behind, and another one goes
 * on with what others had asked.
 *
 * A question is about a subject (a process, as a rule). Of a subject that hung nothing is asked for a
 * while: for each time that it hangs twice as long, and not before the one that hangs has come back.
 */
#ifndef KRAIT_ASIDE_H
#define KRAIT_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct aside;

/* What the other process does: it answers with a number (not below -4095) and bytes added to @out. */
struct aside_ops {
	void *(*open)(void); /* its state; NULL: out of memory */
	void (*close)(void *state);
	int (*serve)(void *state, uint32_t op, const void *ask, size_t len, struct buf *out);
	const char *name; /* of the process, at most 15 bytes */
};

/*
 * Takes the answer: serve()'s number, -ETIMEDOUT: it hangs (or did a moment ago), -EIO: the process ended
 * at it, -ENOMEM. @data lives for the call. May ask again, but not for an answer at once.
 */
typedef void aside_done(void *ctx, int code, const void *data, size_t len);

enum { ASIDE_ASK_MAX = 1024 }; /* bytes of a question */

/*
 * @ops must outlive it. The caller must have one thread. NULL: out of memory. Where no process can be made
 * serve() is called in this one.
 */
struct aside *aside_new(const struct aside_ops *ops);
/* Questions without an answer get -ETIMEDOUT. */
void aside_free(struct aside *a);

/* The answer comes in this call or a later one. Returns 0 or -ENOMEM; then @done is not called. */
int aside_post(struct aside *a, pid_t subject, uint32_t op, const void *ask, size_t len,
	       aside_done *done, void *ctx);
/* The same, before those that nobody waits for, and the answer comes within this call. */
int aside_ask(struct aside *a, pid_t subject, uint32_t op, const void *ask, size_t len,
	      aside_done *done, void *ctx);
/* Takes what has been answered, and goes on. Never waits. */
void aside_turn(struct aside *a);
/* Until everything is answered. */
void aside_settle(struct aside *a);
/* The other processes give up the capabilities that the caller does not have any more. 0 or -errno. */
int aside_follow(struct aside *a);

/* Processes that hang now. */
size_t aside_left(struct aside *a);

#endif
