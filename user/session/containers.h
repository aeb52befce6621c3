/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the container, pod and unit of each recorded process. The kernel reports the cgroup ids of a
 * process; they identify all three, even after the process has ended.
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

/* Finds the cgroup hierarchies. Both arguments must outlive it. NULL: out of memory. */
struct containers *containers_new(struct profile *profile, struct reader *reader);
void containers_free(struct containers *c);

/* Fills in what the BPF programs must know of the hierarchies, before they are loaded. */
void containers_configure(const struct containers *c, struct wire_config *ret);
/* Lists all cgroups. Call it once the BPF programs report new ones, so that none is missed. 0 or -errno. */
int containers_open(struct containers *c);

/* Handles a new cgroup. 0 or -errno. */
int containers_made(struct containers *c, const struct wire_cgroup *made);
/* About once a second: retries containers without a name. @lost: events were lost. 0 or -errno. */
int containers_second(struct containers *c, bool lost);

/* To be called often: continues pending requests to container engines. Never blocks. */
void containers_turn(struct containers *c);
/* Waits for engines' answers, @ms at most, and sets the names they report. 0 or -ENOMEM. */
int containers_settle(struct containers *c, int ms);

/* The container's index in the profile, for profile_set_process_container(). PROFILE_NONE: out of memory. */
uint32_t containers_of(struct containers *c, const __u64 cgroup[CGROUP_VIEWS], pid_t pid);
/* The same, with the cgroups read from /proc. */
uint32_t containers_of_process(struct containers *c, pid_t pid);

/* All known cgroups. Lives as long as @c. */
struct cgroupfs *containers_cgroups(const struct containers *c);
/* The controller of the version 1 hierarchy that is read. */
const char *containers_controller(const struct containers *c);
/* Answers of engines that could not be parsed. */
const struct runtime_refused *containers_refused(const struct containers *c);
/* What is known of the container with this id, valid until the next call. NULL: out of memory. */
const struct runtime_names *containers_names(struct containers *c, const char *id);

#endif
