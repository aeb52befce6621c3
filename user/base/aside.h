/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs work that may hang in a worker process. The caller always gets an answer: a result, or a
 * timeout. After a timeout the hanging worker is left behind, and a new worker takes over the
 * remaining questions.
 *
 * Each question is about a subject (usually a process). After a timeout, further questions about
 * that subject time out at once, for a pause that doubles each time and until the hanging worker
 * has ended.
 */
#ifndef KRAIT_ASIDE_H
#define KRAIT_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct aside;

/* Runs in the worker. serve() answers with a number (-4095 or above) and the bytes that it adds to @out. */
struct aside_ops {
	void *(*open)(void); /* the worker's state; NULL: out of memory */
	void (*close)(void *state);
	int (*serve)(void *state, uint32_t op, const void *ask, size_t len, struct buf *out);
	const char *name; /* process name, at most 15 bytes */
};

/*
 * Receives the answer. @code is serve()'s number, -ETIMEDOUT (the worker hangs, or the subject hung
 * a moment ago), -EIO (the worker ended) or -ENOMEM. @data is valid during the call. May call
 * aside_post(), but not aside_ask().
 */
typedef void aside_done(void *ctx, int code, const void *data, size_t len);

enum { ASIDE_ASK_MAX = 1024 }; /* bytes per question */

/*
 * @ops must outlive it. The caller must be single-threaded. If no worker can be forked, serve()
 * runs in this process. NULL: out of memory.
 */
struct aside *aside_new(const struct aside_ops *ops);
/* The same; workers inherit the descriptor @keep. */
struct aside *aside_new_with(const struct aside_ops *ops, int keep);
/* Pending questions are answered with -ETIMEDOUT. */
void aside_free(struct aside *a);

/* Queues a question; @done is called in this call or a later one. 0 or -ENOMEM (then @done is not called). */
int aside_post(struct aside *a, pid_t subject, uint32_t op, const void *ask, size_t len,
	       aside_done *done, void *ctx);
/* Asks ahead of the posted questions, and waits: @done is called before this returns. */
int aside_ask(struct aside *a, pid_t subject, uint32_t op, const void *ask, size_t len,
	      aside_done *done, void *ctx);
/* Delivers the answers that have arrived and sends further questions. Never waits. */
void aside_turn(struct aside *a);
/* Waits until every question is answered. */
void aside_settle(struct aside *a);
/* The workers drop the capabilities that the caller has dropped. 0 or -errno. */
int aside_follow(struct aside *a);

/* The number of workers that hang now. */
size_t aside_left(struct aside *a);

#endif
