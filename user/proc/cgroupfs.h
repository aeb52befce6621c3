/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps cgroup ids, which the kernel reports, to paths, which users know, by reading the directories
 * of the cgroup file systems. Entries are never dropped: a cgroup may be gone when its samples are
 * read.
 */
#ifndef KRAIT_CGROUPFS_H
#define KRAIT_CGROUPFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The hierarchies that are read. */
enum cgroupfs_view { CGROUPFS_V2, CGROUPFS_V1, CGROUPFS_VIEWS };

struct cgroupfs_hierarchy {
	bool there;
	char mount[256];     /* the path to its root, "": not accessible */
	uint32_t number;     /* the kernel's hierarchy id */
	uint32_t controller; /* version 1: index into the controllers given to cgroupfs_new() */
};

struct cgroupfs_key {
	uint64_t id;
	uint32_t view;
	uint32_t pad;
};

struct cgroupfs;

/*
 * For version 1, uses the hierarchy of the first of these controllers that exists. A host without
 * cgroups is not an error; it has no hierarchies. NULL: out of memory.
 */
struct cgroupfs *cgroupfs_new(const char *const *controllers, size_t n);
void cgroupfs_free(struct cgroupfs *c);

const struct cgroupfs_hierarchy *cgroupfs_hierarchy(const struct cgroupfs *c,
						    enum cgroupfs_view view);
/* A path to the host's root directory; "": it is this process's own. Valid as long as @c. */
const char *cgroupfs_root(const struct cgroupfs *c);
/* Reads all directories; keeps the cgroups that are gone. 0 or -ENOMEM. */
int cgroupfs_scan(struct cgroupfs *c);
/* Adds one new cgroup. 0 or -ENOMEM. */
int cgroupfs_add(struct cgroupfs *c, enum cgroupfs_view view, uint64_t id, const char *path);

/* The cgroup's path from the root of its hierarchy; NULL: never seen. Valid as long as @c. */
const char *cgroupfs_path(const struct cgroupfs *c, enum cgroupfs_view view, uint64_t id);
/* Iterates over all cgroups seen so far, as hmap_each() does. */
bool cgroupfs_each(const struct cgroupfs *c, size_t *pos, struct cgroupfs_key *ret,
		   const char **ret_path);
/*
 * Finds the id of the cgroup that a user calls @path: a path in the file system, or one from the
 * root of the hierarchy. 0, -ENOENT, or -EXDEV (in another hierarchy).
 */
int cgroupfs_find(const struct cgroupfs *c, enum cgroupfs_view view, const char *path,
		  uint64_t *ret);

/* Does a list of controllers, as in /proc/PID/cgroup, contain @name? Pure. */
bool cgroupfs_has_controller(const char *list, const char *name);
/*
 * Parses and modifies one line of mountinfo. True if it mounts a whole cgroup hierarchy; then
 * *@ret_mount is the mount point, and *@ret_options are the options, with the controllers (NULL:
 * version 2). @nested: the reader is in a cgroup namespace. Pure.
 */
bool cgroupfs_mount(char *line, bool nested, const char **ret_mount, const char **ret_options);

#endif
