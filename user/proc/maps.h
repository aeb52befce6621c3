/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory mappings of a process, from /proc/PID/maps. The target chooses the paths: they may
 * hold any byte but newline (which the kernel prints as \012), be 4 KiB long, and end in "
 * (deleted)".
 */
#ifndef KRAIT_MAPS_H
#define KRAIT_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct mapping {
	uint64_t start, end; /* addresses, end exclusive */
	uint64_t offset;     /* into the file, bytes */
	uint64_t dev, inode; /* as printed; inode 0: no file */
	bool read, write, exec;
	const char *path; /* "" if none; valid until the next mapping; without " (deleted)" */
	bool deleted;
};

struct maps;

/* Opens the list of @pid; NULL with *@ret_err = -errno. */
struct maps *maps_open(pid_t pid, int *ret_err);
void maps_close(struct maps *m);
static inline void maps_closep(struct maps **m)
{
	maps_close(*m);
}

/* 1: *@ret filled, 0: end, -errno. A line that cannot be parsed is skipped. */
int maps_next(struct maps *m, struct mapping *ret);
/*
 * The same for executable mappings of files only; cheaper. Do not mix with maps_next() on one
 * struct maps. With PROCMAP_QUERY (6.11+) the path is raw: a newline is a newline.
 */
int maps_next_code(struct maps *m, struct mapping *ret);
/* Parses one line in place, with or without its newline; 0 or -EINVAL. Pure. */
int maps_parse(char *line, struct mapping *ret);
/*
 * Opens the file behind a mapping through /proc/PID/map_files, which works for deleted and replaced
 * files and in other namespaces. Without the privilege for that, uses /proc/PID/root or
 * /proc/PID/exe. Returns a descriptor (O_CLOEXEC|O_RDONLY|O_NONBLOCK) of a regular file, or -errno.
 */
int maps_open_file(pid_t pid, const struct mapping *m);

/* fstat() of the file that maps_open_file() would open; one system call if map_files is accessible. */
int maps_stat_file(pid_t pid, const struct mapping *m, struct stat *ret);

#endif
