/* SPDX-License-Identifier: BSD-2-Clause */
/* A line of a source file, as a process sees its files. */
#ifndef KRAIT_SOURCE_H
#define KRAIT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

enum { SOURCE_PATH = 900 };

/* The line to read, as plain bytes that can be passed to another process. */
struct source_wanted {
	pid_t pid;
	uint32_t line;          /* from 1 */
	int64_t started;        /* of the process, CLOCK_REALTIME, s */
	char path[SOURCE_PATH]; /* as the program has it; relative: to its working directory */
};

/* The answer; the line follows, without surrounding blanks, cut to a few hundred bytes. */
struct source_found {
	uint32_t newer; /* the file was changed after the process started: it may be another line */
};

/* Appends a struct source_found and the line. 0, or -errno (-ENOENT: no such file or line). */
int source_read(const struct source_wanted *w, struct buf *out);

#endif
