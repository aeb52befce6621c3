/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forks small processes at any later time. The nursery process is forked early and only forks
 * others, so its children inherit none of the files and memory that its owner has acquired since.
 */
#ifndef KRAIT_NURSERY_H
#define KRAIT_NURSERY_H

#include <sys/types.h>

struct nursery;

/* A new child. Both descriptors belong to the caller. */
struct nursery_child {
	pid_t pid;
	int pidfd; /* readable once the child has ended */
	int line;  /* a stream socket to the child, which ends when this is closed */
};

/*
 * Each child calls @run with its end of the line and @ctx, and ends when @run returns. It inherits the
 * descriptor @keep; -1: none. The caller must be single-threaded. NULL with *@ret_err = -errno.
 */
struct nursery *nursery_new(void (*run)(int line, const void *ctx), const void *ctx, int keep,
			    int *ret_err);
/* Leaves hanging children behind. */
void nursery_free(struct nursery *n);

/* 0 or -errno. */
int nursery_spawn(struct nursery *n, struct nursery_child *ret);
/* Children forked from now on get only the capabilities that the caller has now. 0 or -errno. */
int nursery_follow(struct nursery *n);

#endif
