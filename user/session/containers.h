/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the processes of a recording run. What the kernel says of a process is the ids of its cgroups:
 * they tell its container, pod and unit, also when it has ended.
 */
#ifndef KRAIT_CONTAINERS_H
#define KRAIT_CONTAINERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/wire.h"
#include "model/profile.h"
#include "proc/cgroupfs.h"
#include "proc/runtime.h"

struct containers;
struct reader;

/* Finds the hierarchies. Both must outlive it. NULL: out of memory. */
struct containers *containers_new(struct profile *profile, struct reader *reader);
void containers_free(struct containers *c);

/* What the programs must know of the hierarchies, before they are loaded. */
void containers_configure(const struct containers *c, struct wire_config *ret);
/* Looks at all cgroups. Call when the programs tell of new ones. 0 or -errno. */
int containers_open(struct containers *c);

/* A cgroup was made. 0 or -errno. */
int containers_made(struct containers *c, const struct wire_cgroup *made);
/* About once a second: what could not be named before. @lost: events were. 0 or -errno. */
int containers_second(struct containers *c, bool lost);

/* Often: goes on with questions to engines that are under way. Takes no waiting. */
void containers_turn(struct containers *c);
/* Waits for answers, for @ms at most, and names what has got a name. 0 or -ENOMEM. */
int containers_settle(struct containers *c, int ms);

/* For profile_set_process_container(). PROFILE_NONE: out of memory. */
uint32_t containers_of(struct containers *c, const __u64 cgroup[CGROUP_VIEWS], pid_t pid);
/* The same from /proc. */
uint32_t containers_of_process(struct containers *c, pid_t pid);

/* All that are known. Lives as long as @c. */
struct cgroupfs *containers_cgroups(const struct containers *c);
/* What engines say of containers that could not be read. */
const struct runtime_refused *containers_refused(const struct containers *c);
/* What is known of the container of this id, valid until the next call. NULL: out of memory. */
const struct runtime_names *containers_names(struct containers *c, const char *id);

#endif
