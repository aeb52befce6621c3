/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which cgroup has this id? The kernel knows cgroups by number, people by path. The paths are those of
 * directories, and what was seen once is kept: a cgroup may be gone when its samples are read.
 */
#ifndef KRAIT_CGROUPFS_H
#define KRAIT_CGROUPFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The hierarchies that are looked at. */
enum cgroupfs_view { CGROUPFS_V2, CGROUPFS_V1, CGROUPFS_VIEWS };

struct cgroupfs_hierarchy {
	bool there;
	char mount[256];     /* where its root can be reached, "": nowhere */
	uint32_t number;     /* as the kernel counts hierarchies */
	uint32_t controller; /* version 1: index into the names that were given */
};

struct cgroupfs_key {
	uint64_t id;
	uint32_t view;
	uint32_t pad;
};

struct cgroupfs;

/*
 * Of version 1 the first of these controllers that is mounted is looked at. A host without cgroups has
 * no hierarchy, which is no error. NULL: out of memory.
 */
struct cgroupfs *cgroupfs_new(const char *const *controllers, size_t n);
void cgroupfs_free(struct cgroupfs *c);

const struct cgroupfs_hierarchy *cgroupfs_hierarchy(const struct cgroupfs *c,
						    enum cgroupfs_view view);
/* The host's root directory as this process reaches it; "": it is its own. Lives as long as @c. */
const char *cgroupfs_root(const struct cgroupfs *c);
/* Reads all directories. What is gone stays known. 0 or -ENOMEM. */
int cgroupfs_scan(struct cgroupfs *c);
/* One that was made. 0 or -ENOMEM. */
int cgroupfs_add(struct cgroupfs *c, enum cgroupfs_view view, uint64_t id, const char *path);

/* Its path from the root of the hierarchy, NULL: never seen. Valid as long as @c. */
const char *cgroupfs_path(const struct cgroupfs *c, enum cgroupfs_view view, uint64_t id);
/* Each that was seen, as hmap_each(). */
bool cgroupfs_each(const struct cgroupfs *c, size_t *pos, struct cgroupfs_key *ret,
		   const char **ret_path);
/*
 * The id of the directory that a user calls @path: as it is mounted, or from the root of the hierarchy.
 * 0, -ENOENT, or -EXDEV: it is in a hierarchy that is not looked at.
 */
int cgroupfs_find(const struct cgroupfs *c, enum cgroupfs_view view, const char *path,
		  uint64_t *ret);

/* Pure parts. The controllers of a line of /proc/PID/cgroup hold @name? */
bool cgroupfs_has_controller(const char *list, const char *name);
/*
 * One line of mountinfo, which is cut: of a hierarchy as a whole? Then *@ret_mount, and *@ret_options
 * (the controllers among them; NULL: version 2). @nested: the reader is in a cgroup namespace.
 */
bool cgroupfs_mount(char *line, bool nested, const char **ret_mount, const char **ret_options);

#endif
