/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the container engines on this host for the names of containers, over Docker-compatible
 * sockets. An engine may be slow, broken or absent: calls do not block, and each query has a
 * timeout.
 */
#ifndef KRAIT_ENGINES_H
#define KRAIT_ENGINES_H

#include <stdbool.h>
#include <stddef.h>

#include "proc/runtime.h"

struct engines;

/*
 * Uses the usual sockets below @root (the host's "/") and the ones named in the environment. NULL:
 * out of memory.
 */
struct engines *engines_new(const char *root);
void engines_free(struct engines *e);
/* Adds one socket. 0, -ENAMETOOLONG or -ENOMEM. */
int engines_add(struct engines *e, const char *path);

/* Starts a query to each idle engine. An engine that failed is not asked again for a while. */
void engines_ask(struct engines *e);
/*
 * Advances the running queries without blocking. Calls @fn for each container of a complete answer;
 * its arguments are valid during the call. Adds unreadable texts to @refused.
 */
void engines_step(struct engines *e, struct runtime_refused *refused,
		  void (*fn)(void *ctx, const char *id, const struct runtime_names *names),
		  void *ctx);
/* Waits up to @ms until engines_step() has something to do. False: no query is running. */
bool engines_wait(struct engines *e, int ms);

#endif
