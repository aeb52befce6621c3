/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory mappings of a process, from /proc/PID/maps. Content is hostile: paths hold any byte
 * but newline (which the kernel prints as \012), may be 4 KiB long and end in " (deleted)".
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
 * The same, and only mappings of files that may be executed; cheaper. Of one struct maps call this or
 * maps_next(). The path is raw where the kernel answers questions: a newline is a newline.
 */
int maps_next_code(struct maps *m, struct mapping *ret);
/* Parses one line in place (the newline may be there or not); 0 or -EINVAL. Pure. */
int maps_parse(char *line, struct mapping *ret);
/*
 * Opens the file behind a mapping: by /proc/PID/map_files, which works for deleted, replaced and
 * other-namespace files, else (that needs a privilege) by /proc/PID/root or /proc/PID/exe. A descriptor
 * (O_CLOEXEC|O_RDONLY|O_NONBLOCK) of a regular file, or -errno.
 */
int maps_open_file(pid_t pid, const struct mapping *m);

/* fstat() of what that would open; one system call where the caller may follow map_files. */
int maps_stat_file(pid_t pid, const struct mapping *m, struct stat *ret);

#endif
