/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes processes later as small as this one is now: a process that is forked at once, does nothing but
 * fork others, and so has nothing of what its owner opens and remembers afterwards.
 */
#ifndef KRAIT_NURSERY_H
#define KRAIT_NURSERY_H

#include <sys/types.h>

struct nursery;

/* One that was made. Both descriptors belong to the caller. */
struct nursery_child {
	pid_t pid;
	int pidfd; /* readable: it has ended */
	int line;  /* a stream to it; it ends when this is closed */
};

/*
 * In each child @run is called with its end of the line and @ctx, and its return ends the child. The caller
 * must have one thread. NULL with *@ret_err = -errno.
 */
struct nursery *nursery_new(void (*run)(int line, const void *ctx), const void *ctx, int *ret_err);
/* Children that hang stay. */
void nursery_free(struct nursery *n);

/* 0 or -errno. */
int nursery_spawn(struct nursery *n, struct nursery_child *ret);
/* What is made from now on has no other capabilities than the caller has now. 0 or -errno. */
int nursery_follow(struct nursery *n);

#endif
