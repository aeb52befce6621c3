/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the engines that run here for the names of containers, by the sockets that are compatible with
 * Docker's. An engine may be slow, broken or absent: nothing here waits, and each question has an end.
 */
#ifndef KRAIT_ENGINES_H
#define KRAIT_ENGINES_H

#include <stdbool.h>
#include <stddef.h>

#include "proc/runtime.h"

struct engines;

/*
 * The usual sockets below @root (the host's "/"), and those that the environment names. NULL: out of
 * memory.
 */
struct engines *engines_new(const char *root);
void engines_free(struct engines *e);
/* One socket more. 0, -ENAMETOOLONG or -ENOMEM. */
int engines_add(struct engines *e, const char *path);

/* Begins a question to each engine that has none; one that failed is left alone for a while. */
void engines_ask(struct engines *e);
/*
 * Goes on with what is under way, as far as that takes no waiting. Calls @fn for each container of an
 * answer that is whole; its arguments live for the call. Adds to @refused.
 */
void engines_step(struct engines *e, struct runtime_refused *refused,
		  void (*fn)(void *ctx, const char *id, const struct runtime_names *names),
		  void *ctx);
/* Waits until engines_step() has something to do, or @ms have passed. False: nothing is under way. */
bool engines_wait(struct engines *e, int ms);

#endif
